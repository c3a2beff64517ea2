import { type Found, type Granted, readGrant } from './claims.ts';
import { type Codec, canonical, portable } from './codec.ts';
import type { ClaimRequest, Outcome, Serves, Verdict } from './decide.ts';
import { FuselineError, rebuildError } from './errors.ts';
import type { Fence, JournalEntry, Stored } from './events.ts';
import { explain, type Stranded, strandedSteps } from './explain.ts';
import { type CompiledGraph, compileGraph, type Graph } from './graph.ts';
import type { Host, Liveness } from './host.ts';
import { checkId } from './ids.ts';
import { keys, parseReady, under } from './keys.ts';
import { type Listed, listRuns, type RunQuery } from './listing.ts';
import { readOutput } from './output.ts';
import { type Keep, Retention } from './retention.ts';
import { headOf } from './rows.ts';
import { RunLog, type RunLogPorts } from './run-log.ts';
import type { RunState, RunStatus } from './run-state.ts';
import { Sessions, type Worker } from './sessions.ts';
import type { Hint, Key, Store } from './store.ts';
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

export interface StorageParts {
  readonly store: Store;
  readonly host: Host;
  readonly codec?: Codec;
  readonly liveness?: Liveness;
  readonly keep?: Keep;
}

export interface NewRun {
  readonly id?: string | undefined;
  readonly graph: CompiledGraph;
  readonly input: unknown;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly priority?: number | undefined;
  /** Epoch milliseconds. */
  readonly startAt?: number | undefined;
  /** A worker with capacity may claim the first steps in the creating commit. */
  readonly next?: ClaimRequest | undefined;
}

export interface NewWorker {
  readonly name: string;
  readonly graphs: readonly CompiledGraph[];
  readonly queues: readonly string[];
}

/** Newest first. `cursor` is absent on the last page. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly cursor?: string;
}

const CACHED_RUNS = 256;
/** Somebody who waits looks again after this long even if no hint came. */
const LOOK_MS = 1000;

/**
 * What workers, dispatchers and readers hold: the runs of one store, their queue, their history. The only thing a
 * platform brings is the store under it.
 */
export class RuntimeStorage {
  readonly host: Host;
  readonly codec: Codec;
  readonly liveness: Liveness | undefined;
  readonly sessions: Sessions;
  readonly #store: Store;
  readonly #graphs = new Map<string, CompiledGraph>();
  readonly #ports: RunLogPorts;
  readonly #logs = new Map<string, RunLog>();
  readonly #watching = new Map<RunLog, number>();
  readonly #retention: Retention;
  #unwatch: (() => void) | undefined;
  readonly #hintListeners = new Set<(hint: Hint) => void>();

  constructor({ store, host, codec = portable, liveness, keep }: StorageParts) {
    this.host = host;
    this.codec = codec;
    this.#store = store;
    const wrote = (keys: readonly Key[]) => this.#tell({ keys });
    this.#ports = { store, host, graphs: this.#graphs, wrote };
    this.liveness = liveness;
    this.sessions = new Sessions(store, host, liveness?.evidence);
    this.#retention = new Retention(store, host, keep);
  }

  async close(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    await this.#store.close();
  }

  // ---- writing

  /** Records a run and queues its starting steps; the same id and input again finds the run there is. */
  async createRun({
    id = this.host.id(),
    graph,
    input,
    labels,
    priority,
    startAt,
    next,
  }: NewRun): Promise<Granted & { readonly id: string }> {
    checkId(id);
    const { name: workflow, version, deadlineMs } = graph.graph;
    const text = this.codec.encode(input);
    const birth = {
      graph,
      input: text,
      created: {
        workflow,
        ...(version !== undefined && { version }),
        ...(labels && { labels }),
        ...(priority && { priority }),
        ...(deadlineMs !== undefined && { deadline: Math.max(startAt ?? 0, this.host.now()) + deadlineMs }),
      },
      start: { type: 'start', startAt, next },
    } as const;
    const log = this.#log(id);
    for (;;) {
      const granted = await log.create(birth, readGrant(id, next?.serves ?? never));
      if (granted) return { id, ...granted };
      const found = await log.look((state) => state.created);
      // Removed between the two looks: then it can be made now.
      if (!found) continue;
      if (found.workflow !== workflow) {
        throw new FuselineError(
          'WORKFLOW_MISMATCH',
          `run ${id} exists already and is of workflow ${JSON.stringify(found.workflow)}, not ${JSON.stringify(workflow)}; choose another id`,
        );
      }
      const recorded = await log.fetch(found.input);
      if (recorded !== text && canonical(recorded) !== canonical(text)) {
        throw new FuselineError(
          'INPUT_MISMATCH',
          `run ${id} exists already with another input (${clip(recorded)}, not ${clip(text)}); an id stands for one input, choose another id`,
        );
      }
      return { id, claims: [], rest: 'later' };
    }
  }

  /** Claims ready steps of one run for a worker. */
  async claim(run: string, next: ClaimRequest): Promise<Granted> {
    return this.#log(run).submit({ type: 'claim', next }, readGrant(run, next.serves));
  }

  /** Records how a claimed attempt ended, with everything that follows, and claims more in the same commit. */
  async finish(
    run: string,
    claim: Fence,
    outcome: Outcome,
    value: unknown,
    next?: ClaimRequest,
  ): Promise<Granted & { readonly status: Verdict['status'] }> {
    const log = this.#log(run);
    const { stored, put } =
      outcome.status === 'succeeded' && value !== undefined ? log.stow(this.codec.encode(value)) : NOTHING;
    const grant = readGrant(run, next?.serves ?? never);
    return log.submit(
      {
        type: 'finish',
        claim,
        outcome: stored === undefined ? outcome : ({ ...outcome, value: stored } as Outcome),
        next,
      },
      (state, verdict) => ({ status: verdict.status, ...grant(state, verdict) }),
      put,
    );
  }

  async checkpoint(run: string, claim: Fence, key: string, value: unknown): Promise<Verdict['status']> {
    const log = this.#log(run);
    const { stored, put } = log.stow(this.codec.encode(value));
    return log.submit({ type: 'checkpoint', claim, key, value: stored }, readStatus, put);
  }

  async progress(run: string, claim: Fence, value: unknown): Promise<Verdict['status']> {
    const log = this.#log(run);
    const { stored, put } = log.stow(this.codec.encode(value));
    return log.submit({ type: 'progress', claim, value: stored }, readStatus, put);
  }

  async release(run: string, claims: readonly Fence[]): Promise<void> {
    await this.#log(run).submit({ type: 'release', claims }, readStatus);
  }

  /** Takes a claim away from a worker that let its timeout pass. */
  async expire(run: string, claim: Fence): Promise<void> {
    await this.#log(run).submit({ type: 'expire', claim }, readStatus);
  }

  /** Does what is due in a run. */
  async tick(run: string): Promise<void> {
    await this.#log(run).submit({ type: 'tick' }, readStatus);
  }

  /** Hands out again what a dead worker held. */
  async reap(worker: string): Promise<void> {
    const claimsIn = async (run: string) =>
      (await this.#log(run).look((state) => state.running().filter((step) => state.worker[step] === worker).length)) ??
      0;
    await this.sessions.reap(worker, claimsIn, async (run, company) => {
      await this.#log(run).submit({ type: 'lose', worker, company }, readStatus).catch(ignoreUnknownRun);
    });
  }

  async cancel(run: string, { id = this.host.id() }: CommandOptions = {}): Promise<void> {
    await this.#command(run, { type: 'cancel', id });
  }

  async pause(run: string, { id = this.host.id() }: CommandOptions = {}): Promise<void> {
    await this.#command(run, { type: 'pause', id });
  }

  async resume(run: string, { id = this.host.id() }: CommandOptions = {}): Promise<void> {
    await this.#command(run, { type: 'resume', id });
  }

  /** Reruns a step that has ended, and everything that depends on it. */
  async enqueue(
    run: string,
    step: string,
    { id = this.host.id(), force }: CommandOptions & { readonly force?: 'not-taken' } = {},
  ): Promise<void> {
    const position = await this.#position(run, step);
    await this.#command(run, { type: 'enqueue', id, steps: [position], ...(force && { force }) });
  }

  /** Takes a failed or cancelled run up again where it ended. */
  async retry(run: string, { id = this.host.id() }: CommandOptions = {}): Promise<void> {
    await this.#command(run, { type: 'enqueue', id, steps: 'failed' });
  }

  /** Records a message to the run; kept until somebody waits for it. The same id again changes nothing. */
  async signal(
    run: string,
    name: string,
    payload: unknown,
    { id = this.host.id() }: CommandOptions = {},
  ): Promise<void> {
    const log = this.#log(run);
    const { stored, put } = log.stow(this.codec.encode(payload));
    await log.submit({ type: 'signal', id, name, payload: stored }, readStatus, put);
  }

  /** Deletes a run that has ended, with everything it recorded. */
  async remove(run: string): Promise<void> {
    await this.#retention.remove(run);
    this.#logs.delete(run);
  }

  /** Removes what is no longer to be kept, a bounded amount of it. */
  async sweep(): Promise<number> {
    return this.#retention.sweep();
  }

  // ---- reading

  async get(run: string): Promise<RunView> {
    const workers = await this.sessions.list();
    const names = await this.#stepNames(workers);
    const log = this.#log(run);
    return this.#look(run, (state) =>
      viewOf(run, headOf(state, log.incarnation), state, strandedSteps(run, state, workers, names)),
    );
  }

  async status(run: string): Promise<RunStatus> {
    return this.#look(run, (state) => state.runStatus);
  }

  async list(query: RunQuery = {}): Promise<RunPage> {
    const { found, cursor } = await listRuns(this.#store, query);
    const runs = await this.#summaries(found);
    return cursor === undefined ? { runs } : { runs, cursor };
  }

  async *history(run: string, { from = 0 }: { readonly from?: number } = {}): AsyncGenerator<HistoryEvent> {
    const graph = await this.#look(run, (state) => state.graph);
    const log = this.#log(run);
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
      const ended = await this.#look(run, (state) => state.ended && state.seq);
      for await (const event of this.history(run, { from: next })) {
        next = event.seq + 1;
        yield event;
      }
      if (ended !== undefined && next > ended) return;
      await this.changed(run, (state) => state.seq >= next);
    }
  }

  /** Waits until the run is as `until` says; looks at once, at every change, and now and then. */
  async changed(run: string, until: (state: RunState) => boolean): Promise<void> {
    const log = this.#log(run);
    const release = this.#follow(log);
    try {
      for (;;) {
        let wake: (() => void) | undefined;
        let told = false;
        const unlisten = log.listen(() => {
          told = true;
          wake?.();
        });
        try {
          if (await this.#look(run, until)) return;
          await new Promise<void>((resolve) => {
            if (told) return resolve();
            const cancel = this.host.after(LOOK_MS, resolve);
            wake = () => {
              cancel();
              resolve();
            };
          });
        } finally {
          unlisten();
        }
      }
    } finally {
      release();
    }
  }

  /** What the run hands back, once it has ended. Rejects with `RunFailedError`. */
  async result(run: string): Promise<unknown> {
    await this.changed(run, (state) => state.ended !== undefined);
    const output = await this.#look(run, (state) => readOutput(run, state));
    if (output.kind === 'one') return this.#value(run, output.found);
    const record = output.found.map(async ([key, found]) => [key, found && (await this.#value(run, found))] as const);
    return output.kind === 'none' ? undefined : Object.fromEntries(await Promise.all(record));
  }

  /** The result of one step that has SUCCEEDED; `undefined` for one that was skipped. */
  async stepResult(run: string, step: string): Promise<unknown> {
    const position = await this.#position(run, step);
    const stored = await this.#look(run, (state) => {
      if (!state.isFinal(position))
        throw new FuselineError('STEP_NOT_FINISHED', `step ${JSON.stringify(step)} of run ${run} has no result yet`);
      return state.value[position];
    });
    return stored === undefined ? undefined : this.load(run, stored);
  }

  /** One sentence on what the run, or one of its steps, waits for. */
  async explain(run: string, step?: string): Promise<string> {
    const workers = await this.sessions.list();
    const names = await this.#stepNames(workers);
    const position = step === undefined ? undefined : await this.#position(run, step);
    const now = this.host.now();
    return this.#look(run, (state) =>
      explain(run, state, position, { now, stranded: strandedSteps(run, state, workers, names) }),
    );
  }

  async stranded(run: string): Promise<readonly Stranded[]> {
    const workers = await this.sessions.list();
    const names = await this.#stepNames(workers);
    return this.#look(run, (state) => strandedSteps(run, state, workers, names));
  }

  /** A copy of the run as plain data. */
  async export(run: string): Promise<RunExport> {
    const graph = await this.#look(run, (state) => state.graph.graph);
    const log = this.#log(run);
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
    return this.sessions.list();
  }

  // ---- what engines need besides

  /** A recorded value, decoded: a copy of its own. */
  async load(run: string, stored: Stored): Promise<unknown> {
    return this.codec.decode(typeof stored === 'string' ? stored : await this.#log(run).fetch(stored));
  }

  /** Reads a run as it is now; `undefined` if there is none. */
  peek<T>(run: string, read: (state: RunState) => T): Promise<T | undefined> {
    return this.#log(run).look(read);
  }

  /** Hears every entry of a run, here and elsewhere, while it is listened to. */
  listen(run: string, listener: (state: RunState, entry: JournalEntry) => void): () => void {
    const log = this.#log(run);
    const release = this.#follow(log);
    const unlisten = log.listen(listener);
    return () => {
      unlisten();
      release();
    };
  }

  /** Hears that rows changed, through this storage or elsewhere. */
  onHint(listener: (hint: Hint) => void): () => void {
    this.#hintListeners.add(listener);
    this.#watchStore();
    return () => {
      this.#hintListeners.delete(listener);
      this.#watchStore();
    };
  }

  /** Makes a worker known, and keeps the graphs it brings, so that others can tell what it can run. */
  async register(worker: string, { name, graphs, queues }: NewWorker): Promise<void> {
    const missing = graphs.filter(({ hash }) => !this.#graphs.has(hash));
    const rows = await this.#store.read(missing.map(({ hash }) => keys.graph(hash)));
    const unknown = missing
      .filter((_, i) => !rows[i])
      .map(({ hash, text }) => ({ key: keys.graph(hash), value: text }));
    const workflows = graphs.map(({ graph, hash }) => ({
      name: graph.name,
      ...(graph.version !== undefined && { version: graph.version }),
      graph: hash,
    }));
    await this.sessions.register(worker, { name, workflows, queues }, unknown);
    for (const graph of missing) this.#graphs.set(graph.hash, graph);
  }

  /** Keys of the ready rows for one queue and workflow, most urgent first, then who waits longest. */
  async readyRows(
    queue: string,
    workflow: string,
    after: string | undefined,
    limit: number,
  ): Promise<readonly string[]> {
    const range = under(`${keys.readyFor(queue, workflow).slice(0, -1)}/`, { limit });
    const rows = await this.#store.scan(after === undefined ? range : { ...range, from: `${after}!` });
    return rows.map(({ key }) => key);
  }

  /** The first timers, due or not. */
  async timerRows(limit: number): Promise<readonly string[]> {
    return (await this.#store.scan(under('timer/', { limit }))).map(({ key }) => key);
  }

  // ---- inside

  #log(run: string): RunLog {
    const known = this.#logs.get(run);
    if (known) {
      // Last used, last in the map.
      this.#logs.delete(run);
      this.#logs.set(run, known);
      return known;
    }
    const log = new RunLog(run, this.#ports);
    this.#logs.set(run, log);
    for (const [id, old] of this.#logs) {
      if (this.#logs.size <= CACHED_RUNS) break;
      if (old.isIdle && old !== log) this.#logs.delete(id);
    }
    return log;
  }

  async #look<T>(run: string, read: (state: RunState) => T): Promise<T> {
    const box = await this.#log(checkId(run)).look((state) => [read(state)] as const);
    if (!box) throw unknownRun(run);
    return box[0];
  }

  async #command(run: string, command: Parameters<RunLog['submit']>[0]): Promise<void> {
    const status = await this.#log(checkId(run)).submit(command, readStatus);
    switch (status) {
      case 'ended':
        throw new FuselineError(
          'RUN_FINISHED',
          `run ${run} has ended, so it cannot be ${command.type === 'cancel' ? 'cancelled' : `${command.type}d`}; retry it or enqueue one of its steps to take it up again`,
        );
      case 'not-final':
        throw new FuselineError(
          'STEP_NOT_FINISHED',
          `the step has not ended in run ${run}; only a step that has can be enqueued again`,
        );
      case 'not-taken':
        throw new FuselineError(
          'STEP_NOT_TAKEN',
          `the step lies on a road run ${run} did not take; enqueue it with force: 'not-taken' to run it all the same`,
        );
      case 'nothing-failed':
        throw new FuselineError('RUN_NOT_FINISHED', `run ${run} has no failed or cancelled step to retry`);
    }
  }

  async #position(run: string, step: string): Promise<number> {
    const position = await this.#look(run, (state) => state.graph.index.get(step));
    if (position === undefined)
      throw new FuselineError('UNKNOWN_STEP', `run ${run} has no step ${JSON.stringify(step)}`);
    return position;
  }

  async #value(run: string, found: Found): Promise<unknown> {
    if (found.kind === 'outcome' && found.status === 'FAILED')
      return { status: found.status, error: rebuildError(found.error) };
    const { stored } = found as { stored: Stored | undefined };
    const value = stored === undefined ? undefined : await this.load(run, stored);
    if (found.kind === 'value') return value;
    return found.status === 'SUCCEEDED' ? { status: found.status, value } : { status: found.status };
  }

  /** Decodes what a need found, as the handler sees it. */
  async resolve(run: string, found: Found): Promise<unknown> {
    return this.#value(run, found);
  }

  async #summaries(found: readonly Listed[]): Promise<RunSummary[]> {
    const open = found.filter(({ head }) => head.endedAt === undefined && head.status !== 'PAUSED');
    if (open.length === 0) return found.map(({ id, head }) => summaryOf(id, head));
    const queued = new Set((await this.#store.scan(under('ready/'))).map(({ key }) => parseReady(key).run));
    const workers = await this.sessions.list();
    const names = await this.#stepNames(workers);
    return Promise.all(
      found.map(async ({ id, head }) => {
        const stranded = queued.has(id)
          ? await this.#log(id).look((state) => strandedSteps(id, state, workers, names))
          : undefined;
        return summaryOf(id, head, stranded);
      }),
    );
  }

  async #stepNames(workers: readonly Worker[]): Promise<(graph: string) => ReadonlySet<string> | undefined> {
    const hashes = new Set(workers.flatMap(({ workflows }) => workflows.map(({ graph }) => graph)));
    const missing = [...hashes].filter((hash) => !this.#graphs.has(hash));
    const rows = await this.#store.read(missing.map((hash) => keys.graph(hash)));
    rows.forEach(
      (row, i) => row && this.#graphs.set(missing[i] as string, compileGraph(JSON.parse(row.value) as Graph)),
    );
    return (hash) => {
      const graph = this.#graphs.get(hash);
      return graph && new Set(graph.index.keys());
    };
  }

  /** While a run is followed, hints that others changed it make this process read what they appended. */
  #follow(log: RunLog): () => void {
    this.#watching.set(log, (this.#watching.get(log) ?? 0) + 1);
    this.#watchStore();
    return () => {
      const count = (this.#watching.get(log) ?? 1) - 1;
      if (count > 0) this.#watching.set(log, count);
      else this.#watching.delete(log);
      this.#watchStore();
    };
  }

  #watchStore(): void {
    if (this.#watching.size === 0 && this.#hintListeners.size === 0) {
      this.#unwatch?.();
      this.#unwatch = undefined;
      return;
    }
    this.#unwatch ??= this.#store.watch((hint) => {
      for (const log of this.#watching.keys()) {
        // A look that fails is made again by whoever waits; the hint itself owes nothing.
        if (log.mayConcern(hint.keys)) log.look(() => undefined).catch(() => undefined);
      }
      this.#tell(hint);
    });
  }

  #tell(hint: Hint): void {
    for (const listener of this.#hintListeners) listener(hint);
  }
}

export interface CommandOptions {
  /** Makes a repeat of the command harmless. */
  readonly id?: string;
}

const NOTHING = { stored: undefined, put: [] } as const;
const never: Serves = () => false;
const readStatus = (_: RunState, verdict: Verdict): Verdict['status'] => verdict.status;

function unknownRun(run: string): FuselineError {
  return new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(run)}`);
}

function ignoreUnknownRun(error: unknown): void {
  if (!(error instanceof FuselineError && error.code === 'UNKNOWN_RUN')) throw error;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
