import { type Found, type FoundItems, resultOf } from './claims.ts';
import type { Codec } from './codec.ts';
import { FuselineError, rebuildError } from './errors.ts';
import type { JournalEntry, Stored } from './events.ts';
import { explain, type Stranded, strandedSteps } from './explain.ts';
import type { CompiledGraph } from './graph.ts';
import type { Host } from './host.ts';
import { parseReady, under } from './keys.ts';
import { type Listed, listRuns, type RunQuery } from './listing.ts';
import { Lists } from './lists.ts';
import { type Output, readOutput } from './output.ts';
import { headOf } from './rows.ts';
import { RunLogs } from './run-logs.ts';
import { RunState, type RunStatus } from './run-state.ts';
import type { Sessions, Worker } from './sessions.ts';
import type { Store } from './store.ts';
import {
  type HistoryEvent,
  historyOf,
  type RunExport,
  type RunSummary,
  type RunView,
  rowsIn,
  summaryOf,
  viewOf,
} from './views.ts';

/** Newest first. `cursor` is absent on the last page. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly cursor?: string;
}

/** A part of what a step emitted. `attempt`: the one that did; a later one begins anew. */
export interface StreamPart {
  readonly position: number;
  /** Which item said it, of a step that runs for each of a list. */
  readonly item?: number;
  readonly attempt: number;
  readonly value: unknown;
}

/** The reading half of a storage: changes nothing. */
export class RunReader {
  readonly host: Host;
  readonly codec: Codec;
  readonly sessions: Sessions;
  protected readonly store: Store;
  protected readonly logs: RunLogs;
  readonly #lists: Lists;

  constructor(store: Store, host: Host, codec: Codec, sessions: Sessions) {
    this.host = host;
    this.codec = codec;
    this.sessions = sessions;
    this.store = store;
    this.logs = new RunLogs(store, host);
    this.#lists = new Lists(codec, (run, stored) => this.text(run, stored));
  }

  /** Who waits looks again after this long even if no hint came. */
  get lookMs(): number {
    return this.logs.lookMs;
  }

  async get(run: string): Promise<RunView> {
    const workers = await this.sessions.living();
    const names = await this.logs.stepNames(workers);
    const log = this.logs.get(run);
    return this.logs.look(run, (state) =>
      viewOf(run, headOf(state, log.incarnation), state, strandedSteps(run, state, workers, names)),
    );
  }

  /**
   * The run as it was once it had come to an entry of its journal, by the entry's position. What no worker could handle
   * then is not known: its `stranded` is empty. Rejects with `INVALID_INPUT` if there is no such entry.
   */
  async viewAt(run: string, seq: number): Promise<RunView> {
    const { graph, last } = await this.logs.look(run, ({ graph, seq: last }) => ({ graph, last }));
    if (!(Number.isInteger(seq) && seq >= 0 && seq <= last)) {
      throw new FuselineError(
        'INVALID_INPUT',
        `run ${run} cannot be viewed at ${seq}; its journal has the entries 0 to ${last}`,
      );
    }
    const log = this.logs.get(run);
    const past = await pastOf(graph, seq, (from) => log.entries(from, seq + 1 - from));
    if (!past) throw new FuselineError('UNKNOWN_RUN', `run ${run} was removed while it was read`);
    return viewOf(run, headOf(past, log.incarnation), past, []);
  }

  async status(run: string): Promise<RunStatus> {
    return this.logs.look(run, (state) => state.runStatus);
  }

  async list(query: RunQuery = {}): Promise<RunPage> {
    const { found, cursor } = await listRuns(this.store, query);
    const runs = await this.#summaries(found);
    return cursor === undefined ? { runs } : { runs, cursor };
  }

  async *history(run: string, { from = 0 }: { readonly from?: number } = {}): AsyncGenerator<HistoryEvent> {
    const graph = await this.logs.look(run, (state) => state.graph);
    const log = this.logs.get(run);
    for (let next = from; ; ) {
      const page = await log.entries(next);
      for (const { seq, entry } of page) yield* historyOf(graph, entry, seq);
      if (page.length === 0) return;
      next += page.length;
    }
  }

  /** The history and what is added to it, until the run has ended. */
  async *watch(run: string, { from = 0 }: { readonly from?: number } = {}): AsyncGenerator<HistoryEvent> {
    let next = from;
    for (;;) {
      // Looked at before the page is read, so that an end found here has its entries in it.
      const ended = await this.logs.look(run, (state) => state.ended && state.seq);
      for await (const event of this.history(run, { from: next })) {
        next = event.seq + 1;
        yield event;
      }
      if (ended !== undefined && next > ended) return;
      // The end may have come while the page was read: nothing follows it.
      await this.logs.changed(run, (state) => state.ended !== undefined || state.seq >= next || undefined);
    }
  }

  /** What the run hands back, once it has ended. Rejects with `RunFailedError`. */
  async result(run: string): Promise<unknown> {
    return this.valueOf(run, await this.logs.changed(run, (state) => state.ended && readOutput(run, state)));
  }

  protected async valueOf(run: string, output: Output): Promise<unknown> {
    if (output.kind === 'one') return this.resolve(run, output.found);
    const record = output.found.map(async ([key, found]) => [key, found && (await this.resolve(run, found))] as const);
    return output.kind === 'none' ? undefined : Object.fromEntries(await Promise.all(record));
  }

  /**
   * What a step emits, and has emitted, part by part, until it ends. `from`: the position of the first part that is
   * wanted; positions count on through attempts and reruns.
   */
  async *stream(run: string, step: string, { from = 0 }: { readonly from?: number } = {}): AsyncGenerator<StreamPart> {
    await this.position(run, step);
    let position = 0;
    const attempts = new Map<number | undefined, number>();
    for await (const event of this.watch(run)) {
      if (event.type === 'ended') return;
      if (!('step' in event) || event.step !== step) continue;
      const item = 'item' in event ? event.item : undefined;
      if (event.type === 'claimed') attempts.set(item, event.attempt);
      // With its last item a step has ended, and not before.
      if ((event.type === 'succeeded' || event.type === 'failed') && item === undefined) return;
      if (event.type !== 'emitted' || position++ < from) continue;
      yield {
        position: position - 1,
        ...(item !== undefined && { item }),
        attempt: attempts.get(item) as number,
        value: await this.load(run, event.value),
      };
    }
  }

  /** The result of one step that has SUCCEEDED; `undefined` for one that was skipped. */
  async stepResult(run: string, step: string): Promise<unknown> {
    const position = await this.position(run, step);
    const found = await this.logs.look(run, (state) => {
      if (!state.isFinal(position))
        throw new FuselineError('STEP_NOT_FINISHED', `step ${JSON.stringify(step)} of run ${run} has no result yet`);
      return resultOf(state, position);
    });
    return this.resolve(run, found);
  }

  /** One sentence on what the run, or one of its steps, waits for. */
  async explain(run: string, step?: string): Promise<string> {
    const workers = await this.sessions.living();
    const names = await this.logs.stepNames(workers);
    const position = step === undefined ? undefined : await this.position(run, step);
    const now = this.host.now();
    return this.logs.look(run, (state) =>
      explain(run, state, position, { now, workers, stranded: strandedSteps(run, state, workers, names) }),
    );
  }

  /** The run's ready steps that no live worker can handle; none of a run that is not there. */
  async stranded(run: string): Promise<readonly Stranded[]> {
    const workers = await this.sessions.living();
    const names = await this.logs.stepNames(workers);
    return (await this.peek(run, (state) => strandedSteps(run, state, workers, names))) ?? [];
  }

  /** A copy of the run as plain data. */
  async export(run: string): Promise<RunExport> {
    const graph = await this.logs.look(run, (state) => state.graph.graph);
    const log = this.logs.get(run);
    const entries: JournalEntry[] = [];
    for (let page = await log.entries(0); page.length > 0; page = await log.entries(entries.length)) {
      entries.push(...page.map(({ entry }) => entry));
    }
    const values = await Promise.all(
      entries
        .flatMap(({ events }) => events.flatMap(rowsIn))
        .map(async (stored) => [stored.row, await log.fetch(stored)] as const),
    );
    return { format: 'fuseline-run/1', id: run, graph, entries, values: Object.fromEntries(values) };
  }

  async workers(): Promise<readonly Worker[]> {
    return this.sessions.living();
  }

  /** A recorded value, decoded: a copy of its own. */
  async load(run: string, stored: Stored): Promise<unknown> {
    return this.codec.decode(await this.text(run, stored));
  }

  /** A recorded value as the codec wrote it. */
  async text(run: string, stored: Stored): Promise<string> {
    return typeof stored === 'string' ? stored : this.logs.get(run).fetch(stored);
  }

  /** Decodes what a need or an output found, as a handler or a caller sees it. */
  async resolve(run: string, found: Found): Promise<unknown> {
    if (found.kind === 'outcome' && found.status === 'FAILED')
      return { status: found.status, error: rebuildError(found.error) };
    if (found.kind === 'items') return this.#itemsOf(run, found);
    if (found.kind === 'item') return this.#lists.take(run, found);
    const { stored } = found as { stored: Stored | undefined };
    const value = stored === undefined ? undefined : await this.load(run, stored);
    if (found.kind === 'value') return value;
    if (found.status === 'SUCCEEDED' && found.items)
      return { status: found.status, value: await this.#itemsOf(run, found.items) };
    return found.status === 'SUCCEEDED' ? { status: found.status, value } : { status: found.status };
  }

  async #itemsOf(run: string, { ends, as }: FoundItems): Promise<readonly unknown[]> {
    const values: unknown[] = [];
    for (const end of ends) {
      if ('error' in end) values.push({ status: 'FAILED', error: rebuildError(end.error) });
      else {
        const value = end.stored === undefined ? undefined : await this.load(run, end.stored);
        values.push(as === 'values' ? value : { status: 'SUCCEEDED', value });
      }
    }
    return values;
  }

  /** Reads a run as it is now; `undefined` if there is none. */
  peek<T>(run: string, read: (state: RunState, incarnation: string) => T): Promise<T | undefined> {
    return this.logs.get(run).look(read);
  }

  /** Reads a run as this process last knew it, for what is looked at again before long. */
  recall<T>(run: string, read: (state: RunState) => T): Promise<T | undefined> {
    return this.logs.get(run).recall(read);
  }

  /** Reads a run as it was last folded in this process; `undefined` where nothing is known, and nothing is read. */
  known<T>(run: string, read: (state: RunState) => T): T | undefined {
    return this.logs.get(run).known(read);
  }

  protected async position(run: string, step: string): Promise<number> {
    const position = await this.logs.look(run, (state) => state.graph.index.get(step));
    if (position === undefined)
      throw new FuselineError('UNKNOWN_STEP', `run ${run} has no step ${JSON.stringify(step)}`);
    return position;
  }

  async #summaries(found: readonly Listed[]): Promise<RunSummary[]> {
    const open = found.filter(({ head }) => head.endedAt === undefined && head.status !== 'PAUSED');
    if (open.length === 0) return found.map(({ id, head }) => summaryOf(id, head));
    const queued = new Set((await this.store.scan(under('ready/'))).map(({ key }) => parseReady(key).run));
    const workers = await this.sessions.living();
    const names = await this.logs.stepNames(workers);
    return Promise.all(
      found.map(async ({ id, head }) => {
        const stranded = queued.has(id)
          ? await this.logs
              .get(id)
              .look((state) => strandedSteps(id, state, workers, names))
              .catch(leftAlone)
          : undefined;
        return summaryOf(id, head, stranded);
      }),
    );
  }
}

type Page = readonly { readonly seq: number; readonly entry: JournalEntry }[];

/** The fold of a journal as far as one entry; `undefined` if it does not reach that far. */
async function pastOf(
  graph: CompiledGraph,
  last: number,
  read: (from: number) => Promise<Page>,
): Promise<RunState | undefined> {
  let page = await read(0);
  const created = page[0]?.entry.events[0];
  if (created?.type !== 'created') return undefined;
  const state = new RunState(graph, created, (page[0] as Page[number]).entry.at);
  for (;;) {
    for (const { seq, entry } of page) state.fold(entry, seq);
    if (state.seq >= last) return state;
    page = await read(state.seq + 1);
    if (page.length === 0) return undefined;
  }
}

/** A run that a newer version continued is listed, and not judged. */
function leftAlone(error: unknown): undefined {
  if (!(error instanceof FuselineError && error.code === 'PROTOCOL_TOO_NEW')) throw error;
}
