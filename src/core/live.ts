import { FuselineError } from './errors.ts';
import { Listeners } from './listeners.ts';
import type { RunQuery } from './listing.ts';
import { share } from './share.ts';
import type { RuntimeStorage } from './storage.ts';
import type { Hint, Key } from './store.ts';
import type { RunSummary, RunView } from './views.ts';

/**
 * Something a page shows while it changes. It is looked at while somebody subscribes, and what it was is handed out
 * again and again until it is something else: what has not changed is the same object, in snapshots that have changed
 * too.
 */
export interface Live<T> {
  /** Calls back after a change, at most once per frame (16 ms). The answer ends that. */
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}

/** `missing`: there is no such run, yet or any more. */
export type LiveRun =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly run: RunView }
  | { readonly status: 'missing' }
  | { readonly status: 'failed'; readonly error: FuselineError };

/** Newest first. `cursor` is absent on the last page. */
export type LiveRuns =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly runs: readonly RunSummary[]; readonly cursor?: string }
  | { readonly status: 'failed'; readonly error: FuselineError };

/** A run as it is, from before it is there until after it is gone. */
export function liveRun(storage: RuntimeStorage, id: string): Live<LiveRun> {
  return live<LiveRun>(storage, {
    // A worker that comes or goes can make a step stranded, or help it.
    concerns: (key) => key === `head/${id}` || key.startsWith('session/'),
    follow: (changed) => storage.listen(id, changed),
    look: async () => {
      try {
        return { status: 'ready', run: await storage.get(id) };
      } catch (error) {
        if (error instanceof FuselineError && error.code === 'UNKNOWN_RUN') return { status: 'missing' };
        throw error;
      }
    },
  });
}

/** A page of a list of runs, as `storage.list` reads it. */
export function liveRuns(storage: RuntimeStorage, query: RunQuery = {}): Live<LiveRuns> {
  return live<LiveRuns>(storage, {
    concerns: (key) => !key.startsWith('entry/') && !key.startsWith('value/'),
    follow: () => () => undefined,
    look: async (known) => {
      const page = await storage.list(query);
      // A new run moves the others down: they are known by their ids.
      const before = new Map(known.status === 'ready' ? known.runs.map((run) => [run.id, run]) : []);
      return { status: 'ready', ...page, runs: page.runs.map((run) => share(before.get(run.id), run)) };
    },
  });
}

type Status = { readonly status: 'loading' } | { readonly status: 'failed'; readonly error: FuselineError };

interface Subject<T> {
  /** Whether a row that changed may mean a change. */
  readonly concerns: (key: Key) => boolean;
  /** Hears of changes that no row tells of. */
  readonly follow: (changed: () => void) => () => void;
  readonly look: (known: T | Status) => Promise<T>;
}

const FRAME_MS = 16;
/** After these there is nothing left to look at. */
const LAST: readonly FuselineError['code'][] = ['STORAGE_CLOSED', 'INVALID_ID'];

function live<T extends { readonly status: string }>(storage: RuntimeStorage, subject: Subject<T>): Live<T | Status> {
  const listeners = new Listeners<void>();
  let snapshot: T | Status = { status: 'loading' };
  let stop: (() => void) | undefined;

  const update = (next: T | Status): void => {
    const shared = isSameFailure(snapshot, next) ? snapshot : share(snapshot, next);
    if (shared === snapshot) return;
    snapshot = shared;
    listeners.tell();
  };
  return {
    subscribe(listener) {
      const unlisten = listeners.add(listener);
      stop ??= keepLooking(storage, subject, () => snapshot, update);
      return () => {
        unlisten();
        if (listeners.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    getSnapshot: () => snapshot,
  };
}

/** Looks at once, a frame after the last look whenever something changed, and now and then: a hint may be lost. */
function keepLooking<T extends { readonly status: string }>(
  storage: RuntimeStorage,
  { concerns, follow, look }: Subject<T>,
  known: () => T | Status,
  update: (next: T | Status) => void,
): () => void {
  const { host } = storage;
  let state: 'looking' | 'waiting' | 'over' = 'waiting';
  let isStale = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let cancel: () => void = () => undefined;

  const lookIn = (ms: number): void => {
    cancel();
    cancel = host.after(ms, () => void lookNow());
  };
  const lookNow = async (): Promise<void> => {
    state = 'looking';
    isStale = false;
    const startedAt = host.monotonic();
    const next = await look(known()).catch(failed);
    if (isOver()) return;
    state = 'waiting';
    update(next);
    if ('error' in next && LAST.includes((next.error as FuselineError).code)) return end();
    const now = host.monotonic();
    // What takes long to look at is not looked at all the time.
    restsUntil = now + Math.max(FRAME_MS, now - startedAt);
    lookIn(isStale ? restsUntil - now : storage.lookMs);
  };
  const changed = (): void => {
    if (isStale) return;
    isStale = true;
    if (state === 'waiting') lookIn(Math.max(0, restsUntil - host.monotonic()));
  };
  const isOver = (): boolean => state === 'over';
  const unfollow = follow(changed);
  const unhint = storage.onHint(({ keys }: Hint) => {
    if (!keys || keys.some(concerns)) changed();
  });
  const end = (): void => {
    state = 'over';
    cancel();
    unfollow();
    unhint();
  };
  void lookNow();
  return end;
}

function failed(cause: unknown): Status {
  if (cause instanceof FuselineError) return { status: 'failed', error: cause };
  return { status: 'failed', error: new FuselineError('STORAGE_FAILED', `a look failed: ${cause}`, { cause }) };
}

/** The same failure again is an error of its own, and no news. */
function isSameFailure(one: object, other: object): boolean {
  if (!('error' in one && 'error' in other)) return false;
  const [before, after] = [one.error, other.error] as FuselineError[];
  return before?.code === after?.code && before?.message === after?.message;
}
