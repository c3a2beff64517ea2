import type { Claim, Granted } from './claims.ts';
import { Attempt } from './context.ts';
import type { ClaimRequest, Outcome } from './decide.ts';
import { canRun, type Definition, type Handler } from './definition.ts';
import { FuselineError, recordError } from './errors.ts';
import { type Execution, execute, failure } from './execution.ts';
import type { Stranded } from './explain.ts';
import { DEFAULT_QUEUE } from './graph.ts';
import type { Host } from './host.ts';
import { parseReady, parseTimer } from './keys.ts';
import { claimKey, type RunState } from './run-state.ts';
import { END } from './step-lists.ts';
import type { NewRun, RuntimeStorage } from './storage.ts';
import { Watchman } from './watchman.ts';

export interface EngineOptions {
  /** Attempts at once; 64 unless told. */
  readonly concurrency?: number;
  /** The queues this worker serves; all that its workflows name unless told. */
  readonly queues?: readonly string[];
  /** How the worker is called where people look; its id unless told. */
  readonly name?: string;
}

export interface EngineEvents {
  readonly started: { readonly run: string; readonly step: string; readonly attempt: number };
  readonly finished: { readonly run: string; readonly step: string; readonly attempt: number; readonly outcome: Outcome['status']; readonly ms: number; readonly error?: Error };
  /** A result came too late: the claim had been taken back. */
  readonly stale: { readonly run: string; readonly step: string; readonly attempt: number };
  /** An attempt without a timeout has held its claim for five minutes. */
  readonly slow: { readonly run: string; readonly step: string; readonly attempt: number; readonly ms: number };
  readonly stranded: Stranded;
  /** Another worker was found dead, and its claims were handed out again. */
  readonly 'worker-lost': { readonly worker: string };
  /** Others had given this worker up; it goes on under a new id. */
  readonly disowned: { readonly worker: string };
  readonly log: { readonly run: string; readonly step: string; readonly message: string; readonly details: unknown };
  /** Something went wrong that the engine goes on after. */
  readonly error: { readonly error: unknown };
}

export interface WorkReport {
  /** Attempts this worker ran. */
  readonly attempts: number;
  /** Ready steps that no live worker can handle. */
  readonly stranded: readonly Stranded[];
}

export const DEFAULT_CONCURRENCY = 64;

/** Somebody who waits looks again after this long even if no hint came. */
const LOOK_MS = 1000;
/** How long a worker may stay with one run while older or more urgent work of others waits. */
const TURN_MS = 1000;
const SLOW_MS = 300_000;
/** Bodies taken from the worker have this long to stop before `work` returns without them. */
const STOP_MS = 5_000;
const YIELD_MS = 50;
const SWEEP_MS = 60_000;
const SCAN = 64;

type Scope = { readonly kind: 'all' } | { readonly kind: 'ever' } | { readonly kind: 'run'; readonly run: string };

/** A worker: claims ready steps, runs them, records how they ended together with what follows, and goes on. */
export class ProcessEngine {
  readonly #definitions: readonly Definition[];
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #options: EngineOptions;
  readonly #concurrency: number;
  readonly #queues: readonly string[];
  readonly #served = new Map<string, readonly (Handler | undefined)[]>();
  readonly #listeners = new Map<string, Set<(event: never) => void>>();
  readonly #active = new Map<string, Attempt>();
  /** Bodies whose claims were taken back, until they stop. */
  readonly #stopping = new Set<Attempt>();
  /** The runs this worker holds claims in, with the `claimKey`s of those, or asks for some. */
  readonly #runs = new Map<string, { readonly held: Set<string>; readonly unlisten: () => void }>();
  readonly #unserved = new Set<string>();
  readonly #leftAlone = new Set<string>();
  #worker: string | undefined;
  #registering: Promise<string> | undefined;
  #scope: Scope | undefined;
  #stopped: 'no' | 'drain' | 'now' = 'no';
  #loop: Promise<WorkReport> | undefined;
  /** Room promised to requests whose answers are under way, and how many of them there are. */
  #asked = 0;
  #requests = 0;
  /** Claims begun since one of those requests was made: its answer may hand one of them out again. */
  readonly #begun = new Set<string>();
  #attempts = 0;
  #scannedAt = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #breathedAt = 0;
  /** Claims nothing until the attempts under way are done, because a step must be claimed alone. */
  #quiet = false;
  /** The last look left claimable steps behind for want of room. */
  #backlog = false;
  #signalled = false;
  #wake: (() => void) | undefined;
  #fatal: unknown;

  constructor(workflows: Definition | readonly Definition[], storage: RuntimeStorage, options: EngineOptions = {}) {
    const { concurrency = DEFAULT_CONCURRENCY, queues } = options;
    if (!(Number.isInteger(concurrency) && concurrency > 0) && concurrency !== Number.POSITIVE_INFINITY) {
      throw new TypeError(`concurrency is ${concurrency}; it must be a whole number of attempts, 1 or more`);
    }
    this.#definitions = [workflows].flat() as readonly Definition[];
    if (this.#definitions.length === 0) throw new TypeError('an engine needs at least one workflow');
    this.#storage = storage;
    this.#host = storage.host;
    this.#options = options;
    this.#concurrency = concurrency;
    this.#queues = queues ?? [...new Set([DEFAULT_QUEUE, ...this.#definitions.flatMap(({ graph }) => graph.lines.map(({ queue }) => queue))])];
  }

  /** Works until `run` has ended, or, without one, until nothing can be claimed now. */
  async work(run?: string): Promise<WorkReport> {
    return this.#begin(run === undefined ? { kind: 'all' } : { kind: 'run', run });
  }

  /** Creates a run, claims its first steps in the same commit, and works until it has ended. */
  async execute(run: NewRun): Promise<{ readonly id: string; readonly report: WorkReport }> {
    const id = run.id ?? this.#host.id();
    const report = await this.#begin({ kind: 'run', run: id }, async () => {
      await this.#register();
      await this.#ask(this.#request(this.#concurrency, id), (next) => this.#storage.createRun({ ...run, id, next }));
    });
    return { id, report };
  }

  /** Works until it is stopped. */
  async start(): Promise<void> {
    const loop = this.#begin({ kind: 'ever' }, async () => void (await this.#register()));
    loop.catch((error) => this.#emit('error', { error }));
    await this.#registering;
  }

  /** `drain`: attempts under way may finish. Otherwise they are aborted, and their claims given back. */
  async stop({ drain = true }: { readonly drain?: boolean } = {}): Promise<void> {
    this.#stopped = drain ? 'drain' : 'now';
    if (!drain) {
      const held = [...this.#active.values()];
      for (const attempt of held) this.#takeBack(attempt, new FuselineError('CLAIM_LOST', 'the worker was stopped'));
      await this.#release(held);
    }
    this.#signal();
    await this.#loop?.catch(() => undefined);
  }

  on<E extends keyof EngineEvents>(event: E, listener: (event: EngineEvents[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  // ---- the loop

  #begin(scope: Scope, first: () => Promise<void> = async () => undefined): Promise<WorkReport> {
    if (this.#loop) throw new TypeError('this engine is working already; make another one to work on something else beside it');
    this.#scope = scope;
    this.#stopped = 'no';
    this.#fatal = undefined;
    this.#attempts = 0;
    this.#loop = this.#run(scope, first).finally(() => {
      this.#loop = undefined;
      this.#scope = undefined;
    });
    return this.#loop;
  }

  async #run(scope: Scope, first: () => Promise<void>): Promise<WorkReport> {
    const unhint = this.#storage.onHint(({ keys }) => {
      if (!keys || keys.some(isOfInterest)) this.#signal();
    });
    const stopBreathing = this.#breathe();
    try {
      await first();
      const stranded = await this.#pump(scope);
      await this.#settle();
      if (this.#fatal !== undefined) throw this.#fatal;
      return { attempts: this.#attempts, stranded };
    } finally {
      stopBreathing();
      unhint();
      for (const { unlisten } of this.#runs.values()) unlisten();
      this.#runs.clear();
      this.#storage.sessions.unwatch();
      await this.#unregister();
    }
  }

  async #pump(scope: Scope): Promise<readonly Stranded[]> {
    let watchman: Watchman | undefined;
    let lookedAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      if (this.#fatal !== undefined) return [];
      if (this.#stopped !== 'no' && this.#isIdle()) return [];
      const claimed = this.#stopped === 'no' && (await this.#fill(scope));
      if (this.#stopped === 'no' && !claimed && this.#isIdle()) {
        const done = await this.#isDone(scope);
        if (done) return done;
      }
      const now = this.#host.monotonic();
      if (now - lookedAt >= LOOK_MS || (watchman && this.#worker === undefined)) {
        lookedAt = now;
        watchman = this.#watchman(watchman);
        await watchman.look(this.#active.size > 0);
        this.#pointOutSlow();
        await this.#sweep();
      }
      await this.#rest();
    }
  }

  #isIdle(): boolean {
    return this.#active.size === 0 && this.#asked === 0;
  }

  /** Whether there is nothing more to wait for; then, what is left stranded. */
  async #isDone(scope: Scope): Promise<readonly Stranded[] | undefined> {
    if (scope.kind === 'ever') return undefined;
    if (scope.kind === 'all') {
      if (await this.#anythingClaimable()) return undefined;
      return this.#strandedAnywhere();
    }
    const found = await this.#storage.peek(scope.run, (state) => ({
      ended: state.ended,
      moves: state.firstRunning() !== END || state.firstDelayed() !== END || state.paused || state.stopping.size > 0,
    }));
    if (!found) throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(scope.run)}`);
    if (found.ended) return [];
    if (found.moves) return undefined;
    const stranded = await this.#storage.stranded(scope.run);
    if (stranded.length === 0) return undefined;
    for (const one of stranded) this.#emit('stranded', one);
    return stranded;
  }

  async #rest(): Promise<void> {
    if (this.#signalled) {
      this.#signalled = false;
      return;
    }
    const [timer] = await this.#storage.timerRows(1);
    const due = timer === undefined ? LOOK_MS : Math.max(0, parseTimer(timer).dueAt - this.#host.now());
    await new Promise<void>((resolve) => {
      if (this.#signalled) return resolve();
      const cancel = this.#host.after(Math.min(due, LOOK_MS), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
    this.#signalled = false;
  }

  #signal(): void {
    this.#signalled = true;
    this.#wake?.();
  }

  // ---- claiming

  /** Claims as much as there is room for. Answers whether anything was claimed. */
  async #fill(scope: Scope): Promise<boolean> {
    if (this.#quiet && this.#active.size > 0) return false;
    this.#quiet = false;
    let claimed = false;
    for (;;) {
      const room = this.#room();
      this.#backlog = room <= 0;
      if (this.#backlog) return claimed;
      const runs = scope.kind === 'run' ? [scope.run] : await this.#candidates(Math.min(room, SCAN));
      if (runs.length === 0) return claimed;
      // The first pass gives each run its share; what they leave over is for those with more.
      const share = Math.max(1, Math.floor(room / runs.length));
      const granted = await Promise.all(runs.map((run, i) => this.#claim(run, i < room ? share : 0)));
      const total = granted.reduce((sum, count) => sum + count, 0);
      claimed ||= total > 0;
      if (total === 0 || scope.kind === 'run') return claimed;
    }
  }

  async #claim(run: string, limit: number): Promise<number> {
    if (limit === 0) return 0;
    await this.#register();
    try {
      const { rest, claims } = await this.#ask(this.#request(limit, run), (next) => this.#storage.claim(run, next));
      if (rest === 'later') this.#quiet = true;
      return claims.length;
    } catch (error) {
      if (!isAbout(error, 'UNKNOWN_RUN') && !isAbout(error, 'PROTOCOL_TOO_NEW')) throw error;
      if (!this.#leftAlone.has(run)) this.#emit('error', { error });
      this.#leftAlone.add(run);
      return 0;
    }
  }

  /** Asks for claims and begins what is granted. */
  async #ask<G extends Granted>(next: ClaimRequest, ask: (next: ClaimRequest) => Promise<G>): Promise<G> {
    this.#asked += next.limit;
    this.#requests++;
    let granted: G | undefined;
    try {
      granted = await ask(next);
      return granted;
    } finally {
      this.#asked -= next.limit;
      this.#requests--;
      if (granted) this.#take(granted);
      if (this.#requests === 0) this.#forgetRequests();
    }
  }

  #request(limit: number, run: string): ClaimRequest {
    // The live set: what is begun before the request is decided on is not handed out again by it.
    const { held } = this.#follow(run);
    return { worker: this.#worker as string, limit, busy: this.#active.size + this.#asked, held, serves: this.#serves };
  }

  #take({ claims }: Granted): void {
    for (const claim of claims) {
      const id = attemptId(claim);
      if (this.#begun.has(id) || this.#active.has(id)) continue;
      this.#begun.add(id);
      const attempt = new Attempt(claim, this.#storage, this.#log);
      this.#attempts++;
      this.#hold(id, attempt);
      void this.#attempt(attempt);
    }
  }

  #room(): number {
    if (this.#stopped !== 'no' || this.#quiet) return 0;
    for (const { claim } of this.#active.values()) {
      if (claim.company === 'none') return 0;
      break;
    }
    return this.#concurrency - this.#active.size - this.#asked;
  }

  /** The runs to claim from next: what is due first, then the most urgent, of those who waits longest. */
  async #candidates(limit: number): Promise<string[]> {
    this.#scannedAt = this.#host.monotonic();
    const runs = new Set<string>();
    const now = this.#host.now();
    for (const key of await this.#storage.timerRows(SCAN)) {
      const { dueAt, run } = parseTimer(key);
      if (dueAt > now) break;
      if (!this.#leftAlone.has(run)) runs.add(run);
    }
    const rows = await this.#readyRows(limit);
    const first = rows[0]?.priority;
    for (const { run, priority } of rows) if (priority === first) runs.add(run);
    return [...runs].slice(0, limit);
  }

  async #readyRows(limit: number): Promise<ReturnType<typeof parseReady>[]> {
    const workflows = [...new Set(this.#definitions.map(({ name }) => name))];
    const scans = await Promise.all(workflows.flatMap((workflow) => this.#queues.map((queue) => this.#readyLine(queue, workflow, limit))));
    return scans.flat().sort((a, b) => b.priority - a.priority || a.readyAt - b.readyAt);
  }

  /** Rows this worker has learnt it can do nothing with are passed by; a row that changes has another key. */
  async #readyLine(queue: string, workflow: string, limit: number): Promise<ReturnType<typeof parseReady>[]> {
    const found: ReturnType<typeof parseReady>[] = [];
    for (let after: string | undefined; found.length < limit; ) {
      const keys = await this.#storage.readyRows(queue, workflow, after, SCAN);
      for (const key of keys) {
        const row = parseReady(key);
        if (this.#unserved.has(key) || this.#leftAlone.has(row.run)) continue;
        const served = await this.#storage.peek(row.run, (state) => [...state.graph.lines.keys()].some((line) => this.#servesSome(state, line)));
        if (served) found.push(row);
        else this.#unserved.add(key);
        if (found.length >= limit) break;
      }
      if (keys.length < SCAN) break;
      after = keys.at(-1);
    }
    return found;
  }

  #servesSome(state: RunState, line: number): boolean {
    for (const step of state.queued(line)) if (this.#serves(state, step)) return true;
    return false;
  }

  async #anythingClaimable(): Promise<boolean> {
    return (await this.#candidates(1)).length > 0;
  }

  async #strandedAnywhere(): Promise<readonly Stranded[]> {
    const runs = new Set([...this.#unserved].map((key) => parseReady(key).run));
    const stranded: Stranded[] = [];
    for (const run of runs) stranded.push(...(await this.#storage.stranded(run).catch(() => [])));
    for (const one of stranded) this.#emit('stranded', one);
    return stranded;
  }

  readonly #serves = (state: RunState, step: number): boolean => {
    const line = state.graph.lines[state.graph.steps[step]?.line as number];
    return line !== undefined && this.#queues.includes(line.queue) && this.#handlers(state)[step] !== undefined;
  };

  /** The handlers for the steps of a run's graph: those of the same definition if it is here, else by name. */
  #handlers({ created, graph }: Pick<RunState, 'created' | 'graph'>): readonly (Handler | undefined)[] {
    const known = this.#served.get(graph.hash);
    if (known) return known;
    const named = this.#definitions.filter(({ name }) => name === created.workflow);
    const definition = named.find((one) => one.graph.hash === graph.hash) ?? named.find((one) => one.graph.graph.version === created.version) ?? named[0];
    const handlers = graph.steps.map(({ spec }, step) => (definition && canRun(definition, graph, step) ? definition.handlers.get(spec.name) : undefined));
    this.#served.set(graph.hash, handlers);
    return handlers;
  }

  // ---- executing

  async #attempt(attempt: Attempt): Promise<void> {
    const { claim } = attempt;
    const handler = this.#served.get(claim.graph)?.[claim.fence.step] as Handler;
    if (this.#listeners.has('started')) this.#emit('started', { run: claim.run, step: claim.spec.name, attempt: claim.attempt });
    if (this.#host.monotonic() - this.#breathedAt > YIELD_MS) await this.#macrotask();
    const { timeoutMs } = claim.spec;
    const cancelTimeout = timeoutMs === undefined ? undefined : this.#host.after(timeoutMs, () => void this.#timeOut(attempt, timeoutMs));
    const execution = await execute(attempt, handler, this.#storage);
    cancelTimeout?.();
    if (attempt.state === 'open') return this.#report(attempt, execution);
    if (this.#stopping.delete(attempt)) await this.#release([attempt]);
    this.#signal();
  }

  async #timeOut(attempt: Attempt, timeoutMs: number): Promise<void> {
    if (attempt.state !== 'open') return;
    const error = new FuselineError('STEP_TIMEOUT', `step ${JSON.stringify(attempt.step)} did not finish within ${timeoutMs} ms`);
    attempt.abort(error);
    await this.#report(attempt, { outcome: failure(error, {}, this.#host.now()), value: undefined });
  }

  async #report(attempt: Attempt, { outcome, value }: Execution): Promise<void> {
    const { claim } = attempt;
    attempt.state = 'closed';
    const stays = claim.company === 'any' && (await this.#mayStayWith(claim.run));
    this.#active.delete(attemptId(claim));
    let wake = true;
    try {
      const next = stays ? this.#request(Math.min(Math.max(0, this.#room()), claim.dependents + 1), claim.run) : undefined;
      const finish = async (asking: ClaimRequest | undefined) => {
        const finished = await this.#finish(claim, outcome, value, asking);
        this.#emitEnd(attempt, finished.status, outcome);
        return finished;
      };
      if (!next) await finish(undefined);
      else wake = (await this.#ask(next, finish)).claims.length === next.limit ? this.#room() > 0 : this.#backlog;
    } catch (error) {
      if (isAbout(error, 'UNKNOWN_RUN')) this.#emit('stale', { run: claim.run, step: claim.spec.name, attempt: claim.attempt });
      else this.#fatal ??= error;
    }
    this.#drop(attempt);
    // What its run had for it, the worker holds by now; the loop has a say only about the others, or the end.
    if (wake || this.#isIdle()) this.#signal();
  }

  /** Records the end of an attempt; while the storage is full, tries again until there is room. */
  async #finish(claim: Claim, outcome: Outcome, value: unknown, next: ClaimRequest | undefined): Promise<Granted & { readonly status: string }> {
    for (let wait = 100; ; wait = Math.min(wait * 2, 5000)) {
      try {
        return await this.#storage.finish(claim.run, claim.fence, outcome, value, next);
      } catch (error) {
        if (isAbout(error, 'VALUE_NOT_PORTABLE') || isAbout(error, 'VALUE_TOO_LARGE')) {
          // Nothing was written: the attempt failed with a value that cannot be kept.
          if (outcome.status === 'succeeded') return this.#finish(claim, { status: 'failed', error: recordError(error) }, undefined, next);
        }
        if (!isAbout(error, 'STORAGE_FULL') || this.#stopped === 'now') throw error;
        this.#emit('error', { error });
        await new Promise<void>((resolve) => void this.#host.after(wait, resolve));
      }
    }
  }

  /** A worker stays with its run, which saves a commit per step, unless others have waited for their turn. */
  async #mayStayWith(run: string): Promise<boolean> {
    if (this.#stopped !== 'no' || this.#quiet) return false;
    if (this.#scope?.kind === 'run' || this.#host.monotonic() - this.#scannedAt < TURN_MS) return true;
    return (await this.#candidates(2)).every((other) => other === run);
  }

  #emitEnd({ claim, startedAt }: Attempt, status: string, outcome: Outcome): void {
    const who = { run: claim.run, step: claim.spec.name, attempt: claim.attempt };
    if (status === 'stale') return this.#emit('stale', who);
    if (!this.#listeners.has('finished')) return;
    const ms = this.#host.monotonic() - startedAt;
    const error = outcome.status === 'failed' ? Object.assign(new Error(outcome.error.message), { name: outcome.error.name }) : undefined;
    this.#emit('finished', { ...who, outcome: outcome.status, ms, ...(error && { error }) });
  }

  // ---- claims that are taken back

  #follow(run: string): { readonly held: Set<string>; readonly unlisten: () => void } {
    const known = this.#runs.get(run) ?? { held: new Set(), unlisten: this.#storage.listen(run, (state) => this.#checkClaims(run, state)) };
    this.#runs.set(run, known);
    return known;
  }

  #hold(id: string, attempt: Attempt): void {
    this.#active.set(id, attempt);
    this.#follow(attempt.claim.run).held.add(claimKey(attempt.claim.fence));
  }

  #drop({ claim }: Attempt): void {
    this.#active.delete(attemptId(claim));
    const known = this.#runs.get(claim.run);
    known?.held.delete(claimKey(claim.fence));
    if (this.#requests === 0) this.#forgetRequests();
  }

  /** No answer is under way that could name a claim again. */
  #forgetRequests(): void {
    this.#begun.clear();
    for (const [run, { held, unlisten }] of this.#runs) {
      if (held.size > 0) continue;
      unlisten();
      this.#runs.delete(run);
    }
  }

  #checkClaims(run: string, state: RunState): void {
    for (const attempt of this.#active.values()) {
      if (attempt.claim.run !== run || attempt.state !== 'open' || state.judge(attempt.claim.fence) === 'held') continue;
      this.#takeBack(attempt, state.cancelled ? new FuselineError('RUN_CANCELLED', 'the run was cancelled') : new FuselineError('CLAIM_LOST', 'the step was taken from this worker'));
    }
  }

  #takeBack(attempt: Attempt, reason: FuselineError): void {
    attempt.abort(reason);
    this.#drop(attempt);
    this.#stopping.add(attempt);
    this.#signal();
  }

  async #release(attempts: readonly Attempt[]): Promise<void> {
    for (const { claim } of attempts) {
      await this.#storage.release(claim.run, [claim.fence]).catch((error) => this.#emit('error', { error }));
    }
  }

  /** Waits a little for bodies that were told to stop. */
  async #settle(): Promise<void> {
    const until = this.#host.monotonic() + STOP_MS;
    while (this.#stopping.size > 0 && this.#host.monotonic() < until) {
      this.#signalled = false;
      await new Promise<void>((resolve) => {
        const cancel = this.#host.after(STOP_MS, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  // ---- being a worker among others

  #register(): Promise<string> {
    this.#registering ??= this.#join();
    return this.#registering;
  }

  async #join(): Promise<string> {
    const worker = this.#host.id();
    const graphs = this.#definitions.map(({ graph }) => graph);
    await this.#storage.register(worker, { name: this.#options.name ?? worker, graphs, queues: this.#queues });
    this.#worker = worker;
    return worker;
  }

  async #unregister(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#registering = undefined;
    if (worker !== undefined) await this.#storage.sessions.unregister(worker).catch((error) => this.#emit('error', { error }));
  }

  #watchman(known: Watchman | undefined): Watchman {
    if (known && this.#worker !== undefined) return known;
    return new Watchman(this.#storage, this.#worker ?? '', {
      lost: (worker) => {
        this.#emit('worker-lost', { worker });
        this.#signal();
      },
      gone: () => this.#disowned(),
      error: (error) => this.#emit('error', { error }),
    });
  }

  /** Others have handed out what this worker held: it stops all of it and goes on as a new one. */
  #disowned(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    this.#registering = undefined;
    for (const attempt of [...this.#active.values()]) this.#takeBack(attempt, new FuselineError('CLAIM_LOST', 'the worker was taken for dead'));
    this.#emit('disowned', { worker });
  }

  #pointOutSlow(): void {
    const now = this.#host.monotonic();
    for (const { claim, startedAt } of this.#active.values()) {
      const ms = now - startedAt;
      if (claim.spec.timeoutMs === undefined && ms >= SLOW_MS && ms < SLOW_MS + LOOK_MS * 2) {
        this.#emit('slow', { run: claim.run, step: claim.spec.name, attempt: claim.attempt, ms });
      }
    }
  }

  async #sweep(): Promise<void> {
    const now = this.#host.monotonic();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    await this.#storage.sweep().catch((error) => this.#emit('error', { error }));
  }

  /** Notes that the event loop turns; a chain of steps that never wait would let nothing else in. */
  #breathe(): () => void {
    let cancel = (): void => undefined;
    const breathe = () => {
      this.#breathedAt = this.#host.monotonic();
      cancel = this.#host.after(YIELD_MS / 2, breathe);
    };
    breathe();
    return () => cancel();
  }

  async #macrotask(): Promise<void> {
    await new Promise<void>((resolve) => void this.#host.after(0, resolve));
    this.#breathedAt = this.#host.monotonic();
  }

  readonly #log = ({ run, spec }: Claim, message: string, details: unknown): void => {
    this.#emit('log', { run, step: spec.name, message, details });
  };

  #emit<E extends keyof EngineEvents>(event: E, value: EngineEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}

/** Rows that may mean work, an end, or the death of a worker. */
function isOfInterest(key: string): boolean {
  return key.startsWith('ready/') || key.startsWith('timer/') || key.startsWith('head/') || key.startsWith('session/');
}

function attemptId({ run, fence }: Claim): string {
  return `${run}/${claimKey(fence)}`;
}

function isAbout(error: unknown, code: FuselineError['code']): boolean {
  return error instanceof FuselineError && error.code === code;
}
