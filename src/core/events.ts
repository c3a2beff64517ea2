import type { ErrorRecord } from './errors.ts';
import type { Road } from './graph.ts';

/**
 * What happened in a run. Events are a persistent format: they record every consequence, so that folding them never
 * decides anything again. Steps are named by their position in the run's graph; an item of a step by a number of its
 * own (`itemName` in graph.ts).
 */
export type Event =
  | Created
  /** Steps entered the queue, in this order. `winners`: for each of its any-groups, the member that became live first. */
  | { readonly type: 'ready'; readonly steps: readonly number[]; readonly winners?: readonly Winners[] }
  /** Starting steps wait for the time the run was asked to start at. */
  | { readonly type: 'scheduled'; readonly steps: readonly number[]; readonly notBefore: number }
  /**
   * The step has a workflow run: as run `child`, which is made of this once the entry is durable, and which the step
   * waits for, until `until` at most.
   */
  | Called
  /** The run a step waits for has ended; how, its next event says. */
  | { readonly type: 'returned'; readonly step: number }
  /** No worker holds the step: it waits for a moment, for a signal, or for whichever comes first. */
  | { readonly type: 'waiting'; readonly step: number; readonly until?: number; readonly signal?: string }
  /** A signal, by its id, goes to the step that waits for it, and to no other. */
  | { readonly type: 'delivered'; readonly step: number; readonly signal: string }
  /** What came with the signal is not what the step waits for; it waits on. */
  | { readonly type: 'refused'; readonly step: number; readonly error: ErrorRecord }
  /** How many items a step has; each of them is claimed on its own. */
  | { readonly type: 'spread'; readonly step: number; readonly items: number }
  /** A round of a loop has ended; the next one goes on with what it handed back, not before `notBefore`. */
  | { readonly type: 'looped'; readonly step: number; readonly value?: Stored; readonly notBefore?: number }
  /** A worker holds the right to execute one attempt. The position of this event in the journal is the fence. */
  | { readonly type: 'claimed'; readonly step: number; readonly attempt: number; readonly worker: string }
  | { readonly type: 'succeeded'; readonly step: number; readonly value?: Stored; readonly road?: Road }
  | { readonly type: 'skipped'; readonly steps: readonly number[]; readonly reason: SkipReason }
  /** An attempt failed and the next one must not start before `notBefore`. */
  | { readonly type: 'retrying'; readonly step: number; readonly error: ErrorRecord; readonly notBefore: number }
  /** An attempt met no network: it does not count, and the next one must not start before `notBefore`. */
  | { readonly type: 'offline'; readonly step: number; readonly error: ErrorRecord; readonly notBefore: number }
  /** The step would fail, and its fallback is queued instead. */
  | { readonly type: 'falling-back'; readonly step: number; readonly error: ErrorRecord }
  | { readonly type: 'failed'; readonly step: number; readonly error: ErrorRecord }
  | { readonly type: 'cancelled'; readonly steps: readonly number[]; readonly reason: CancelReason }
  /** The worker died with the claim. `losses`: how many count against the step now; `alone`: the next attempt is claimed alone. */
  | { readonly type: 'lost'; readonly step: number; readonly losses: number; readonly notBefore: number }
  /** The worker gave the claim back before it finished. */
  | { readonly type: 'released'; readonly step: number }
  /** The body of a claim that was taken back is known to have stopped. */
  | { readonly type: 'stopped'; readonly claim: Fence }
  | { readonly type: 'checkpoint'; readonly step: number; readonly key: string; readonly value: Stored }
  /** A part of what the attempt under way says while it runs. */
  | { readonly type: 'emitted'; readonly step: number; readonly value: Stored }
  | { readonly type: 'progress'; readonly step: number; readonly value: Stored }
  | { readonly type: 'cancel' | 'pause' | 'resume'; readonly command: string }
  | { readonly type: 'signal'; readonly command: string; readonly name: string; readonly payload: Stored }
  /** Steps return to PENDING as a new generation. `resumed`: those of them whose items that succeeded stay. */
  | {
      readonly type: 'rerun';
      readonly command: string;
      readonly steps: readonly number[];
      readonly resumed?: readonly number[];
    }
  | { readonly type: 'ended'; readonly status: EndStatus; readonly reason?: 'RUN_TIMEOUT' };

export interface Created {
  readonly type: 'created';
  readonly workflow: string;
  readonly version?: string;
  readonly graph: string;
  readonly input: Stored;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly deadline?: number;
  /** The run whose step this one was made for. */
  readonly parent?: Parent;
}

export interface Parent {
  readonly run: string;
  /** By its name. */
  readonly step: string;
  /** How many runs stand above. */
  readonly depth: number;
}

export interface Called {
  readonly type: 'called';
  readonly step: number;
  readonly child: string;
  readonly workflow: string;
  readonly graph: string;
  readonly input: Stored;
  readonly labels?: Readonly<Record<string, string>>;
  readonly until?: number;
}

/** An encoded value where it happened, or the id of the row that holds it. */
export type Stored = string | { readonly row: string; readonly length: number };

export type Winners = readonly [step: number, members: readonly number[]];
export type SkipReason = 'condition' | 'not-taken';
export type CancelReason = 'upstream' | 'item-failed' | 'command' | 'first-failure' | 'deadline';
export type EndStatus = 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** Which claim: the step, and the position of the `claimed` event in the run's journal. */
export interface Fence {
  readonly step: number;
  readonly seq: number;
  readonly index: number;
}

/** One turn of a run: what one commit appended. */
export interface JournalEntry {
  /** The lowest protocol that may decide on a run with this entry. */
  readonly protocol: number;
  readonly at: number;
  readonly events: readonly Event[];
}

/** An event with other names for the steps and items it is about. */
export function withSteps(event: Event, rename: (step: number) => number): Event {
  if ('step' in event) {
    const step = rename(event.step);
    return step === event.step ? event : { ...event, step };
  }
  return 'steps' in event ? ({ ...event, steps: event.steps.map(rename) } as Event) : event;
}

/**
 * What this engine understands. 2: steps that wait for the network. 3: steps that sleep, wait for a signal, or loop, and
 * parts of a result. 4: steps that run for each item of a list. 5: steps that have a workflow run, and runs made for them.
 */
export const PROTOCOL = 5;
