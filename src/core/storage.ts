import { type Granted, readGrant } from './claims.ts';
import { type Codec, canonical, portable } from './codec.ts';
import {
  type ClaimRequest,
  type HeldFence,
  keepsValue,
  type Outcome,
  type Serves,
  STREAM,
  type Verdict,
} from './decide.ts';
import { type Definition, stepsWithoutHandler } from './definition.ts';
import type { Employer, Watch } from './employer.ts';
import { Errands } from './errands.ts';
import { FuselineError } from './errors.ts';
import type { JournalEntry } from './events.ts';
import type { CompiledGraph } from './graph.ts';
import type { Host, Liveness, Network } from './host.ts';
import { checkId, isName } from './ids.ts';
import { keys, MAX_PRIORITY, under } from './keys.ts';
import { type Keep, Retention } from './retention.ts';
import type { RunLog } from './run-log.ts';
import { RunReader } from './run-reader.ts';
import { type RunState, WAITING } from './run-state.ts';
import { Sessions, type Worker } from './sessions.ts';
import type { Hint, Key, Store } from './store.ts';

export interface StorageParts {
  readonly store: Store;
  readonly host: Host;
  readonly codec?: Codec;
  readonly liveness?: Liveness;
  readonly network?: Network;
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
  readonly definitions: readonly Definition[];
  readonly queues: readonly string[];
  /** It works from afar: what its secret hashes to. */
  readonly proof?: string;
}

/**
 * What workers, dispatchers and readers hold: the runs of one store, their queue, their history. The only thing a
 * platform brings is the store under it.
 */
export class RuntimeStorage extends RunReader {
  readonly liveness: Liveness | undefined;
  readonly network: Network | undefined;
  readonly #retention: Retention;
  readonly #errands: Errands;

  constructor({ store, host, codec = portable, liveness, network, keep }: StorageParts) {
    super(store, host, codec, new Sessions(store, host, liveness));
    this.liveness = liveness;
    this.network = network;
    this.#retention = new Retention(store, host, keep);
    this.#errands = new Errands({
      store,
      host,
      logs: this.logs,
      textOf: async (run, output) => {
        const value = await this.valueOf(run, output);
        return value === undefined ? undefined : this.codec.encode(value);
      },
      cancel: (run, id) => this.cancel(run, { id }),
    });
  }

  async close(): Promise<void> {
    this.logs.close();
    await this.store.close();
  }

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
    checkTerms(priority, startAt, labels);
    const { name: workflow, version, deadlineMs } = graph.graph;
    const reading = this.codec.prepare?.(input);
    if (reading) await reading;
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
    const log = this.logs.get(id);
    for (;;) {
      const granted = await log.create(birth, readGrant(log, next?.serves ?? never));
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
      if (recorded !== text && canonical(recorded, this.codec) !== canonical(text, this.codec)) {
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
    const log = this.logs.get(run);
    return log.submit({ type: 'claim', next }, readGrant(log, next.serves));
  }

  /** Records how a claimed attempt ended, with everything that follows, and claims more in the same commit. */
  async finish(
    run: string,
    claim: HeldFence,
    outcome: Outcome,
    value: unknown,
    next?: ClaimRequest,
  ): Promise<Granted & { readonly status: Verdict['status'] }> {
    const log = this.logs.get(run);
    const reading = this.codec.prepare?.(value);
    if (reading) await reading;
    const { stored, pieces } = keepsValue(outcome, value) ? log.stow(this.codec.encode(value)) : NOTHING;
    const grant = readGrant(log, next?.serves ?? never);
    return log.submit(
      {
        type: 'finish',
        claim,
        outcome: stored === undefined ? outcome : ({ ...outcome, value: stored } as Outcome),
        next,
      },
      (state, verdict) => ({ status: verdict.status, ...grant(state, verdict) }),
      pieces,
    );
  }

  async checkpoint(run: string, claim: HeldFence, key: string, value: unknown): Promise<Verdict['status']> {
    const log = this.logs.get(run);
    const reading = this.codec.prepare?.(value);
    if (reading) await reading;
    const { stored, pieces } = log.stow(this.codec.encode(value));
    return log.submit({ type: 'checkpoint', claim, key, value: stored }, readStatus, pieces);
  }

  async progress(run: string, claim: HeldFence, value: unknown): Promise<Verdict['status']> {
    const log = this.logs.get(run);
    const reading = this.codec.prepare?.(value);
    if (reading) await reading;
    const { stored, pieces } = log.stow(this.codec.encode(value));
    return log.submit({ type: 'progress', claim, value: stored }, readStatus, pieces);
  }

  /** Records parts of what an attempt says, from the `at`th on. Rejects with `STREAM_FULL` where it is too much. */
  async emit(run: string, claim: HeldFence, at: number, parts: readonly unknown[]): Promise<Verdict['status']> {
    const log = this.logs.get(run);
    for (const part of parts) await this.codec.prepare?.(part);
    const stowed = parts.map((part) => log.stow(this.codec.encode(part)));
    const values = stowed.map(({ stored }) => stored);
    const pieces = stowed.flatMap((one) => one.pieces);
    const status = await log.submit({ type: 'emit', claim, at, values }, readStatus, pieces);
    if (status !== 'stream-full') return status;
    throw new FuselineError(
      'STREAM_FULL',
      `a step of run ${run} has emitted ${STREAM.parts} parts, or ${STREAM.length} characters; hand back what is more as its result`,
    );
  }

  async release(run: string, claims: readonly HeldFence[]): Promise<void> {
    await this.logs.get(run).submit({ type: 'release', claims }, readStatus);
  }

  /** Takes a claim away from a worker that let its timeout pass. */
  async expire(run: string, claim: HeldFence): Promise<void> {
    await this.logs.get(run).submit({ type: 'expire', claim }, readStatus);
  }

  /** Does what is to be done between a run and another, if nobody has done it yet. */
  async runErrand(key: Key): Promise<void> {
    await this.#errands.do(key);
  }

  /** What is to be done between a run and others, as far as this process knows it. */
  async errands(run: string): Promise<readonly Key[]> {
    return this.#errands.open(run);
  }

  /** The run, those its steps wait for or have abandoned, and so on down, as far as this process knows them. */
  async family(run: string): Promise<readonly string[]> {
    const family = new Set([run]);
    for (const one of family) {
      const children = await this.recall(one, childrenIn).catch((error) => {
        // One that a newer version has gone on with is left to it.
        if (one === run || !isAbout(error, 'PROTOCOL_TOO_NEW')) throw error;
      });
      // Not made yet, or not there any more.
      if (!children && one !== run) family.delete(one);
      for (const child of children ?? []) family.add(child);
    }
    return [...family];
  }

  /** Does what is due in a run. */
  async tick(run: string): Promise<void> {
    await this.logs.get(run).submit({ type: 'tick' }, readStatus);
  }

  /** Hands out again what a dead worker held. */
  async reap(worker: string, silent?: Worker['version']): Promise<'reaped' | 'nothing'> {
    const claimsIn = async (run: string) =>
      (await this.logs
        .get(run)
        .look((state) => state.running().filter((step) => state.worker[step] === worker).length)) ?? 0;
    const lose = async (run: string, company: number) => {
      await this.logs
        .get(run)
        .submit({ type: 'lose', worker, company }, readStatus)
        .catch((error) => {
          // Removed, or left to workers of a newer version: the others are handed out all the same.
          if (!isAbout(error, 'UNKNOWN_RUN', 'PROTOCOL_TOO_NEW')) throw error;
        });
    };
    return this.sessions.reap(worker, claimsIn, lose, silent);
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
    const position = await this.position(run, step);
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
    if (!isName(name)) {
      throw new FuselineError(
        'INVALID_INPUT',
        `a signal cannot be called ${JSON.stringify(name)}; give it 1 to 256 characters`,
      );
    }
    const log = this.logs.get(run);
    const reading = this.codec.prepare?.(payload);
    if (reading) await reading;
    const { stored, pieces } = log.stow(this.codec.encode(payload));
    await log.submit({ type: 'signal', id, name, payload: stored }, readStatus, pieces);
  }

  /** Deletes a run that has ended, with everything it recorded. */
  async remove(run: string): Promise<void> {
    await this.#retention.remove(run, (errand) => this.#errands.do(errand));
    this.logs.forget(run);
  }

  /** Removes what is no longer to be kept, a bounded amount of it. */
  async sweep(): Promise<number> {
    return this.#retention.sweep();
  }

  /** Makes a worker known, and keeps the graphs it brings, so that others can tell what it can run. */
  async register(worker: string, { definitions, ...session }: NewWorker): Promise<void> {
    const graphs = definitions.map(({ compiled }) => compiled);
    const missing = graphs.filter(({ hash }) => !this.logs.graphs.has(hash));
    const rows = await this.store.read(missing.map(({ hash }) => keys.graph(hash)));
    const unknown = missing
      .filter((_, i) => !rows[i])
      .map(({ hash, text }) => ({ key: keys.graph(hash), value: text }));
    const workflows = definitions.map((definition) => {
      const { graph, hash } = definition.compiled;
      const without = stepsWithoutHandler(definition);
      return {
        name: graph.name,
        ...(graph.version !== undefined && { version: graph.version }),
        graph: hash,
        ...(without.length > 0 && { without }),
      };
    });
    await this.sessions.register(worker, { ...session, workflows }, unknown);
    for (const graph of missing) this.logs.graphs.set(graph.hash, graph);
  }

  /** The worker ends by itself. */
  async leave(worker: string): Promise<void> {
    await this.sessions.unregister(worker);
  }

  /** Who keeps watch for a worker; absent where the workers of a store do so for each other. */
  keepWatch?(employer: Employer): Watch;

  /** Keys of the ready rows for one queue and workflow, most urgent first, then who waits longest. */
  async readyRows(
    queue: string,
    workflow: string,
    after: string | undefined,
    limit: number,
  ): Promise<readonly string[]> {
    const range = under(`${keys.readyFor(queue, workflow).slice(0, -1)}/`, { limit });
    const rows = await this.store.scan(after === undefined ? range : { ...range, from: `${after}!` });
    return rows.map(({ key }) => key);
  }

  /** Whether looks for work, since a moment of the monotonic clock, may have missed some; absent where they find all there is. */
  mayHideWork?(since: number): Promise<boolean>;

  /** The first timers, due or not. */
  async timerRows(limit: number): Promise<readonly string[]> {
    return (await this.store.scan(under('timer/', { limit }))).map(({ key }) => key);
  }

  /** Hears every entry of a run, here and elsewhere, while it is listened to. */
  listen(run: string, listener: (state: RunState, entry: JournalEntry) => void): () => void {
    return this.logs.listen(run, listener);
  }

  /** Hears that rows changed, entries that this process appended among them: for those it tells what happens here. */
  onEntry(listener: (hint: Hint) => void): () => void {
    return this.logs.onEntry(listener);
  }

  /** The graph that a hash names, if it is known here. */
  async graph(hash: string): Promise<CompiledGraph | undefined> {
    await this.logs.readGraphs([hash]);
    return this.logs.graphs.get(hash);
  }

  /** The rows as they are, to be read and nothing else. */
  get rows(): Pick<Store, 'read' | 'scan'> {
    return this.store;
  }

  /** Hears that rows changed, through this storage or elsewhere. */
  onHint(listener: (hint: Hint) => void): () => void {
    return this.logs.onHint(listener);
  }

  async #command(run: string, command: Parameters<RunLog['submit']>[0]): Promise<void> {
    const status = await this.logs.get(checkId(run)).submit(command, readStatus);
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
        throw new FuselineError(
          'NOTHING_FAILED',
          `run ${run} has no failed or cancelled step to retry; enqueue one that has ended to run it again`,
        );
    }
  }
}

export interface CommandOptions {
  /** Makes a repeat of the command harmless. */
  readonly id?: string;
}

/** The runs that steps of this one wait for, or have waited for in vain. */
function childrenIn(state: RunState): readonly string[] {
  const children: string[] = [];
  for (const [step, { child }] of state.children) if (state.status[step] === WAITING) children.push(child);
  // Until they have ended, what they wait for has to be cancelled as well.
  children.push(...state.abandoned.keys());
  return children;
}

const NOTHING = { stored: undefined, pieces: [] } as const;
const never: Serves = () => false;
const readStatus = (_: RunState, verdict: Verdict): Verdict['status'] => verdict.status;

function checkTerms(priority: number | undefined, startAt: number | undefined, labels: NewRun['labels']): void {
  const refuse = (what: string): never => {
    throw new FuselineError('INVALID_INPUT', what);
  };
  if (priority !== undefined && !(Number.isInteger(priority) && Math.abs(priority) <= MAX_PRIORITY / 2)) {
    refuse(`priority is ${priority}; use a whole number within ±${MAX_PRIORITY / 2}`);
  }
  if (startAt !== undefined && !Number.isFinite(startAt))
    refuse(`startAt is ${startAt}; use a Date or epoch milliseconds`);
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (typeof value !== 'string')
      refuse(`label ${JSON.stringify(name)} is ${JSON.stringify(value)}; labels are strings`);
  }
}

function isAbout(error: unknown, ...codes: readonly FuselineError['code'][]): boolean {
  return error instanceof FuselineError && codes.includes(error.code);
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
