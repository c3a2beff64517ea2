import { Attempt } from './attempt.ts';
import { BodyTurns } from './body-turns.ts';
import type { Claim, Granted } from './claims.ts';
import type { ClaimRequest, Outcome } from './decide.ts';
import { type Definition, type Handler, withCalled } from './definition.ts';
import type { Employer, Watch } from './employer.ts';
import { Emitter, type EngineEvents } from './engine-events.ts';
import { type ErrorCode, FuselineError, rebuildError, recordError } from './errors.ts';
import { type Execution, execute, failure } from './execution.ts';
import type { Stranded } from './explain.ts';
import { Family } from './family.ts';
import { Holdings } from './holdings.ts';
import type { Host } from './host.ts';
import { workerId } from './ids.ts';
import { Membership } from './membership.ts';
import { judgeOffline } from './network.ts';
import type { RunState } from './run-state.ts';
import type { NewRun, RuntimeStorage } from './storage.ts';
import { Stranding } from './stranding.ts';
import { Watchman } from './watchman.ts';
import { type Candidate, WorkFinder } from './work-finder.ts';

export interface EngineOptions {
  /** Attempts at once; 64 unless told. */
  readonly concurrency?: number;
  /** The queues this worker serves; all that its workflows name unless told. */
  readonly queues?: readonly string[];
  /** How the worker is called where people look: its session has it, and its id begins with it. Its id unless told. */
  readonly name?: string;
  /**
   * Whether `work()` ends with a look for steps that no live worker can handle, which reads runs: `reported` unless told.
   */
  readonly stranded?: 'reported' | 'ignored';
}

export interface WorkReport {
  /** Attempts this worker ran. */
  readonly attempts: number;
  /** Ready steps that no live worker can handle. */
  readonly stranded: readonly Stranded[];
}

export const DEFAULT_CONCURRENCY = 64;

/** How long a worker may stay with one run while older or more urgent work of others waits. */
const TURN_MS = 1000;
const SLOW_MS = 300_000;
/** How often it is looked whether everything has come to its end. */
const GIVE_BACK_MS = 1000;
/** Bodies taken from the worker have this long to stop before it returns without them. */
const STOP_MS = 5_000;
const SWEEP_MS = 60_000;
const INSIST_TRIES = 3;
const MOST_RUNS = 64;
const FULL_RETRY_MS = { first: 100, most: 5000 } as const;

/** Rows that may mean work, an end, or the death of a worker. */
const MAY_MATTER = /^(ready|timer|head|session)\//;

type Scope = { readonly kind: 'all' } | { readonly kind: 'ever' } | { readonly kind: 'run'; readonly family: Family };

/** A worker: claims ready steps, runs them, records how they ended together with what follows, and goes on. */
export class ProcessEngine {
  readonly #definitions: readonly Definition[];
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #concurrency: number;
  readonly #finder: WorkFinder;
  readonly #turns: BodyTurns;
  readonly #holdings: Holdings;
  readonly #watchman: Watch;
  readonly #events = new Emitter();
  /** Bodies whose claims were taken back, until they stop, and since when. */
  readonly #stopping = new Map<Attempt, number>();
  readonly #membership: Membership;
  readonly #stranding: Stranding;
  readonly #stranded: EngineOptions['stranded'];
  #scope: Scope = { kind: 'ever' };
  #loop: Promise<WorkReport> | undefined;
  #stopped: 'no' | 'drain' | 'now' = 'no';
  #fatal: { readonly error: unknown } | undefined;
  #attempts = 0;
  /** The run of a step that must be claimed alone: nothing else is claimed until the attempts under way are done. */
  #quietFor: string | undefined;
  /** The last look left claimable steps behind for want of room. */
  #backlog = false;
  #scannedAt = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #signalled = false;
  #wake: (() => void) | undefined;

  constructor(workflows: Definition | readonly Definition[], storage: RuntimeStorage, options: EngineOptions = {}) {
    const { concurrency = DEFAULT_CONCURRENCY, queues } = options;
    if (!(Number.isInteger(concurrency) && concurrency > 0) && concurrency !== Number.POSITIVE_INFINITY) {
      throw new TypeError(`concurrency is ${concurrency}; it must be a whole number of attempts, 1 or more`);
    }
    this.#definitions = withCalled([workflows].flat() as readonly Definition[]);
    if (this.#definitions.length === 0) throw new TypeError('an engine needs at least one workflow');
    this.#storage = storage;
    this.#host = storage.host;
    // A number, because room is reckoned with.
    this.#concurrency = Math.min(concurrency, Number.MAX_SAFE_INTEGER);
    this.#finder = new WorkFinder(this.#definitions, storage, queues);
    this.#turns = new BodyTurns(storage.host);
    this.#holdings = new Holdings((run) => storage.listen(run, (state) => this.#checkClaims(run, state)));
    this.#membership = new Membership(
      () => workerId(options.name, this.#host.id()),
      (worker) =>
        storage.register(worker, {
          name: options.name ?? worker,
          definitions: this.#definitions,
          queues: this.#finder.queues,
        }),
    );
    this.#stranded = options.stranded;
    this.#stranding = new Stranding(storage, (stranded) => this.#events.emit('stranded', stranded));
    const employer: Employer = {
      // What is being recorded or asked for may stand as held in the journal.
      self: () => ({ id: this.#membership.id, holds: !this.#holdings.isIdle || this.#stopping.size > 0 }),
      lost: (worker) => {
        this.#events.emit('worker-lost', { worker });
        this.#signal();
      },
      disowned: () => this.#disowned(),
      error: (error) => this.#events.emit('error', { error }),
    };
    this.#watchman = storage.keepWatch?.(employer) ?? new Watchman(storage, employer);
  }

  /** Works until `run` has ended, or, without one, until nothing can be claimed now. */
  async work(run?: string): Promise<WorkReport> {
    return this.#begin(run === undefined ? { kind: 'all' } : this.#scopeOf(run));
  }

  /** Creates a run, claims its first steps in the same commit, and works until it has ended. */
  async execute(run: NewRun): Promise<{ readonly id: string; readonly report: WorkReport }> {
    const id = run.id ?? this.#host.id();
    let whole = id;
    const report = await this.#begin(this.#scopeOf(id), async () => {
      const worker = await this.#membership.join();
      const created = await this.#ask(this.#request(worker, this.#concurrency, id), (next) =>
        this.#storage.createRun({ ...run, id, next }),
      );
      // Where runs are spread, the whole id says where it is.
      whole = created.id;
      this.#scope = this.#scopeOf(whole);
    });
    return { id: whole, report };
  }

  /** Works until it is stopped. Resolves when this worker is known to the others. */
  async start(): Promise<void> {
    const loop = this.#begin({ kind: 'ever' }, async () => void (await this.#membership.join()));
    loop.catch((error) => {
      // Nobody awaits this loop: an end that nobody listens for must not pass in silence.
      if (!this.#events.has('error')) throw error;
      this.#events.emit('error', { error, fatal: true });
    });
    await this.#membership.joined();
  }

  /** `drain`: attempts under way may finish. Otherwise they are aborted, and their claims given back once they stopped. */
  async stop({ drain = true }: { readonly drain?: boolean } = {}): Promise<void> {
    this.#stopped = drain ? 'drain' : 'now';
    if (!drain) this.#takeBackAll('the worker was stopped');
    this.#signal();
    await this.#loop?.catch(() => undefined);
  }

  on<E extends keyof EngineEvents>(event: E, listener: (event: EngineEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  // The loop.

  #scopeOf(run: string): Scope {
    return { kind: 'run', family: new Family(run, this.#storage) };
  }

  #begin(scope: Scope, first: () => Promise<void> = async () => undefined): Promise<WorkReport> {
    if (this.#loop)
      throw new TypeError('this engine is working already; make another one to work on something else beside it');
    this.#scope = scope;
    this.#stopped = 'no';
    this.#fatal = undefined;
    this.#attempts = 0;
    this.#loop = this.#run(first).finally(() => {
      this.#loop = undefined;
    });
    return this.#loop;
  }

  async #run(first: () => Promise<void>): Promise<WorkReport> {
    const unhint = this.#storage.onHint(({ keys }) => {
      if (this.#scope.kind === 'run') this.#scope.family.hear(keys);
      const mayHave = this.#scope.kind !== 'run' && this.#finder.hear(keys);
      if (mayHave || !keys || keys.some((key) => MAY_MATTER.test(key))) this.#signal();
    });
    const unwatch = this.#storage.network?.watch(() => {
      this.#finder.hear(undefined);
      this.#signal();
    });
    try {
      await first();
      const stranded = await this.#pump();
      if (this.#fatal) throw this.#fatal.error;
      return { attempts: this.#attempts, stranded };
    } catch (error) {
      this.#fatal ??= { error };
      throw error;
    } finally {
      unhint();
      unwatch?.();
      await this.#giveBack();
      this.#holdings.close();
      await this.#watchman.close();
      await this.#leave();
    }
  }

  /** A worker that finds no room for what it wants to say tries again: what its steps made meanwhile waits as well. */
  async #pump(): Promise<readonly Stranded[]> {
    for (;;) {
      try {
        return await this.#pumpOn();
      } catch (error) {
        if (this.#scope.kind !== 'ever' || !isAbout(error, 'STORAGE_FULL')) throw error;
        this.#events.emit('error', { error });
        await this.#wait(this.#storage.lookMs);
      }
    }
  }

  async #pumpOn(): Promise<readonly Stranded[]> {
    let lookedAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      if (this.#fatal || (this.#stopped !== 'no' && this.#holdings.isIdle)) return [];
      const now = this.#host.monotonic();
      if (now - lookedAt >= this.#storage.lookMs) {
        // Before anything is claimed: who slept may have been given up meanwhile.
        lookedAt = now;
        await this.#watchman.look();
        if (this.#scope.kind === 'ever' && this.#stopped === 'no') {
          // A worker that was taken for dead while it had nothing to do is there for the others again.
          await this.#membership.join();
          await this.#stranding.tellNew(await this.#finder.unserved());
        }
        this.#pointOutSlow();
        await this.#sweep();
        await this.#askQuietly();
        // A hint may be lost.
        if (this.#scope.kind === 'run') this.#scope.family.hear(undefined);
      }
      // An attempt that ended while it was looked for more may have left something behind.
      const wasIdle = this.#holdings.isIdle;
      const claimed = this.#stopped === 'no' && (await this.#fill());
      if (this.#stopped === 'no' && !claimed && this.#holdings.isIdle) {
        if (!wasIdle) continue;
        const stranded = await this.#whatIsLeft();
        if (stranded) return stranded;
      }
      await this.#rest(lookedAt + this.#storage.lookMs);
    }
  }

  /** `undefined` while there is something to wait for; at the end, what is left stranded. */
  async #whatIsLeft(): Promise<readonly Stranded[] | undefined> {
    if (this.#scope.kind === 'ever') return undefined;
    // What a dead worker held is claimable as soon as somebody looks.
    await this.#watchman.look();
    if (await this.#watchman.reaped()) return undefined;
    // What comes up meanwhile is not left lying for the sake of a body that does not stop.
    if (this.#scope.kind === 'all' && this.#mayStop()) return undefined;
    if (this.#scope.kind === 'all' && (await this.#storage.mayHideWork?.(this.#scannedAt))) {
      // That was waited for: the next look is due.
      this.#signalled = true;
      return undefined;
    }
    if (this.#scope.kind === 'all') {
      return this.#stranded === 'ignored' ? [] : this.#stranding.tellAll(await this.#finder.unserved());
    }
    const { family } = this.#scope;
    const found = await this.#storage.peek(family.run, ({ ended }) => ({ ended }));
    if (!found) throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(family.run)}`);
    // By that look others may have become known; and what it left to be done is done before it is left.
    if (family.findOthers() || (await family.errands()).some((errand) => !this.#finder.isPutOff(errand))) {
      this.#signalled = true;
      return undefined;
    }
    if (found.ended) return [];
    const stranded = (await family.moves()) ? [] : await this.#stranding.tellAll(await family.members());
    return stranded.length > 0 ? stranded : undefined;
  }

  /** Waits for a hint, for what is due, or for the next look at the others. */
  async #rest(nextLook: number): Promise<void> {
    if (!this.#signalled) {
      const dueIn = ((await this.#nextDue()) ?? Number.POSITIVE_INFINITY) - this.#host.now();
      if (dueIn <= 0 && this.#room() === 0) await this.#tick();
      else if (!this.#signalled) await this.#wait(Math.max(0, Math.min(dueIn, nextLook - this.#host.monotonic())));
    }
    this.#signalled = false;
  }

  async #nextDue(): Promise<number | undefined> {
    // Of what others append a hint tells, and the look to come.
    return this.#scope.kind === 'run' ? this.#scope.family.nextDue() : this.#finder.nextDue();
  }

  /** What is due is done by a worker without room too: a deadline must not wait for the steps it ends. */
  async #tick(): Promise<void> {
    const { kind } = this.#scope;
    const due = kind === 'run' ? (await this.#scope.family.members()).map(alone) : await this.#finder.due();
    for (const { run, errands } of due) {
      const did = await this.#finder.doErrands(errands, this.#failed);
      try {
        await this.#storage.tick(run);
      } catch (error) {
        if (!did) this.#leaveAlone(run, error);
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#host.after(ms, wake);
      this.#wake = wake;
    });
  }

  #signal(): void {
    this.#signalled = true;
    this.#wake?.();
  }

  // Claiming.

  /** Claims as much as there is room for. Answers whether anything was claimed. */
  async #fill(): Promise<boolean> {
    if (this.#quietFor !== undefined && this.#holdings.size > 0) return false;
    this.#quietFor = undefined;
    if (this.#scope.kind === 'run') return this.#fillFrom(this.#scope.family);
    for (let claimed = false; ; ) {
      const room = this.#room();
      this.#backlog = room <= 0;
      if (this.#backlog) return claimed;
      const candidates = await this.#candidates(Math.min(room, MOST_RUNS));
      // A share for each; what they leave over is for those with more.
      const share = Math.max(1, Math.floor(room / Math.max(1, candidates.length)));
      const results = await Promise.all(candidates.map((candidate) => this.#claim(candidate, share)));
      claimed ||= results.includes('claimed');
      if (results.every((result) => result === 'nothing')) return claimed;
    }
  }

  /** What is to be done between its runs needs no room. */
  async #fillFrom(family: Family): Promise<boolean> {
    for (let claimed = false; ; ) {
      const did = await this.#finder.doErrands(await family.errands(), this.#failed);
      // Of what others have done, a worker that holds nothing asks the runs themselves.
      for (const run of this.#holdings.isIdle ? await family.members() : await family.candidates()) {
        const room = this.#room();
        this.#backlog = room <= 0;
        if (this.#backlog) break;
        if ((await this.#claim(alone(run), room)) === 'claimed') claimed = true;
      }
      if (!did) return claimed;
    }
  }

  /** Somebody else may have run the step that must be claimed alone: asks for nothing, to hear what is left. */
  async #askQuietly(): Promise<void> {
    const run = this.#quietFor;
    this.#quietFor = undefined;
    if (run !== undefined && this.#stopped === 'no') await this.#claim(alone(run), 0);
  }

  async #candidates(limit: number): Promise<readonly Candidate[]> {
    this.#scannedAt = this.#host.monotonic();
    return this.#finder.candidates(limit);
  }

  /** `again`: nothing was claimed, and another look may find more. */
  async #claim({ run, rows, errands }: Candidate, limit: number): Promise<'claimed' | 'again' | 'nothing'> {
    const worker = await this.#membership.join();
    const did = await this.#finder.doErrands(errands, this.#failed);
    try {
      const { rest, claims } = await this.#ask(this.#request(worker, limit, run), (next) =>
        this.#storage.claim(run, next),
      );
      if (claims.length > 0) return 'claimed';
      if (rest === 'later') this.#quietFor = run;
      if (rest !== 'unserved' || rows.length === 0) return did ? 'again' : 'nothing';
      this.#finder.passBy(rows);
      return 'again';
    } catch (error) {
      // Of a run that is gone, more errands may be left.
      if (did) return 'again';
      this.#leaveAlone(run, error);
      return 'nothing';
    }
  }

  #leaveAlone(run: string, error: unknown): void {
    if (this.#scope.kind === 'run' && this.#scope.family.run === run) throw error;
    if (this.#finder.leaveAlone(run, error) === 'first') this.#events.emit('error', { error });
  }

  #ask<G extends Granted>(next: ClaimRequest, ask: (next: ClaimRequest) => Promise<G>): Promise<G> {
    const take = (granted: Granted): void => this.#take(granted, next.worker);
    return this.#holdings.asking(next.limit, () => ask(next), take);
  }

  #request(worker: string, limit: number, run: string): ClaimRequest {
    return {
      worker,
      limit,
      busy: this.#holdings.busy,
      held: this.#holdings.in(run),
      serves: this.#finder.serves,
      isWanted: () => this.#membership.id === worker && this.#stopped === 'no' && !this.#fatal,
    };
  }

  #take({ claims }: Granted, worker: string): void {
    for (const claim of claims) {
      // One that was taken from it may be named again until its body has stopped.
      const isStopping = [...this.#stopping.keys()].some((attempt) => attempt.claim.id === claim.id);
      if (isStopping || !this.#holdings.isNew(claim)) continue;
      const attempt = new Attempt(claim, this.#storage, this.#log);
      if (this.#fatal || this.#stopped === 'now' || this.#membership.id !== worker) {
        // Too late to begin, and perhaps one whose body has run.
        this.#awaitStop(attempt);
        void this.#bodyStopped(attempt);
        continue;
      }
      this.#holdings.begin(attempt);
      this.#attempts++;
      void this.#attempt(attempt);
    }
  }

  #room(): number {
    if (this.#stopped !== 'no' || this.#fatal || this.#quietFor !== undefined || this.#holdings.isAlone) return 0;
    return Math.max(0, this.#concurrency - this.#holdings.busy);
  }

  /** A worker stays with its run, which saves a commit per step, unless others have waited for their turn. */
  async #mayStayWith(run: string): Promise<boolean> {
    if (this.#stopped !== 'no' || this.#quietFor !== undefined) return false;
    if (this.#scope.kind === 'run' || this.#host.monotonic() - this.#scannedAt < TURN_MS) return true;
    // Who cannot look stays: what keeps it from looking is told by what it records next.
    return this.#candidates(2).then(
      (found) => found.every((other) => other.run === run),
      () => true,
    );
  }

  // Executing.

  async #attempt(attempt: Attempt): Promise<void> {
    const { claim } = attempt;
    const handler = this.#finder.handler(claim.graph, claim.position);
    if (this.#events.has('started')) this.#events.emit('started', whichOf(claim));
    const { timeoutMs } = claim.spec;
    let timedOut = undefined as Promise<void> | undefined;
    let cancelTimeout = undefined as (() => void) | undefined;
    const begun = () => {
      if (timeoutMs === undefined) return;
      cancelTimeout = this.#host.after(timeoutMs, () => {
        timedOut = this.#timeOut(attempt, handler, timeoutMs);
      });
    };
    const executed = await execute(attempt, handler, this.#storage, this.#turns, begun);
    cancelTimeout?.();
    const execution = claim.spec.requires ? await judgeOffline(executed, claim.spec, this.#storage.network) : executed;
    if (attempt.state === 'open') await this.#report(attempt, execution);
    // Only its answer tells whether somebody waits for the body.
    if (timedOut) await timedOut;
    return this.#bodyStopped(attempt);
  }

  #awaitStop(attempt: Attempt): void {
    if (!this.#stopping.has(attempt)) this.#stopping.set(attempt, this.#host.monotonic());
  }

  /** Whether there is a body that still has time to stop. */
  #mayStop(): boolean {
    const now = this.#host.monotonic();
    return [...this.#stopping.values()].some((since) => now - since < STOP_MS);
  }

  /** The body of a claim that was taken back has come to its end. */
  async #bodyStopped(attempt: Attempt): Promise<void> {
    if (!this.#stopping.has(attempt)) return;
    await this.#release([attempt]);
    this.#stopping.delete(attempt);
    this.#signal();
  }

  async #timeOut(attempt: Attempt, handler: Handler, timeoutMs: number): Promise<void> {
    if (attempt.state !== 'open') return;
    const error = new FuselineError(
      'STEP_TIMEOUT',
      `step ${JSON.stringify(attempt.step)} did not finish within ${timeoutMs} ms`,
    );
    attempt.abort(error);
    const timedOut = { outcome: failure(error, handler, this.#host.now()), value: undefined };
    await this.#report(attempt, await judgeOffline(timedOut, attempt.claim.spec, this.#storage.network));
  }

  async #report(attempt: Attempt, { outcome, value }: Execution): Promise<void> {
    const { claim } = attempt;
    attempt.close();
    const stays = claim.company === 'any' && (await this.#mayStayWith(claim.run));
    this.#holdings.report(attempt);
    const finish = async (next: ClaimRequest | undefined) => {
      const finished = await this.#finish(claim, outcome, value, next);
      // It was taken back while it was reported, and whoever took it waits for the body.
      if (finished.status === 'stale') this.#awaitStop(attempt);
      this.#tellEnd(attempt, finished.status, outcome);
      return finished;
    };
    // Disowned meanwhile, it is nobody who could claim.
    const worker = this.#membership.id;
    // More than its dependents cannot have become ready by its end.
    const next =
      stays && worker !== undefined
        ? this.#request(worker, Math.min(this.#room(), claim.dependents + 1), claim.run)
        : undefined;
    let wake = true;
    try {
      if (!next) await finish(undefined);
      else wake = (await this.#ask(next, finish)).claims.length === next.limit ? this.#room() > 0 : this.#backlog;
    } catch (error) {
      // Gone, or continued by a newer version: not this worker's any more.
      if (isAbout(error, 'UNKNOWN_RUN', 'PROTOCOL_TOO_NEW')) this.#events.emit('stale', whichOf(claim));
      else {
        this.#fatal ??= { error };
        this.#awaitStop(attempt);
      }
    }
    this.#holdings.end(attempt);
    // What its run had for it, the worker holds by now; the loop has a say only about the others, or the end.
    if (wake || this.#holdings.isIdle) this.#signal();
  }

  /** Records the end of an attempt; while the storage is full, tries again until there is room. */
  async #finish(
    claim: Claim,
    outcome: Outcome,
    value: unknown,
    next: ClaimRequest | undefined,
  ): Promise<Granted & { readonly status: string }> {
    for (let wait: number = FULL_RETRY_MS.first; ; wait = Math.min(wait * 2, FULL_RETRY_MS.most)) {
      try {
        return await this.#storage.finish(claim.run, claim.fence, outcome, value, next);
      } catch (error) {
        if (!('error' in outcome) && isAbout(error, 'VALUE_NOT_PORTABLE', 'VALUE_TOO_LARGE')) {
          // Nothing was written: the attempt failed with a value that cannot be kept.
          return this.#finish(claim, { status: 'failed', error: recordError(error) }, undefined, next);
        }
        if (!isAbout(error, 'STORAGE_FULL') || this.#stopped === 'now' || this.#fatal) throw error;
        this.#events.emit('error', { error });
        await new Promise<void>((resolve) => void this.#host.after(wait, resolve));
      }
    }
  }

  #tellEnd({ claim, startedAt }: Attempt, status: string, outcome: Outcome): void {
    if (status === 'stale') return this.#events.emit('stale', whichOf(claim));
    if (!this.#events.has('finished')) return;
    const ms = this.#host.monotonic() - startedAt;
    this.#events.emit('finished', {
      ...whichOf(claim),
      outcome: outcome.status,
      ms,
      ...('error' in outcome && { error: rebuildError(outcome.error) }),
    });
  }

  // Claims that are taken back.

  #checkClaims(run: string, state: RunState): void {
    for (const attempt of this.#holdings.attempts()) {
      const { fence } = attempt.claim;
      // A fold that has not come to the claim yet knows nothing of it: the claim came by another way, and faster.
      if (attempt.claim.run !== run || attempt.state !== 'open' || state.seq < fence.seq) continue;
      if (state.judge(fence) === 'held') continue;
      this.#takeBack(
        attempt,
        state.cancelled
          ? new FuselineError('RUN_CANCELLED', 'the run was cancelled')
          : new FuselineError('CLAIM_LOST', 'the step was taken from this worker'),
      );
    }
  }

  #takeBack(attempt: Attempt, reason: FuselineError): void {
    attempt.abort(reason);
    this.#awaitStop(attempt);
    this.#holdings.end(attempt);
    this.#signal();
  }

  async #release(attempts: readonly Attempt[]): Promise<void> {
    for (const { claim } of attempts) await this.#insist(() => this.#storage.release(claim.run, [claim.fence]));
  }

  #takeBackAll(why: string): void {
    for (const attempt of [...this.#holdings.attempts()]) this.#takeBack(attempt, new FuselineError('CLAIM_LOST', why));
  }

  /** Whatever ended the loop: nothing stays held by a worker that is gone. Bodies have a little time to stop before. */
  async #giveBack(): Promise<void> {
    this.#takeBackAll('the worker has ended');
    // What is being asked or reported may still bring claims: that is waited for as long as it takes.
    while (!this.#holdings.isIdle || this.#mayStop()) await this.#wait(GIVE_BACK_MS);
    await this.#release([...this.#stopping.keys()]);
    this.#stopping.clear();
  }

  // Being a worker among others.

  async #leave(): Promise<void> {
    const worker = this.#membership.end();
    if (worker !== undefined) await this.#insist(() => this.#storage.leave(worker));
  }

  /** Says what others would wait for in vain: more than once, if it could not be recorded. */
  async #insist(say: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await say();
      } catch (error) {
        // A run that was removed, or continued by a newer version: nobody waits for this worker there.
        if (isAbout(error, 'UNKNOWN_RUN', 'PROTOCOL_TOO_NEW')) return;
        if (isAbout(error, 'STORAGE_FAILED') && tries < INSIST_TRIES) continue;
        this.#events.emit('error', { error });
        return;
      }
    }
  }

  /** Others have handed out what this worker held: it stops all of it and goes on as a new one. */
  #disowned(): void {
    const worker = this.#membership.id;
    if (worker === undefined) return;
    this.#membership.end();
    const held = [...this.#holdings.attempts()];
    this.#takeBackAll('the worker was taken for dead');
    this.#events.emit('disowned', { worker });
    // Those it claimed after it had been given up are nobody else's yet.
    void this.#release(held);
  }

  #pointOutSlow(): void {
    const now = this.#host.monotonic();
    for (const attempt of this.#holdings.attempts()) {
      const ms = now - attempt.startedAt;
      if (attempt.claim.spec.timeoutMs !== undefined || ms < SLOW_MS || attempt.slow === 'told') continue;
      attempt.slow = 'told';
      this.#events.emit('slow', { ...whichOf(attempt.claim), ms });
    }
  }

  async #sweep(): Promise<void> {
    const now = this.#host.monotonic();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    await this.#storage.sweep().catch((error) => this.#events.emit('error', { error }));
  }

  readonly #failed = (error: unknown): void => this.#events.emit('error', { error });

  readonly #log = ({ run, spec }: Claim, message: string, details: unknown): void => {
    this.#events.emit('log', { run, step: spec.name, message, details });
  };
}

/** A run of which nothing else is known. */
function alone(run: string): Candidate {
  return { run, rows: [], errands: [] };
}

function whichOf({ run, spec, item, attempt }: Claim): EngineEvents['started'] {
  return { run, step: spec.name, ...(item !== undefined && { item }), attempt };
}

function isAbout(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof FuselineError && codes.includes(error.code);
}
