import type { ErrorRecord } from './errors.ts';
import {
  type Called,
  type Created,
  type EndStatus,
  type Event,
  type Fence,
  type JournalEntry,
  type Stored,
  withSteps,
} from './events.ts';
import { type CompiledGraph, type CompiledStep, itemName, parseName, type Road, signalOf } from './graph.ts';
import { END, grown, StepLists } from './step-lists.ts';
import { Undo } from './undo.ts';

/** States of a step. Everything from SUCCEEDED on is final. */
export const PENDING = 0;
/** In the queue from a moment on that has not come yet. */
export const DELAYED = 1;
/** For a moment or a signal, held by nobody. */
export const WAITING = 2;
export const QUEUED = 3;
export const RUNNING = 4;
export const SUCCEEDED = 5;
/** By its own condition: counts as done. */
export const SKIPPED = 6;
/** Because it lies on a road not taken. */
export const NOT_TAKEN = 7;
export const FAILED = 8;
export const CANCELLED = 9;

export type RunStatus = 'PENDING' | 'RUNNING' | 'PAUSED' | EndStatus;

/** How the last claim of a step ended. */
const HELD = 0;
const REPORTED = 1;
const VOIDED = 2;

const NOTHING_EMITTED = { attempt: 0, all: 0, length: 0 };

/** The items of a step: where they stand, which is the first that was not begun, how many are under way and ended. */
export interface Items {
  readonly first: number;
  readonly count: number;
  /** When the list became known. */
  readonly since: number;
  next: number;
  active: number;
  ended: number;
  failed: number;
}

const INTEGERS = [
  'root',
  'status',
  'attempt',
  'failures',
  'losses',
  'offline',
  'suspect',
  'fallback',
  'generation',
  'reset',
  'claimIndex',
  'claimEnd',
] as const;
const FLOATS = ['since', 'finalOrder', 'claimSeq'] as const;

/** A claim that was taken back while its body may still run. */
export interface Stopping {
  readonly claim: Fence;
  readonly worker: string;
  readonly at: number;
}

/** The run a step waits for, or has waited for. */
export interface Child extends Called {
  readonly since: number;
  /** It has ended, and how is recorded here. */
  readonly returned: boolean;
}

export interface Signal {
  readonly id: string;
  readonly name: string;
  readonly payload: Stored;
  readonly at: number;
}

/**
 * A run as its journal says it is: `evolve` folds one event into it, in constant time plus the degree of the step.
 * It decides nothing. Indexed by the steps' positions in the graph.
 *
 * A decision applies its events to a draft, between `begin` and `accept`; `rollback` takes them back if the store says
 * that somebody else was faster.
 */
export class RunState {
  readonly graph: CompiledGraph;
  /** By position: the steps of the graph, and behind them their items, once they are known. */
  steps: readonly CompiledStep[];
  readonly created: Created;
  readonly createdAt: number;
  /** The last entry folded in, and its time. */
  seq = -1;
  at = 0;
  startedAt: number | undefined;
  endedAt: number | undefined;
  ended: EndStatus | undefined;
  timedOut = false;
  paused = false;
  cancelled = false;
  /** Epoch milliseconds; a rerun lifts it. */
  deadline: number | undefined;
  /** Steps that are not final. */
  open: number;

  /** Of each position its step: itself, or the one it is an item of. */
  root: Int32Array;
  status: Int32Array;
  attempt: Int32Array;
  /** Failed attempts that count against `retry.attempts`. */
  failures: Int32Array;
  losses: Int32Array;
  /** Attempts in a row that met no network. */
  offline: Int32Array;
  /** 1: was lost with a worker, so its next attempt is claimed alone. */
  suspect: Int32Array;
  /** How many of them there are. */
  suspects = 0;
  /** 1: the next attempt, or the one under way, is the fallback. */
  fallback: Int32Array;
  generation: Int32Array;
  /** Which rerun of the run last reset the step; 0 for none. */
  reset: Int32Array;
  /** When the step entered its state; for DELAYED, when it may start; for WAITING, when it waits no longer. */
  since: Float64Array;
  /** Position among all steps that became final. */
  finalOrder: Float64Array;
  claimSeq: Float64Array;
  claimIndex: Int32Array;
  claimEnd: Int32Array;
  readonly worker: (string | undefined)[];
  readonly road: (Road | undefined)[];
  readonly value: (Stored | undefined)[];
  readonly error: (ErrorRecord | undefined)[];
  /** Required and settled sources that are not final yet, per step; members that are not, per any-group. */
  readonly openSources: Int32Array;
  readonly openMembers: Int32Array;
  readonly winners: Map<number, readonly number[]> = new Map();
  readonly checkpoints: Map<number, ReadonlyMap<string, Stored>> = new Map();
  readonly progress: Map<number, Stored> = new Map();
  readonly stopping: Map<string, Stopping> = new Map();
  readonly commands: Set<string> = new Set();
  readonly signals: Signal[] = [];
  readonly #signalsByName = new Map<string, Signal[]>();
  /** How many of a name have been delivered. */
  readonly #read = new Map<string, number>();
  /** The signal a step has, until its end. */
  readonly delivered: Map<number, Signal> = new Map();
  /** The items of the steps that have some. */
  readonly items: Map<number, Items> = new Map();
  /** The runs that steps have made for themselves. */
  readonly children: Map<number, Child> = new Map();
  /** Since when: the runs, by their ids, whose steps wait for them no longer. */
  readonly abandoned: Map<string, number> = new Map();
  /** What a step has emitted: parts in this attempt, parts in all, and their characters. */
  readonly emitted: Map<number, { readonly attempt: number; readonly all: number; readonly length: number }> =
    new Map();
  /** How many rounds of a loop have ended, and what the last one handed back. */
  readonly rounds: Map<number, { readonly ended: number; readonly value: Stored | undefined }> = new Map();
  /** Until when a step waits, and since when. */
  readonly waits: Map<number, { readonly since: number; readonly until: number }> = new Map();

  readonly #undo = new Undo();
  readonly #lists: StepLists;
  /** How often a step became final, and how often steps were rerun. Taken back with the rest, so that a fold knows the same. */
  finals = 0;
  reruns = 0;

  constructor(graph: CompiledGraph, created: Created, createdAt: number) {
    const n = graph.steps.length;
    this.graph = graph;
    this.steps = graph.steps;
    this.created = created;
    this.createdAt = createdAt;
    this.deadline = created.deadline;
    this.open = n;
    this.root = new Int32Array(n).map((_, step) => step);
    this.status = new Int32Array(n);
    this.attempt = new Int32Array(n);
    this.failures = new Int32Array(n);
    this.losses = new Int32Array(n);
    this.offline = new Int32Array(n);
    this.suspect = new Int32Array(n);
    this.fallback = new Int32Array(n);
    this.generation = new Int32Array(n);
    this.reset = new Int32Array(n);
    this.since = new Float64Array(n);
    this.finalOrder = new Float64Array(n);
    this.claimSeq = new Float64Array(n).fill(-1);
    this.claimIndex = new Int32Array(n);
    this.claimEnd = new Int32Array(n);
    this.worker = new Array(n);
    this.road = new Array(n);
    this.value = new Array(n);
    this.error = new Array(n);
    this.openSources = new Int32Array(n);
    this.openMembers = new Int32Array(graph.groups);
    graph.steps.forEach((step, i) => {
      this.openSources[i] =
        step.required.length + step.settled.filter((s) => !step.required.some((e) => e.from === s)).length;
      for (const group of step.groups) this.openMembers[group.id] = group.members.length;
    });
    // Every step that waits or runs stands in exactly one list: its line, those whose time is to come, or the running.
    this.#lists = new StepLists(n, graph.lines.length + 2, this.#undo);
  }

  get runStatus(): RunStatus {
    return this.ended ?? (this.paused ? 'PAUSED' : this.startedAt === undefined ? 'PENDING' : 'RUNNING');
  }

  /** The step that waits for a run; END where none does. */
  awaiting(run: string): number {
    for (const [step, { child }] of this.children) if (child === run && this.status[step] === WAITING) return step;
    return END;
  }

  /** The first signal of a name that no step has had. */
  unread(name: string): Signal | undefined {
    return this.#signalsByName.get(name)?.[this.#read.get(name) ?? 0];
  }

  /** The step of the graph that a position is, or is an item of. */
  rootOf(step: number): number {
    return this.root[step] as number;
  }

  /** Which item of its step a position is; `undefined` for a step itself. */
  itemOf(step: number): number | undefined {
    const root = this.rootOf(step);
    return root === step ? undefined : step - (this.items.get(root) as Items).first;
  }

  /** How the journal names a position. */
  nameOf(step: number): number {
    const item = this.itemOf(step);
    return item === undefined ? step : itemName(this.rootOf(step), item);
  }

  /** The position the journal names; -1 for an item of a list that is not there any more. */
  positionOf(name: number): number {
    const { step, item } = parseName(name);
    if (item === undefined) return step;
    const items = this.items.get(step);
    return items && item < items.count ? items.first + item : END;
  }

  /** The next item of a step that may be claimed, if one may. */
  nextItem(step: number): number {
    const items = this.items.get(step);
    if (!items || items.next === items.count || items.active >= this.#limitOf(step)) return END;
    return items.first + items.next;
  }

  /** The items of a step that were begun and have not ended. */
  activeItems(step: number): readonly number[] {
    const { first, count } = this.items.get(step) ?? { first: 0, count: 0 };
    return Array.from({ length: count }, (_, item) => first + item).filter((item) => {
      const status = this.status[item] as number;
      return status !== PENDING && status < SUCCEEDED;
    });
  }

  isFinal(step: number): boolean {
    return (this.status[step] as number) >= SUCCEEDED;
  }

  /** First come first. Further ones through `behind`. */
  firstQueued(line: number): number {
    return this.#lists.first(line);
  }

  /** Of the DELAYED and the WAITING: first due first. */
  firstDue(): number {
    return this.#lists.first(this.graph.lines.length);
  }

  firstRunning(): number {
    return this.#lists.first(this.graph.lines.length + 1);
  }

  /** The next step in the list a step is in, or END. */
  behind(step: number): number {
    return this.#lists.after(step);
  }

  queued(line: number): readonly number[] {
    return this.#all(this.firstQueued(line));
  }

  running(): readonly number[] {
    return this.#all(this.firstRunning());
  }

  /** `held`: the claim may report. `reported`: it has. `stale`: somebody else's turn, or nobody's. */
  judge({ step: name, seq, index }: Fence): 'held' | 'reported' | 'stale' {
    const step = this.positionOf(name);
    if (this.claimSeq[step] !== seq || this.claimIndex[step] !== index) return 'stale';
    const end = this.claimEnd[step];
    return end === HELD ? 'held' : end === REPORTED ? 'reported' : 'stale';
  }

  claimOf(step: number): Fence {
    return { step: this.nameOf(step), seq: this.claimSeq[step] as number, index: this.claimIndex[step] as number };
  }

  begin(): void {
    this.#undo.begin();
  }

  accept(): void {
    this.#undo.accept();
  }

  rollback(): void {
    this.#undo.rollback();
  }

  fold(entry: JournalEntry, seq: number): void {
    entry.events.forEach((event, index) => this.evolve(event, seq, index, entry.at));
    this.close(seq, entry.at);
  }

  /** The entry is complete: whatever comes next is another one. */
  close(seq: number, at: number): void {
    this.#undo.field(this, 'seq', seq);
    this.#undo.field(this, 'at', at);
  }

  evolve(event: Event, seq: number, index: number, at: number): void {
    if (this.items.size === 0) return this.#evolve(event, seq, index, at);
    const positioned = withSteps(event, (step) => this.positionOf(step));
    this.#evolve(positioned, seq, index, at);
    if ('step' in positioned) this.#offerItems(this.rootOf(positioned.step), at);
    else if ('steps' in positioned)
      for (const root of new Set(positioned.steps.map((step) => this.rootOf(step)))) this.#offerItems(root, at);
  }

  #evolve(event: Event, seq: number, index: number, at: number): void {
    switch (event.type) {
      case 'created':
        return;
      case 'spread':
        return this.#spread(event.step, event.items, at);
      case 'ready':
        for (const step of event.steps) this.#move(step, QUEUED, at);
        for (const [step, members] of event.winners ?? []) this.#undo.put(this.winners, step, members);
        return;
      case 'scheduled':
        for (const step of event.steps) this.#move(step, DELAYED, event.notBefore);
        return;
      case 'claimed':
        this.#undo.number(this.claimSeq, event.step, seq);
        this.#undo.number(this.claimIndex, event.step, index);
        this.#undo.number(this.claimEnd, event.step, HELD);
        this.#undo.item(this.worker, event.step, event.worker);
        this.#undo.number(this.attempt, event.step, event.attempt);
        if (this.status[event.step] === PENDING) this.#beginItem(event.step);
        if (this.emitted.has(event.step)) this.#emit(event.step, { attempt: 0 });
        this.#move(event.step, RUNNING, at);
        this.#begin(at);
        return;
      case 'called': {
        const { step, until = Number.POSITIVE_INFINITY } = event;
        this.#report(step);
        this.#undo.put(this.children, step, { ...event, since: at, returned: false });
        this.#undo.put(this.waits, step, { since: at, until });
        this.#move(step, WAITING, until);
        return;
      }
      case 'returned':
        this.#undo.put(this.children, event.step, { ...(this.children.get(event.step) as Child), returned: true });
        return;
      case 'waiting': {
        const until = event.until ?? Number.POSITIVE_INFINITY;
        if (this.status[event.step] === RUNNING) this.#report(event.step);
        this.#undo.put(this.waits, event.step, { since: at, until });
        this.#move(event.step, WAITING, until);
        this.#begin(at);
        return;
      }
      case 'delivered': {
        const name = signalOf((this.steps[event.step] as CompiledStep).spec);
        this.#undo.put(this.delivered, event.step, this.unread(name) as Signal);
        this.#undo.put(this.#read, name, (this.#read.get(name) ?? 0) + 1);
        return;
      }
      case 'refused':
        this.#undo.item(this.error, event.step, event.error);
        this.#undo.remove(this.delivered, event.step);
        this.#report(event.step);
        this.#move(event.step, WAITING, this.waits.get(event.step)?.until as number);
        return;
      case 'succeeded':
        if (event.value !== undefined) this.#undo.item(this.value, event.step, event.value);
        if (event.road !== undefined) this.#undo.item(this.road, event.step, event.road);
        this.#report(event.step);
        this.#move(event.step, SUCCEEDED, at);
        return;
      case 'skipped':
        for (const step of event.steps) {
          if (event.reason === 'condition') this.#report(step);
          this.#move(step, event.reason === 'condition' ? SKIPPED : NOT_TAKEN, at);
        }
        return;
      case 'looped':
        this.#report(event.step);
        this.#undo.put(this.rounds, event.step, {
          ended: (this.rounds.get(event.step)?.ended ?? 0) + 1,
          value: event.value,
        });
        this.#refresh(event.step);
        this.#undo.remove(this.checkpoints, event.step);
        if (event.notBefore === undefined) this.#move(event.step, QUEUED, at);
        else this.#move(event.step, DELAYED, event.notBefore);
        return;
      case 'retrying':
        this.#undo.item(this.error, event.step, event.error);
        this.#undo.number(this.failures, event.step, (this.failures[event.step] as number) + 1);
        this.#report(event.step);
        this.#move(event.step, DELAYED, event.notBefore);
        return;
      case 'offline': {
        const inARow = (this.offline[event.step] as number) + 1;
        this.#undo.item(this.error, event.step, event.error);
        this.#report(event.step);
        this.#undo.number(this.offline, event.step, inARow);
        this.#move(event.step, DELAYED, event.notBefore);
        return;
      }
      case 'falling-back':
        this.#undo.item(this.error, event.step, event.error);
        this.#undo.number(this.fallback, event.step, 1);
        this.#undo.number(this.losses, event.step, 0);
        this.#report(event.step);
        this.#move(event.step, QUEUED, at);
        return;
      case 'failed':
        this.#undo.item(this.error, event.step, event.error);
        this.#report(event.step);
        this.#move(event.step, FAILED, at);
        return;
      case 'cancelled':
        for (const step of event.steps) {
          this.#void(step, at);
          this.#move(step, CANCELLED, at);
        }
        return;
      case 'lost':
        this.#undo.number(this.claimEnd, event.step, VOIDED);
        this.#undo.number(this.losses, event.step, event.losses);
        this.#suspect(event.step, 1);
        this.#move(event.step, DELAYED, event.notBefore);
        return;
      case 'released':
        this.#undo.number(this.claimEnd, event.step, VOIDED);
        this.#move(event.step, QUEUED, at);
        return;
      case 'stopped':
        this.#undo.remove(this.stopping, claimKey(event.claim));
        return;
      case 'checkpoint': {
        const known = this.checkpoints.get(event.step);
        this.#undo.put(this.checkpoints, event.step, new Map(known).set(event.key, event.value));
        this.#undo.number(this.losses, event.step, 0);
        return;
      }
      case 'emitted': {
        const { attempt, all, length } = this.emitted.get(event.step) ?? NOTHING_EMITTED;
        this.#emit(event.step, { attempt: attempt + 1, all: all + 1, length: length + event.value.length });
        return;
      }
      case 'progress':
        this.#undo.put(this.progress, event.step, event.value);
        return;
      case 'cancel':
        this.#remember(event.command);
        this.#undo.field(this, 'cancelled', true);
        return;
      case 'pause':
      case 'resume':
        this.#remember(event.command);
        this.#undo.field(this, 'paused', event.type === 'pause');
        return;
      case 'signal': {
        this.#remember(event.command);
        const signal = { id: event.command, name: event.name, payload: event.payload, at };
        const named = this.#signalsByName.get(event.name) ?? [];
        this.#signalsByName.set(event.name, named);
        for (const list of [this.signals, named]) {
          list.push(signal);
          this.#undo.note(() => void list.pop());
        }
        return;
      }
      case 'rerun':
        this.#remember(event.command);
        this.#undo.field(this, 'reruns', this.reruns + 1);
        for (const step of event.steps) {
          if (event.resumed?.includes(step)) this.#resume(step);
          else this.#forgetItems(step, at);
          this.#reset(step, at);
        }
        this.#undo.field(this, 'deadline', undefined);
        this.#undo.field(this, 'ended', undefined);
        this.#undo.field(this, 'endedAt', undefined);
        this.#undo.field(this, 'cancelled', false);
        this.#undo.field(this, 'timedOut', false);
        return;
      case 'ended':
        this.#undo.field(this, 'ended', event.status);
        this.#undo.field(this, 'endedAt', at);
        if (event.reason === 'RUN_TIMEOUT') this.#undo.field(this, 'timedOut', true);
        return;
      default:
        event satisfies never;
    }
  }

  #emit(step: number, emitted: Partial<typeof NOTHING_EMITTED>): void {
    this.#undo.put(this.emitted, step, { ...(this.emitted.get(step) ?? NOTHING_EMITTED), ...emitted });
  }

  #begin(at: number): void {
    if (this.startedAt === undefined) this.#undo.field(this, 'startedAt', at);
  }

  /** The attempt under way reported its end, by itself or through the one who watched it. */
  #report(step: number): void {
    this.#undo.number(this.claimEnd, step, REPORTED);
    this.#suspect(step, 0);
    if (this.offline[step] !== 0) this.#undo.number(this.offline, step, 0);
  }

  /** Takes a claim back from a body that may still run. */
  #void(step: number, at: number): void {
    if (this.status[step] !== RUNNING) return;
    const claim = this.claimOf(step);
    this.#undo.number(this.claimEnd, step, VOIDED);
    this.#undo.put(this.stopping, claimKey(claim), { claim, worker: this.worker[step] as string, at });
  }

  #reset(step: number, at: number): void {
    this.#void(step, at);
    this.#move(step, PENDING, at);
    this.#refresh(step);
    this.#undo.number(this.generation, step, (this.generation[step] as number) + 1);
    this.#undo.number(this.reset, step, this.reruns);
    this.#forget(step);
  }

  /** What was recorded of a step goes with its generation. */
  #forget(step: number): void {
    this.#undo.item(this.value, step, undefined);
    this.#undo.item(this.error, step, undefined);
    this.#undo.item(this.road, step, undefined);
    for (const facts of [
      this.winners,
      this.checkpoints,
      this.progress,
      this.delivered,
      this.waits,
      this.rounds,
      this.emitted,
      this.children,
    ])
      this.#undo.remove(facts as Map<number, unknown>, step);
  }

  /** What comes is counted anew. */
  #refresh(step: number): void {
    for (const numbers of [this.attempt, this.failures, this.losses, this.offline, this.fallback])
      this.#undo.number(numbers, step, 0);
    this.#suspect(step, 0);
  }

  #suspect(step: number, to: 0 | 1): void {
    if (this.suspect[step] === to) return;
    this.#undo.number(this.suspect, step, to);
    this.#undo.field(this, 'suspects', this.suspects + (to === 1 ? 1 : -1));
  }

  #move(step: number, to: number, since: number): void {
    const from = this.status[step] as number;
    if (from > PENDING && from < SUCCEEDED) this.#lists.unlink(step);
    if (from === WAITING) this.#abandon(step);
    this.#undo.number(this.status, step, to);
    this.#undo.number(this.since, step, since);
    const lines = this.graph.lines.length;
    if (to === QUEUED) this.#lists.append(step, this.steps[step]?.line as number);
    else if (to === RUNNING) this.#lists.append(step, lines + 1);
    else if (to === DELAYED || to === WAITING)
      this.#lists.insert(step, lines, (other) => (this.since[other] as number) > since);
    if (this.root[step] !== step) {
      if (to >= SUCCEEDED && from < SUCCEEDED) this.#endItem(step, to);
    } else if (to >= SUCCEEDED && from < SUCCEEDED) this.#settle(step, -1);
    else if (to < SUCCEEDED && from >= SUCCEEDED) this.#settle(step, 1);
  }

  /** A step that waits no longer, though the run it waits for has not ended. */
  #abandon(step: number): void {
    const child = this.children.get(step);
    if (child && !child.returned) this.#undo.put(this.abandoned, child.child, child.since);
  }

  /** A step has so many items from now on, each with a position of its own. */
  #spread(step: number, count: number, at: number): void {
    this.#report(step);
    const first = this.status.length;
    for (const of of INTEGERS) this.#undo.field(this, of, grown(this[of], count));
    for (const of of FLOATS) this.#undo.field(this, of, grown(this[of], count, of === 'claimSeq' ? -1 : 0));
    this.root.fill(step, first);
    this.#lists.grow(count);
    const item = { ...(this.steps[step] as CompiledStep), dependents: [], required: [], groups: [], settled: [] };
    this.#undo.field(this, 'steps', [...this.steps, ...new Array<CompiledStep>(count).fill(item)]);
    this.#undo.put(this.items, step, { first, count, since: at, next: 0, active: 0, ended: 0, failed: 0 });
    this.#offerItems(step, at);
  }

  #beginItem(item: number): void {
    const items = this.items.get(this.rootOf(item)) as Items;
    this.#undo.field(items, 'active', items.active + 1);
    let next = item - items.first + 1;
    // Where a list is resumed, some have succeeded.
    while (next < items.count && this.status[items.first + next] !== PENDING) next++;
    this.#undo.field(items, 'next', next);
  }

  #endItem(item: number, to: number): void {
    const items = this.items.get(this.rootOf(item)) as Items;
    this.#undo.field(items, 'active', items.active - 1);
    this.#undo.field(items, 'ended', items.ended + 1);
    if (to === FAILED) this.#undo.field(items, 'failed', items.failed + 1);
  }

  /** A step stands in its line while an item of it may be claimed, and is held by nobody otherwise. */
  #offerItems(step: number, at: number): void {
    const status = this.status[step] as number;
    if (status === PENDING || status >= SUCCEEDED || !this.items.has(step)) return;
    const to = this.nextItem(step) === END ? WAITING : QUEUED;
    if (to !== status) this.#move(step, to, to === QUEUED ? at : Number.POSITIVE_INFINITY);
  }

  /** What succeeded stays, and the rest is to be done. */
  #resume(step: number): void {
    const items = this.items.get(step) as Items;
    let ended = 0;
    for (let item = items.first; item < items.first + items.count; item++) {
      if (this.status[item] === SUCCEEDED) ended++;
      else {
        this.#undo.number(this.status, item, PENDING);
        this.#refresh(item);
        this.#forget(item);
      }
    }
    let next = 0;
    while (next < items.count && this.status[items.first + next] !== PENDING) next++;
    for (const [of, value] of Object.entries({ ended, next, active: 0, failed: 0 }))
      this.#undo.field(items, of as keyof Items, value);
  }

  #forgetItems(step: number, at: number): void {
    for (const item of this.activeItems(step)) {
      this.#void(item, at);
      this.#move(item, CANCELLED, at);
    }
    this.#undo.remove(this.items, step);
  }

  #limitOf(step: number): number {
    return this.graph.steps[step]?.spec.limit ?? Number.POSITIVE_INFINITY;
  }

  #settle(step: number, by: 1 | -1): void {
    this.#undo.field(this, 'open', this.open + by);
    if (by < 0) {
      this.#undo.number(this.finalOrder, step, this.finals);
      this.#undo.field(this, 'finals', this.finals + 1);
    }
    for (const { to, required, settled, groups } of this.graph.steps[step]?.dependents ?? []) {
      if (required || settled) this.#undo.number(this.openSources, to, (this.openSources[to] as number) + by);
      for (const { id } of groups) this.#undo.number(this.openMembers, id, (this.openMembers[id] as number) + by);
    }
  }

  #all(first: number): readonly number[] {
    const steps: number[] = [];
    for (let step = first; step !== END; step = this.behind(step)) steps.push(step);
    return steps;
  }

  #remember(command: string): void {
    this.commands.add(command);
    this.#undo.note(() => void this.commands.delete(command));
  }
}

export function claimKey({ seq, index }: Fence): string {
  return `${seq}.${index}`;
}
