import { type Readiness, readiness, readinessAfter } from './edges.ts';
import type { ErrorRecord } from './errors.ts';
import {
  type CancelReason,
  type Created,
  type Event,
  type Fence,
  type JournalEntry,
  type Stored,
  type Winners,
  withSteps,
} from './events.ts';
import {
  type CompiledGraph,
  type CompiledStep,
  type GraphStep,
  type Line,
  MAX_DEPTH,
  parseName,
  signalOf,
} from './graph.ts';
import { backoffMs, lossBackoffMs, offlineBackoffMs, RETRY_DEFAULTS } from './retry.ts';
import {
  CANCELLED,
  claimKey,
  DELAYED,
  FAILED,
  type Items,
  NOT_TAKEN,
  PENDING,
  QUEUED,
  RUNNING,
  type RunState,
  SKIPPED,
  SUCCEEDED,
  WAITING,
} from './run-state.ts';
import {
  childTimeoutError,
  depthError,
  itemError,
  loopError,
  noSignalError,
  notSuchError,
  timeoutError,
  workerLostError,
} from './step-errors.ts';
import { END } from './step-lists.ts';

/** A run, as far as it tells who can run its steps. */
export interface Served {
  readonly created: Pick<Created, 'workflow' | 'version' | 'graph'>;
  readonly graph: CompiledGraph;
}

/** Whether a worker has a handler for a step, on a queue it serves. */
export type Serves = (run: Served, step: number) => boolean;

/** What a worker can do next in a run, and what it believes to hold there. */
export interface ClaimRequest {
  readonly worker: string;
  readonly limit: number;
  /** Claims the worker holds, here and in other runs. */
  readonly busy: number;
  /** `claimKey`s of those held here. A claim missing from them had its answer lost, and is handed out again. */
  readonly held: ReadonlySet<string>;
  readonly serves: Serves;
  /** Whether the worker still wants it by the time this is decided on: it may have been given up since, or told to stop. */
  readonly isWanted?: () => boolean;
}

/** A fence as its holder names it: of which run, where another one was made by the same id after the first was removed. */
export interface HeldFence extends Fence {
  readonly incarnation?: string;
}

export type Outcome =
  | { readonly status: 'succeeded'; readonly value?: Stored; readonly road?: unknown }
  /** Of a step that sleeps: until when, epoch milliseconds. */
  | { readonly status: 'sleeping'; readonly until: number }
  | { readonly status: 'skipped' }
  /** Of a step that has a workflow run: which, with what, and the id its run is to have. */
  | {
      readonly status: 'called';
      readonly child: string;
      readonly workflow: string;
      readonly graph: string;
      readonly value?: Stored;
      readonly labels?: Readonly<Record<string, string>> | undefined;
    }
  /** Of a step with a list: how many items it has. */
  | { readonly status: 'spread'; readonly items: number }
  /** A round of a loop, which has not enough yet. */
  | { readonly status: 'again'; readonly value?: Stored }
  /** It met no network. */
  | { readonly status: 'offline'; readonly error: ErrorRecord }
  /** `again: 'never'` ends the step at once; `notBefore` is the earliest next attempt. */
  | { readonly status: 'failed'; readonly error: ErrorRecord; readonly again?: 'never'; readonly notBefore?: number };

/** Whether what a body handed back is recorded with how it ended. */
export function keepsValue({ status }: Outcome, value: unknown): boolean {
  // A run is made of its input, whatever that is.
  return status === 'called' || ((status === 'succeeded' || status === 'again') && value !== undefined);
}

export type Command =
  /** The first thing said to a run. `startAt` holds its starting steps back. */
  | { readonly type: 'start'; readonly startAt?: number | undefined; readonly next?: ClaimRequest | undefined }
  | {
      readonly type: 'finish';
      readonly claim: HeldFence;
      readonly outcome: Outcome;
      readonly next?: ClaimRequest | undefined;
    }
  | { readonly type: 'claim'; readonly next: ClaimRequest }
  | { readonly type: 'checkpoint'; readonly claim: HeldFence; readonly key: string; readonly value: Stored }
  | { readonly type: 'progress'; readonly claim: HeldFence; readonly value: Stored }
  /** Parts of what the attempt says, from the `at`th of it on, from 0: those said again are recorded once. */
  | { readonly type: 'emit'; readonly claim: HeldFence; readonly at: number; readonly values: readonly Stored[] }
  /** The worker gives claims back, or says that the bodies of claims taken from it have stopped. */
  | { readonly type: 'release'; readonly claims: readonly HeldFence[] }
  /** The worker is dead. `company`: how many claims it held in all, here and elsewhere. */
  | { readonly type: 'lose'; readonly worker: string; readonly company: number }
  /** Somebody watched a claim outlive its timeout. */
  | { readonly type: 'expire'; readonly claim: HeldFence }
  /** The run that a step waits for has ended. */
  | {
      readonly type: 'returned';
      readonly child: string;
      readonly end: { readonly value: Stored | undefined } | { readonly error: ErrorRecord };
    }
  | { readonly type: 'cancel' | 'pause' | 'resume'; readonly id: string }
  | { readonly type: 'signal'; readonly id: string; readonly name: string; readonly payload: Stored }
  | {
      readonly type: 'enqueue';
      readonly id: string;
      readonly steps: readonly number[] | 'failed';
      readonly force?: 'not-taken';
    }
  /** What is due is done. */
  | { readonly type: 'tick' };

/** The answer to one command. `granted`: steps the worker holds now because of it, new and handed out again. */
export interface Verdict {
  readonly status: 'accepted' | 'duplicate' | 'stale' | Refusal;
  readonly granted: readonly number[];
}

export type Refusal = 'stream-full' | 'ended' | 'not-final' | 'not-taken' | 'nothing-failed';

export interface Decision {
  /** `undefined`: nothing follows. */
  readonly entry: JournalEntry | undefined;
  readonly verdicts: readonly Verdict[];
}

/** How long a worker has to say that a body stopped before nobody waits for it any longer. */
export const STOP_GRACE_MS = 30_000;

/** What a step can emit in all its attempts, in parts and characters: every reader of the journal reads them. */
export const STREAM: { readonly parts: number; readonly length: number } = { parts: 10_000, length: 8 * 1024 * 1024 };

/** Most rounds of a loop that does not say. */
const DEFAULT_ROUNDS = 1000;

/**
 * Which events follow from commands, all of them together as one journal entry. Synchronous and total: time and chance
 * are arguments. The events are applied to the state's open draft; the caller accepts it or rolls it back.
 */
export function decide(state: RunState, commands: readonly Command[], now: number, random: () => number): Decision {
  const turn = new Turn(state, Math.max(now, state.at), random);
  const answers = commands.map((command) => turn.obey(command));
  turn.doWhatIsDue();
  turn.endIfDone();
  const verdicts = commands.map((command, i): Verdict => {
    const next = 'next' in command ? command.next : undefined;
    return { status: answers[i] as Verdict['status'], granted: next ? turn.grant(next) : [] };
  });
  return { entry: turn.close(), verdicts };
}

/** When the run wants a `tick`, if nothing else happens; `undefined` if never. */
export function nextDue(state: RunState): number | undefined {
  if (state.ended) return undefined;
  const due: number[] = [];
  const first = state.firstDue();
  if (first !== END && state.since[first] !== Number.POSITIVE_INFINITY) due.push(state.since[first] as number);
  if (state.deadline !== undefined) due.push(state.deadline);
  for (const { claim, at } of state.stopping.values()) {
    if (state.status[parseName(claim.step).step] === QUEUED || state.status[state.positionOf(claim.step)] === QUEUED)
      due.push(at + STOP_GRACE_MS);
  }
  return due.length === 0 ? undefined : Math.min(...due);
}

const FORCED: Readiness = { status: 'ready', winners: [] };
const accepted = 'accepted';
const always = (): boolean => true;
type Answer = Verdict['status'];

class Turn {
  readonly #state: RunState;
  readonly #at: number;
  readonly #random: () => number;
  readonly #events: Event[] = [];
  readonly #asked = new Set<string>();

  constructor(state: RunState, at: number, random: () => number) {
    this.#state = state;
    this.#at = at;
    this.#random = random;
  }

  obey(command: Command): Answer {
    const state = this.#state;
    if ('id' in command && state.commands.has(command.id)) return 'duplicate';
    switch (command.type) {
      case 'start':
        return this.#start(command.startAt);
      case 'finish':
        return this.#finish(command.claim, command.outcome);
      case 'claim':
      case 'tick':
        return accepted;
      case 'checkpoint':
      case 'progress': {
        const { claim, type, value } = command;
        const standing = state.judge(claim);
        if (standing !== 'held') return 'stale';
        const step = state.positionOf(claim.step);
        if (type === 'progress') this.#emit({ type, step, value });
        else if (state.checkpoints.get(step)?.has(command.key)) return 'duplicate';
        else this.#emit({ type, step, key: command.key, value });
        return accepted;
      }
      case 'emit': {
        const { claim, at } = command;
        if (state.judge(claim) !== 'held') return 'stale';
        const step = state.positionOf(claim.step);
        const { attempt = 0, all = 0, length = 0 } = state.emitted.get(step) ?? {};
        const values = command.values.slice(Math.max(0, attempt - at));
        if (values.length === 0) return 'duplicate';
        const longer = values.reduce((sum, value) => sum + value.length, length);
        if (all + values.length > STREAM.parts || longer > STREAM.length) return 'stream-full';
        for (const value of values) this.#emit({ type: 'emitted', step, value });
        return accepted;
      }
      case 'returned':
        return this.#return(command.child, command.end);
      case 'release':
        return this.#release(command.claims);
      case 'lose':
        return this.#lose(command.worker, command.company);
      case 'expire':
        if (state.judge(command.claim) !== 'held') return 'stale';
        return this.#finish(command.claim, {
          status: 'failed',
          error: timeoutError(state, state.positionOf(command.claim.step)),
        });
      case 'cancel':
        if (state.ended) return state.ended === 'CANCELLED' ? 'duplicate' : 'ended';
        this.#emit({ type: 'cancel', command: command.id });
        this.#cancelRest('command');
        return accepted;
      case 'pause':
      case 'resume':
        if (state.ended) return 'ended';
        if (state.paused === (command.type === 'pause')) return 'duplicate';
        this.#emit({ type: command.type, command: command.id });
        return accepted;
      case 'signal': {
        this.#emit({ type: 'signal', command: command.id, name: command.name, payload: command.payload });
        const waiting = state.graph.waits.get(command.name)?.find((step) => state.status[step] === WAITING);
        if (waiting !== undefined) this.#settle(this.#deliver(waiting));
        return accepted;
      }
      case 'enqueue':
        return this.#enqueue(command.id, command.steps, command.force);
    }
  }

  doWhatIsDue(): void {
    const state = this.#state;
    if (state.ended) return;
    if (state.deadline !== undefined && state.deadline <= this.#at && state.open > 0) {
      this.#cancelRest('deadline');
      this.#emit({ type: 'ended', status: 'FAILED', reason: 'RUN_TIMEOUT' });
      return;
    }
    for (const { claim, at } of [...state.stopping.values()]) {
      if (at + STOP_GRACE_MS <= this.#at) this.#emit({ type: 'stopped', claim });
    }
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      const [delayed, slept, waited] = [
        due.filter((step) => state.status[step] === DELAYED),
        due.filter((step) => state.status[step] === WAITING && kindOf(state, step) === 'sleep'),
        due.filter((step) => state.status[step] === WAITING && kindOf(state, step) !== 'sleep'),
      ];
      const ended = this.#admit(delayed);
      for (const step of slept) this.#emit({ type: 'succeeded', step });
      this.#settle([...ended, ...slept]);
      // The failure of another may have ended it.
      for (const step of waited) {
        if (state.status[step] !== WAITING) continue;
        this.#fail(step, state.children.has(step) ? childTimeoutError(state, step) : noSignalError(state, step));
      }
    }
  }

  endIfDone(): void {
    const state = this.#state;
    if (state.open > 0 || state.ended) return;
    const fine = state.graph.decisive.every((step) => {
      const status = state.status[step];
      return status === SUCCEEDED || status === SKIPPED || status === NOT_TAKEN;
    });
    this.#emit({ type: 'ended', status: state.cancelled ? 'CANCELLED' : fine ? 'SUCCEEDED' : 'FAILED' });
  }

  /** Claims, most urgent line first, within it first come first. */
  grant({ worker, limit, busy, held, serves, isWanted = always }: ClaimRequest): readonly number[] {
    const state = this.#state;
    const granted = this.#handOutAgain(worker, held);
    if (state.paused || state.ended || !isWanted()) return granted;
    const heads = state.graph.lines.map((_, line) => state.firstQueued(line));
    for (let line = this.#mostUrgent(heads); line !== END && granted.length < limit; line = this.#mostUrgent(heads)) {
      const step = heads[line] as number;
      heads[line] = state.behind(step);
      if (!serves(state, state.rootOf(step)) || this.#mustWaitForOldBody(step)) continue;
      if (state.items.has(step)) {
        for (let item = state.nextItem(step); item !== END && granted.length < limit; item = state.nextItem(step)) {
          // Where the list is resumed, a body of it may still run.
          if (this.#mustWaitForOldBody(item)) break;
          this.#emit({ type: 'claimed', step: item, attempt: 1, worker });
          granted.push(item);
        }
        continue;
      }
      const alone = state.suspect[step] === 1;
      if (alone && busy + granted.length > 0) continue;
      this.#emit({ type: 'claimed', step, attempt: (state.attempt[step] as number) + 1, worker });
      granted.push(step);
      if (alone) return granted;
    }
    return granted;
  }

  /** The claims of a worker that it does not know of: their answer was lost. Once per worker and turn. */
  #handOutAgain(worker: string, held: ReadonlySet<string>): number[] {
    const state = this.#state;
    const again: number[] = [];
    if (this.#asked.has(worker)) return again;
    this.#asked.add(worker);
    for (let step = state.firstRunning(); step !== END; step = state.behind(step)) {
      if (state.worker[step] === worker && !held.has(claimKey(state.claimOf(step)))) again.push(step);
    }
    return again;
  }

  close(): JournalEntry | undefined {
    if (this.#events.length === 0) return undefined;
    this.#state.close(this.#state.seq + 1, this.#at);
    const { graph, created } = this.#state;
    const own = this.#events.some(({ type }) => type === 'emitted') ? 3 : 1;
    // Who does not know of parents would let this run's wait.
    const protocol = Math.max(graph.protocol, own, created.parent ? 5 : 1);
    return { protocol, at: this.#at, events: this.#events };
  }

  /** The line whose first step is next: of those of the highest priority, the one that waits longest. */
  #mostUrgent(heads: readonly number[]): number {
    const { since, graph } = this.#state;
    let best = END;
    for (const [line, { priority }] of graph.lines.entries()) {
      const step = heads[line] as number;
      if (step === END) continue;
      if (best === END) best = line;
      else if (priority < (graph.lines[best] as Line).priority) break;
      else if ((since[step] as number) < (since[heads[best] as number] as number)) best = line;
    }
    return best;
  }

  #mustWaitForOldBody(step: number): boolean {
    const state = this.#state;
    for (const { claim, at } of state.stopping.values()) {
      if (this.#at >= at + STOP_GRACE_MS) continue;
      // A list is not begun anew while bodies of its old items run.
      if (state.positionOf(claim.step) === step || (parseName(claim.step).step === step && !state.items.has(step)))
        return true;
    }
    return false;
  }

  #start(startAt: number | undefined): Answer {
    this.#emit(this.#state.created);
    const { steps } = this.#state.graph;
    const starting = steps.flatMap((_, i) => (readiness(this.#state, i).status === 'ready' ? [i] : []));
    if (startAt !== undefined && startAt > this.#at)
      this.#emit({ type: 'scheduled', steps: starting, notBefore: startAt });
    else this.#settle(this.#admit(starting));
    return accepted;
  }

  #finish(claim: Fence, outcome: Outcome): Answer {
    const state = this.#state;
    const standing = state.judge(claim);
    if (standing !== 'held') return standing === 'reported' ? 'duplicate' : 'stale';
    const step = state.positionOf(claim.step);
    switch (outcome.status) {
      case 'succeeded': {
        const { value, road } = outcome;
        const branch = state.steps[step] as CompiledStep;
        this.#emit({
          type: 'succeeded',
          step,
          ...(value !== undefined && { value }),
          ...(branch.spec.kind === 'branch' && {
            road: typeof road === 'string' && branch.roads.has(road) ? road : null,
          }),
        });
        this.#conclude(step);
        return accepted;
      }
      case 'spread':
        if (kindOf(state, step) !== 'each' || state.rootOf(step) !== step)
          return this.#finish(claim, { status: 'failed', error: notSuchError(state, step, 'spread') });
        this.#emit({ type: 'spread', step, items: outcome.items });
        this.#concludeItems(step);
        return accepted;
      case 'called': {
        const { child, workflow, graph, value = '', labels } = outcome;
        const { kind, forMs } = (state.steps[step] as CompiledStep).spec;
        if (kind !== 'run')
          return this.#finish(claim, { status: 'failed', error: notSuchError(state, step, 'run a workflow') });
        if (depthOf(state) >= MAX_DEPTH) this.#fail(step, depthError(state, step));
        else
          this.#emit({
            type: 'called',
            step,
            child,
            workflow,
            graph,
            input: value,
            ...(labels && { labels }),
            ...(forMs !== undefined && { until: this.#at + forMs }),
          });
        return accepted;
      }
      case 'skipped':
        this.#emit({ type: 'skipped', steps: [step], reason: 'condition' });
        this.#settle([step]);
        return accepted;
      case 'sleeping':
        if (kindOf(state, step) !== 'sleep')
          return this.#finish(claim, { status: 'failed', error: notSuchError(state, step, 'sleep') });
        this.#emit({ type: 'waiting', step, until: outcome.until });
        return accepted;
      case 'again': {
        const { kind, rounds = DEFAULT_ROUNDS, everyMs } = (state.steps[step] as CompiledStep).spec;
        if (kind !== 'loop') return this.#finish(claim, { status: 'failed', error: notSuchError(state, step, 'loop') });
        const { value } = outcome;
        if ((state.rounds.get(step)?.ended ?? 0) + 1 >= rounds) this.#fail(step, loopError(state, step, rounds));
        else
          this.#emit({
            type: 'looped',
            step,
            ...(value !== undefined && { value }),
            ...(everyMs !== undefined && { notBefore: this.#at + everyMs }),
          });
        return accepted;
      }
      case 'offline': {
        const notBefore = this.#at + offlineBackoffMs((state.offline[step] as number) + 1);
        this.#emit({ type: 'offline', step, error: outcome.error, notBefore });
        return accepted;
      }
      case 'failed': {
        const { retry, check } = (state.steps[step] as CompiledStep).spec;
        if (check && state.delivered.has(step) && outcome.error.code === 'INVALID_SIGNAL') {
          this.#emit({ type: 'refused', step, error: outcome.error });
          this.#settle(this.#deliver(step));
          return accepted;
        }
        const failures = (state.failures[step] as number) + 1;
        if (outcome.again === 'never' || failures >= (retry?.attempts ?? 1) || state.fallback[step] === 1) {
          this.#fail(step, outcome.error);
        } else {
          const notBefore = Math.max(this.#at + backoffMs(retry, failures, this.#random), outcome.notBefore ?? 0);
          this.#emit({ type: 'retrying', step, error: outcome.error, notBefore });
        }
        return accepted;
      }
    }
  }

  #return(child: string, end: { readonly value: Stored | undefined } | { readonly error: ErrorRecord }): Answer {
    const state = this.#state;
    const step = state.awaiting(child);
    if (step === END) return 'stale';
    this.#emit({ type: 'returned', step });
    if ('error' in end) this.#fail(step, end.error);
    else {
      this.#emit({ type: 'succeeded', step, ...(end.value !== undefined && { value: end.value }) });
      this.#settle([step]);
    }
    return accepted;
  }

  #fail(step: number, error: ErrorRecord): void {
    const state = this.#state;
    if (state.steps[step]?.spec.fallback && state.fallback[step] === 0) {
      this.#emit({ type: 'falling-back', step, error });
      return;
    }
    this.#emit({ type: 'failed', step, error });
    const root = state.rootOf(step);
    if (root !== step) {
      if (state.steps[root]?.spec.settle) return this.#concludeItems(root);
      const active = state.activeItems(root);
      if (active.length > 0) this.#emit({ type: 'cancelled', steps: active, reason: 'item-failed' });
      this.#emit({ type: 'failed', step: root, error: itemError(state, step, error) });
    }
    if (state.graph.graph.failOn === 'first') this.#cancelRest('first-failure');
    else this.#settle([root]);
  }

  /** What follows from the end of a step, or of an item of one. */
  #conclude(step: number): void {
    const root = this.#state.rootOf(step);
    if (root === step) this.#settle([step]);
    else this.#concludeItems(root);
  }

  #concludeItems(step: number): void {
    const { ended, count } = this.#state.items.get(step) as Items;
    if (ended < count) return;
    this.#emit({ type: 'succeeded', step });
    this.#settle([step]);
  }

  #release(claims: readonly Fence[]): Answer {
    const state = this.#state;
    for (const claim of claims) {
      const stopping = state.stopping.get(claimKey(claim));
      if (stopping) this.#emit({ type: 'stopped', claim: stopping.claim });
      else if (state.judge(claim) === 'held') this.#emit({ type: 'released', step: state.positionOf(claim.step) });
    }
    return accepted;
  }

  #lose(worker: string, company: number): Answer {
    const state = this.#state;
    for (const stopping of [...state.stopping.values()]) {
      if (stopping.worker === worker) this.#emit({ type: 'stopped', claim: stopping.claim });
    }
    for (const step of state.running()) {
      // The failure of another may have ended it.
      if (state.status[step] !== RUNNING || state.worker[step] !== worker) continue;
      const losses = (state.losses[step] as number) + (company === 1 ? 1 : 0);
      const { retry } = (state.steps[step] as CompiledStep).spec;
      if (losses >= (retry?.losses ?? RETRY_DEFAULTS.losses)) this.#fail(step, workerLostError(state, step, losses));
      else this.#emit({ type: 'lost', step, losses, notBefore: this.#at + lossBackoffMs(losses) });
    }
    return accepted;
  }

  #cancelRest(reason: CancelReason): void {
    const { status, graph } = this.#state;
    const steps: number[] = [];
    // Items nobody began are nowhere.
    status.forEach(
      (state, step) => state < SUCCEEDED && (step < graph.steps.length || state !== PENDING) && steps.push(step),
    );
    if (steps.length > 0) this.#emit({ type: 'cancelled', steps, reason });
  }

  #enqueue(id: string, asked: readonly number[] | 'failed', force: 'not-taken' | undefined): Answer {
    const state = this.#state;
    const failed = () =>
      [...state.graph.index.values()].filter((step) => state.status[step] === FAILED || this.#wasCancelledAlone(step));
    const roots = asked === 'failed' ? failed() : asked;
    if (roots.length === 0) return 'nothing-failed';
    for (const step of roots) {
      if (!state.isFinal(step)) return 'not-final';
      if (state.status[step] === NOT_TAKEN && force !== 'not-taken') return 'not-taken';
    }
    const again = new Set(roots);
    for (const step of again) for (const { to } of state.steps[step]?.dependents ?? []) again.add(to);
    const steps = [...again].sort((a, b) => a - b);
    // What a failure above has cancelled stays so: only a road can be forced.
    const forced = new Set(roots.filter((step) => force === 'not-taken' && state.status[step] === NOT_TAKEN));
    const above = new Set(roots.flatMap((step) => (state.steps[step] as CompiledStep).dependents.map(({ to }) => to)));
    for (const step of above) for (const { to } of (state.steps[step] as CompiledStep).dependents) above.add(to);
    const resumed = asked === 'failed' ? roots.filter((step) => state.items.has(step) && !above.has(step)) : [];
    this.#emit({ type: 'rerun', command: id, steps, ...(resumed.length > 0 && { resumed }) });
    this.#settle(this.#record(steps.map((step) => [step, forced.has(step) ? FORCED : readiness(state, step)])));
    return accepted;
  }

  /** A step the run's end cancelled, not a failure above it: a retry of the run takes it up again. */
  #wasCancelledAlone(step: number): boolean {
    const state = this.#state;
    if (state.status[step] !== CANCELLED) return false;
    const { required, groups } = state.steps[step] as CompiledStep;
    return [...required, ...groups.flatMap(({ members }) => members)].every(
      ({ from }) => state.status[from] !== FAILED && state.status[from] !== CANCELLED,
    );
  }

  /** What follows from steps that became final, and from what follows from that. */
  #settle(finals: readonly number[]): void {
    const state = this.#state;
    for (let wave = finals; wave.length > 0; ) {
      const consequences: [number, Readiness][] = [];
      for (const from of wave) {
        for (const dependent of state.steps[from]?.dependents ?? []) {
          const after = readinessAfter(state, from, dependent);
          if (after.status !== 'waiting') consequences.push([dependent.to, after]);
        }
      }
      wave = this.#record(consequences);
    }
  }

  /** Records consequences, each step's once; hands back the steps that became final by them. */
  #record(consequences: readonly (readonly [number, Readiness])[]): readonly number[] {
    const ready = new Set<number>();
    const cancelled = new Set<number>();
    const notTaken = new Set<number>();
    const winners: Winners[] = [];
    for (const [step, { status, winners: members }] of consequences) {
      if (status === 'cancelled') cancelled.add(step);
      else if (status === 'not-taken') notTaken.add(step);
      else if (status === 'ready' && !ready.has(step)) {
        ready.add(step);
        if (members.length > 0) winners.push([step, members]);
      }
    }
    const ended = this.#admit([...ready], winners);
    if (cancelled.size > 0) this.#emit({ type: 'cancelled', steps: [...cancelled], reason: 'upstream' });
    if (notTaken.size > 0) this.#emit({ type: 'skipped', steps: [...notTaken], reason: 'not-taken' });
    return [...ended, ...cancelled, ...notTaken];
  }

  /** Steps whose turn has come enter the queue, or begin to wait. Hands back those that ended by it. */
  #admit(steps: readonly number[], winners: readonly Winners[] = []): readonly number[] {
    const queued = steps.filter((step) => !this.#waitsFirst(step));
    const chosen = winners.filter(([step]) => !this.#waitsFirst(step));
    if (queued.length > 0) this.#emit({ type: 'ready', steps: queued, ...(chosen.length > 0 && { winners: chosen }) });
    return queued.length === steps.length ? [] : steps.flatMap((step) => this.#beginToWait(step));
  }

  /** Whether what comes next for a step is to wait, not a worker. */
  #waitsFirst(step: number): boolean {
    const { delivered, fallback, steps } = this.#state;
    const { kind, forMs } = (steps[step] as CompiledStep).spec;
    if (kind === 'sleep') return forMs !== undefined;
    return kind === 'wait' && !delivered.has(step) && fallback[step] === 0;
  }

  #beginToWait(step: number): readonly number[] {
    if (!this.#waitsFirst(step)) return [];
    const { spec } = this.#state.steps[step] as CompiledStep;
    this.#emit({
      type: 'waiting',
      step,
      ...(spec.forMs !== undefined && { until: this.#at + spec.forMs }),
      ...(spec.kind === 'wait' && { signal: signalOf(spec) }),
    });
    return spec.kind === 'wait' ? this.#deliver(step) : [];
  }

  /** Gives a step that waits the first signal nobody had, if there is one. */
  #deliver(step: number): readonly number[] {
    const { spec } = this.#state.steps[step] as CompiledStep;
    const signal = this.#state.unread(signalOf(spec));
    if (!signal) return [];
    this.#emit({ type: 'delivered', step, signal: signal.id });
    if (spec.check) {
      this.#emit({ type: 'ready', steps: [step] });
      return [];
    }
    this.#emit({ type: 'succeeded', step, value: signal.payload });
    return [step];
  }

  /** The steps whose time has come. */
  #due(): readonly number[] {
    const state = this.#state;
    const due: number[] = [];
    for (
      let step = state.firstDue();
      step !== END && (state.since[step] as number) <= this.#at;
      step = state.behind(step)
    )
      due.push(step);
    return due;
  }

  /** Records an event, and what it says in the names of the journal. */
  #emit(event: Event): void {
    const named = this.#state.items.size === 0 ? event : withSteps(event, (step) => this.#state.nameOf(step));
    this.#state.evolve(named, this.#state.seq + 1, this.#events.length, this.#at);
    this.#events.push(named);
  }
}

function depthOf(state: RunState): number {
  return state.created.parent?.depth ?? 0;
}

function kindOf(state: RunState, step: number): GraphStep['kind'] {
  return (state.steps[step] as CompiledStep).spec.kind;
}
