import type { Created, EndStatus, ErrorRecord, Event, Fence, JournalEntry, Stored } from './events.ts';
import type { CompiledGraph, Road } from './graph.ts';

/** States of a step. Everything from SUCCEEDED on is final. */
export const PENDING = 0;
/** In the queue from a moment on that has not come yet. */
export const DELAYED = 1;
export const QUEUED = 2;
export const RUNNING = 3;
export const SUCCEEDED = 4;
/** By its own condition: counts as done. */
export const SKIPPED = 5;
/** Because it lies on a road not taken. */
export const NOT_TAKEN = 6;
export const FAILED = 7;
export const CANCELLED = 8;

export type RunStatus = 'PENDING' | 'RUNNING' | 'PAUSED' | EndStatus;

/** How the last claim of a step ended. */
const HELD = 0;
const REPORTED = 1;
const VOIDED = 2;

/** A claim that was taken back while its body may still run. */
export interface Stopping {
  readonly claim: Fence;
  readonly worker: string;
  readonly at: number;
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
 * A decision applies its events to a draft: between `begin` and `accept` every write is noted, and `rollback` takes
 * them all back if the store says that somebody else was faster.
 */
export class RunState {
  readonly graph: CompiledGraph;
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

  readonly status: Uint8Array;
  readonly attempt: Uint32Array;
  /** Failed attempts that count against `retry.attempts`. */
  readonly failures: Uint32Array;
  readonly losses: Uint8Array;
  /** 1: was lost with a worker, so its next attempt is claimed alone. */
  readonly suspect: Uint8Array;
  /** 1: the next attempt, or the one under way, is the fallback. */
  readonly fallback: Uint8Array;
  readonly generation: Uint32Array;
  /** Which rerun of the run last reset the step; 0 for none. */
  readonly reset: Uint32Array;
  /** When the step entered its state; for DELAYED, when it may start. */
  readonly since: Float64Array;
  /** Position among all steps that became final. */
  readonly finalOrder: Float64Array;
  readonly claimSeq: Float64Array;
  readonly claimIndex: Uint32Array;
  readonly claimEnd: Uint8Array;
  readonly worker: (string | undefined)[];
  readonly road: (Road | undefined)[];
  readonly value: (Stored | undefined)[];
  readonly error: (ErrorRecord | undefined)[];
  /** Required and settled sources that are not final yet, per step; members that are not, per any-group. */
  readonly openSources: Uint32Array;
  readonly openMembers: Uint32Array;
  readonly winners: Map<number, readonly number[]> = new Map();
  readonly checkpoints: Map<number, ReadonlyMap<string, Stored>> = new Map();
  readonly progress: Map<number, Stored> = new Map();
  readonly stopping: Map<string, Stopping> = new Map();
  readonly commands: Set<string> = new Set();
  readonly signals: Signal[] = [];

  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  #finals = 0;
  #reruns = 0;
  #undo: unknown[] | undefined;

  constructor(graph: CompiledGraph, created: Created, createdAt: number) {
    const n = graph.steps.length;
    this.graph = graph;
    this.created = created;
    this.createdAt = createdAt;
    this.deadline = created.deadline;
    this.open = n;
    this.status = new Uint8Array(n);
    this.attempt = new Uint32Array(n);
    this.failures = new Uint32Array(n);
    this.losses = new Uint8Array(n);
    this.suspect = new Uint8Array(n);
    this.fallback = new Uint8Array(n);
    this.generation = new Uint32Array(n);
    this.reset = new Uint32Array(n);
    this.since = new Float64Array(n);
    this.finalOrder = new Float64Array(n);
    this.claimSeq = new Float64Array(n).fill(-1);
    this.claimIndex = new Uint32Array(n);
    this.claimEnd = new Uint8Array(n);
    this.worker = new Array(n);
    this.road = new Array(n);
    this.value = new Array(n);
    this.error = new Array(n);
    this.openSources = new Uint32Array(n);
    this.openMembers = new Uint32Array(graph.groups);
    graph.steps.forEach((step, i) => {
      this.openSources[i] = step.required.length + step.settled.filter((s) => !step.required.some((e) => e.from === s)).length;
      for (const group of step.groups) this.openMembers[group.id] = group.members.length;
    });
    // Every step that waits or runs stands in exactly one list: its line, the delayed, or the running.
    const lists = graph.lines.length + 2;
    this.#next = new Int32Array(n + lists);
    this.#previous = new Int32Array(n + lists);
    for (let list = n; list < n + lists; list++) this.#next[list] = this.#previous[list] = list;
  }

  get runStatus(): RunStatus {
    return this.ended ?? (this.paused ? 'PAUSED' : this.startedAt === undefined ? 'PENDING' : 'RUNNING');
  }

  isFinal(step: number): boolean {
    return (this.status[step] as number) >= SUCCEEDED;
  }

  /** The queued steps of a line, first come first. */
  queued(line: number): Iterable<number> {
    return this.#list(this.graph.steps.length + line);
  }

  /** The delayed steps, first due first. */
  delayed(): Iterable<number> {
    return this.#list(this.graph.steps.length + this.graph.lines.length);
  }

  running(): Iterable<number> {
    return this.#list(this.graph.steps.length + this.graph.lines.length + 1);
  }

  firstQueued(line: number): number | undefined {
    return this.#first(this.graph.steps.length + line);
  }

  firstDelayed(): number | undefined {
    return this.#first(this.graph.steps.length + this.graph.lines.length);
  }

  /** `held`: the claim may report. `reported`: it has. `stale`: somebody else's turn, or nobody's. */
  judge({ step, seq, index }: Fence): 'held' | 'reported' | 'stale' {
    if (this.claimSeq[step] !== seq || this.claimIndex[step] !== index) return 'stale';
    const end = this.claimEnd[step];
    return end === HELD ? 'held' : end === REPORTED ? 'reported' : 'stale';
  }

  claimOf(step: number): Fence {
    return { step, seq: this.claimSeq[step] as number, index: this.claimIndex[step] as number };
  }

  begin(): void {
    this.#undo = [];
  }

  accept(): void {
    this.#undo = undefined;
  }

  rollback(): void {
    const log = this.#undo ?? [];
    this.#undo = undefined;
    while (log.length > 0) {
      const old = log.pop();
      const key = log.pop() as never;
      const target = log.pop() as Record<never, unknown> | (() => void);
      if (typeof target === 'function') target();
      else target[key] = old as never;
    }
  }

  fold(entry: JournalEntry, seq: number): void {
    entry.events.forEach((event, index) => this.evolve(event, seq, index, entry.at));
    this.close(seq, entry.at);
  }

  /** The entry is complete: whatever comes next is another one. */
  close(seq: number, at: number): void {
    this.#set(this, 'seq', seq);
    this.#set(this, 'at', at);
  }

  evolve(event: Event, seq: number, index: number, at: number): void {
    switch (event.type) {
      case 'created':
        return;
      case 'ready':
        for (const step of event.steps) this.#move(step, QUEUED, at);
        for (const [step, members] of event.winners ?? []) this.#put(this.winners, step, members);
        return;
      case 'scheduled':
        for (const step of event.steps) this.#move(step, DELAYED, event.at);
        return;
      case 'claimed':
        this.#set(this.claimSeq, event.step, seq);
        this.#set(this.claimIndex, event.step, index);
        this.#set(this.claimEnd, event.step, HELD);
        this.#set(this.worker, event.step, event.worker);
        this.#set(this.attempt, event.step, event.attempt);
        this.#move(event.step, RUNNING, at);
        if (this.startedAt === undefined) this.#set(this, 'startedAt', at);
        return;
      case 'succeeded':
        if (event.value !== undefined) this.#set(this.value, event.step, event.value);
        if (event.road !== undefined) this.#set(this.road, event.step, event.road);
        this.#report(event.step);
        this.#move(event.step, SUCCEEDED, at);
        return;
      case 'skipped':
        for (const step of event.steps) {
          if (event.reason === 'condition') this.#report(step);
          this.#move(step, event.reason === 'condition' ? SKIPPED : NOT_TAKEN, at);
        }
        return;
      case 'retrying':
        this.#set(this.error, event.step, event.error);
        this.#set(this.failures, event.step, (this.failures[event.step] as number) + 1);
        this.#report(event.step);
        this.#move(event.step, DELAYED, event.at);
        return;
      case 'falling-back':
        this.#set(this.error, event.step, event.error);
        this.#set(this.fallback, event.step, 1);
        this.#set(this.losses, event.step, 0);
        this.#report(event.step);
        this.#move(event.step, QUEUED, at);
        return;
      case 'failed':
        this.#set(this.error, event.step, event.error);
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
        this.#set(this.claimEnd, event.step, VOIDED);
        this.#set(this.losses, event.step, event.losses);
        this.#set(this.suspect, event.step, 1);
        this.#move(event.step, DELAYED, event.at);
        return;
      case 'released':
        this.#set(this.claimEnd, event.step, VOIDED);
        this.#move(event.step, QUEUED, at);
        return;
      case 'stopped':
        this.#remove(this.stopping, claimKey(event.claim));
        return;
      case 'checkpoint': {
        const known = this.checkpoints.get(event.step);
        this.#put(this.checkpoints, event.step, new Map(known).set(event.key, event.value));
        this.#set(this.losses, event.step, 0);
        return;
      }
      case 'progress':
        this.#put(this.progress, event.step, event.value);
        return;
      case 'cancel':
        this.#remember(event.command);
        this.#set(this, 'cancelled', true);
        return;
      case 'pause':
      case 'resume':
        this.#remember(event.command);
        this.#set(this, 'paused', event.type === 'pause');
        return;
      case 'signal':
        this.#remember(event.command);
        this.signals.push({ id: event.command, name: event.name, payload: event.payload, at });
        this.#undo?.push(() => this.signals.pop(), undefined, undefined);
        return;
      case 'rerun':
        this.#remember(event.command);
        this.#reruns++;
        for (const step of event.steps) this.#reset(step, at);
        this.#set(this, 'deadline', undefined);
        this.#set(this, 'ended', undefined);
        this.#set(this, 'endedAt', undefined);
        this.#set(this, 'cancelled', false);
        this.#set(this, 'timedOut', false);
        return;
      case 'ended':
        this.#set(this, 'ended', event.status);
        this.#set(this, 'endedAt', at);
        if (event.reason === 'RUN_TIMEOUT') this.#set(this, 'timedOut', true);
        return;
      default:
        event satisfies never;
    }
  }

  /** The attempt under way reported its end, by itself or through the one who watched it. */
  #report(step: number): void {
    this.#set(this.claimEnd, step, REPORTED);
    this.#set(this.suspect, step, 0);
  }

  /** Takes a claim back from a body that may still run. */
  #void(step: number, at: number): void {
    if (this.status[step] !== RUNNING) return;
    const claim = this.claimOf(step);
    this.#set(this.claimEnd, step, VOIDED);
    this.#put(this.stopping, claimKey(claim), { claim, worker: this.worker[step] as string, at });
  }

  #reset(step: number, at: number): void {
    this.#void(step, at);
    this.#move(step, PENDING, at);
    for (const numbers of [this.attempt, this.failures, this.losses, this.suspect, this.fallback]) this.#set(numbers, step, 0);
    this.#set(this.generation, step, (this.generation[step] as number) + 1);
    this.#set(this.reset, step, this.#reruns);
    this.#set(this.value, step, undefined);
    this.#set(this.error, step, undefined);
    this.#set(this.road, step, undefined);
    for (const facts of [this.winners, this.checkpoints, this.progress]) this.#remove(facts as Map<number, unknown>, step);
  }

  #move(step: number, to: number, since: number): void {
    const from = this.status[step] as number;
    if (from === DELAYED || from === QUEUED || from === RUNNING) this.#unlink(step);
    this.#set(this.status, step, to);
    this.#set(this.since, step, since);
    const n = this.graph.steps.length;
    const lines = this.graph.lines.length;
    if (to === QUEUED) this.#link(step, n + (this.graph.steps[step]?.line as number));
    else if (to === RUNNING) this.#link(step, n + lines + 1);
    else if (to === DELAYED) this.#link(step, this.#laterThan(since));
    if (to >= SUCCEEDED && from < SUCCEEDED) this.#settle(step, -1);
    else if (to < SUCCEEDED && from >= SUCCEEDED) this.#settle(step, 1);
  }

  #settle(step: number, by: 1 | -1): void {
    this.#set(this, 'open', this.open + by);
    if (by < 0) this.#set(this.finalOrder, step, this.#finals++);
    for (const { to, required, settled, groups } of this.graph.steps[step]?.dependents ?? []) {
      if (required || settled) this.#set(this.openSources, to, (this.openSources[to] as number) + by);
      for (const { id } of groups) this.#set(this.openMembers, id, (this.openMembers[id] as number) + by);
    }
  }

  #list(list: number): Iterable<number> {
    const next = this.#next;
    return {
      *[Symbol.iterator]() {
        for (let at = next[list] as number; at !== list; ) {
          // Read first: whoever iterates may move the step elsewhere.
          const following = next[at] as number;
          yield at;
          at = following;
        }
      },
    };
  }

  #first(list: number): number | undefined {
    const first = this.#next[list] as number;
    return first === list ? undefined : first;
  }

  /** The list position before which a step due at `time` belongs, counted from the end, where most of them belong. */
  #laterThan(time: number): number {
    const list = this.graph.steps.length + this.graph.lines.length;
    let before = list;
    for (let at = this.#previous[list] as number; at !== list && (this.since[at] as number) > time; at = this.#previous[at] as number) {
      before = at;
    }
    return before;
  }

  #link(step: number, before: number): void {
    const previous = this.#previous[before] as number;
    this.#set(this.#next, previous, step);
    this.#set(this.#previous, step, previous);
    this.#set(this.#next, step, before);
    this.#set(this.#previous, before, step);
  }

  #unlink(step: number): void {
    const previous = this.#previous[step] as number;
    const next = this.#next[step] as number;
    this.#set(this.#next, previous, next);
    this.#set(this.#previous, next, previous);
  }

  #set<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    this.#undo?.push(target, key, target[key]);
    target[key] = value;
  }

  #put<K, V>(map: Map<K, V>, key: K, value: V): void {
    this.#undoEntry(map, key);
    map.set(key, value);
  }

  #remove<K, V>(map: Map<K, V>, key: K): void {
    this.#undoEntry(map, key);
    map.delete(key);
  }

  #undoEntry<K, V>(map: Map<K, V>, key: K): void {
    if (!this.#undo) return;
    const had = map.has(key);
    const old = map.get(key) as V;
    this.#undo.push(() => (had ? map.set(key, old) : map.delete(key)), undefined, undefined);
  }

  #remember(command: string): void {
    this.commands.add(command);
    this.#undo?.push(() => this.commands.delete(command), undefined, undefined);
  }
}

export function claimKey({ seq, index }: Fence): string {
  return `${seq}.${index}`;
}
