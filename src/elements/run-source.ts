import { type Attempt, type Attempts, evolveAttempts } from '../core/attempts.ts';
import type { CompiledGraph } from '../core/graph.ts';
import { type LiveRun, liveRun } from '../core/live.ts';
import { share } from '../core/share.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import type { HistoryEvent, RunView, StepView } from '../core/views.ts';

/** A run with what its journal says beside its state. The lists grow in place; `seq` says how far they have come. */
export interface Followed {
  readonly live: LiveRun;
  readonly graph: CompiledGraph | undefined;
  readonly events: readonly HistoryEvent[];
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** The last entry in the lists; -1 before the first. */
  readonly seq: number;
}

/** What several elements that show the same run follow together. */
export interface RunSource {
  readonly run: string;
  subscribe(listener: () => void): () => void;
  getSnapshot(): Followed;
  /** The run as it was after an entry. What has not changed since the last one asked for is the same object. */
  viewAt(seq: number): Promise<RunView>;
  /** What a step has handed on, decoded. `attempt`: the one that succeeded. */
  resultOf(step: StepView, attempt: Attempt): Promise<unknown>;
}

const sources = new WeakMap<RuntimeStorage, Map<string, RunSource>>();

/** The one source for a run. It is kept while somebody is subscribed. */
export function followed(storage: RuntimeStorage, run: string): RunSource {
  const known = sources.get(storage) ?? new Map<string, RunSource>();
  sources.set(storage, known);
  const source = known.get(run) ?? sourceOf(storage, run, () => known.delete(run));
  known.set(run, source);
  return source;
}

const NOTHING: Followed = { live: { status: 'loading' }, graph: undefined, events: [], attempts: new Map(), seq: -1 };
/** What changes nothing but the journal is read so long after it was heard of: the view usually changes too. */
const NEWS_MS = 50;
/** Views of the past that are kept: somebody goes back and forth. */
const KEPT_VIEWS = 50;

function sourceOf(storage: RuntimeStorage, run: string, left: () => void): RunSource {
  const live = liveRun(storage, run);
  const listeners = new Set<() => void>();
  let snapshot = NOTHING;
  let stop: (() => void) | undefined;
  let reading: 'no' | 'yes' | 'again' = 'no';
  let lastView: RunView | undefined;
  const views = new Map<number, Promise<RunView>>();
  const results = new WeakMap<Attempt, Promise<unknown>>();

  const update = (part: Partial<Followed>): void => {
    snapshot = { ...snapshot, ...part };
    for (const own of [...listeners]) own();
  };
  const follow = (): void => {
    const now = live.getSnapshot();
    const before = snapshot.live.status === 'ready' ? snapshot.live.run.createdAt : undefined;
    // Another run with the same id has another past.
    if (now.status === 'missing' || (now.status === 'ready' && before !== undefined && now.run.createdAt !== before)) {
      snapshot = { ...NOTHING, live: now };
      views.clear();
      lastView = undefined;
    }
    update({ live: now });
    if (now.status === 'ready') read();
  };
  /** What a step says is in the journal, and changes nothing of the view. */
  const hearAll = (): (() => void) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let heard = -1;
    const unlisten = storage.listen(run, ({ seq }) => {
      heard = seq;
      timer ??= setTimeout(() => {
        timer = undefined;
        if (snapshot.live.status === 'ready' && snapshot.seq < heard) read();
      }, NEWS_MS);
    });
    return () => {
      unlisten();
      clearTimeout(timer);
    };
  };
  const read = (): void => {
    if (reading !== 'no') {
      reading = 'again';
      return;
    }
    reading = 'yes';
    readOn().then(
      () => {
        const again = reading === 'again';
        reading = 'no';
        if (again && stop) read();
      },
      () => {
        // The look that follows tells of the failure, or reads again.
        reading = 'no';
      },
    );
  };
  const readOn = async (): Promise<void> => {
    const { events, attempts, seq } = snapshot;
    const graph = snapshot.graph ?? (await storage.peek(run, (state) => state.graph));
    const news: HistoryEvent[] = [];
    for await (const event of storage.history(run, { from: seq + 1 })) news.push(event);
    if (snapshot.events !== events || !stop) return;
    const grown = events.length === 0 ? { events: news, attempts: new Map() as Attempts } : { events, attempts };
    if (grown.events === events) (events as HistoryEvent[]).push(...news);
    for (const event of news) evolveAttempts(grown.attempts as Attempts, event);
    if (news.length > 0 || graph !== snapshot.graph) update({ ...grown, graph, seq: news.at(-1)?.seq ?? seq });
  };

  return {
    run,
    subscribe(listener) {
      const own = (): void => listener();
      listeners.add(own);
      if (!stop) {
        const unfollow = live.subscribe(follow);
        const unhear = hearAll();
        stop = () => {
          unfollow();
          unhear();
        };
        follow();
      }
      return () => {
        listeners.delete(own);
        if (listeners.size > 0 || !stop) return;
        stop();
        stop = undefined;
        left();
      };
    },
    getSnapshot: () => snapshot,
    viewAt(seq) {
      const known = views.get(seq);
      if (known) return known;
      const view = storage.viewAt(run, seq).then((fresh) => {
        lastView = share(lastView, fresh);
        return lastView;
      });
      views.set(seq, view);
      view.catch(() => views.delete(seq));
      for (const old of views.keys()) {
        if (views.size <= KEPT_VIEWS) break;
        views.delete(old);
      }
      return view;
    },
    resultOf(step, attempt) {
      const known = results.get(attempt);
      if (known) return known;
      const result = resultOf(storage, run, step, attempt);
      results.set(attempt, result);
      // One that could not be read is asked for again.
      result.catch(() => results.delete(attempt));
      return result;
    },
  };
}

/** What a step has handed on: of one that waited, for items, a signal or another run, no single attempt tells it. */
export async function resultOf(
  storage: RuntimeStorage,
  run: string,
  step: StepView,
  last: Attempt | undefined,
): Promise<unknown> {
  if (!last || step.items || step.child !== undefined) return storage.stepResult(run, step.name);
  return last.value === undefined ? undefined : storage.load(run, last.value);
}

/** The attempts at a step as they were at a moment. */
export function attemptsAt({ attempts }: Followed, step: string, moment: number | undefined): readonly Attempt[] {
  const all = attempts.get(step) ?? [];
  return moment === undefined ? all : all.flatMap((attempt) => attemptAt(attempt, moment) ?? []);
}

/** An attempt as it was at a moment; `undefined` if it had not begun. */
export function attemptAt(attempt: Attempt, moment: number | undefined): Attempt | undefined {
  if (moment === undefined || (attempt.endSeq ?? attempt.seq) <= moment) return attempt;
  if (attempt.seq > moment) return undefined;
  const { step, attempt: number, worker, seq, startedAt } = attempt;
  return { step, attempt: number, worker, seq, startedAt, outcome: 'running' };
}
