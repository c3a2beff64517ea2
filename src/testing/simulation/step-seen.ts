import type { ErrorRecord } from '../../core/errors.ts';
import type { Stored } from '../../core/events.ts';
import type { Road } from '../../core/graph.ts';

export type StepStatus =
  | 'PENDING'
  | 'DELAYED'
  | 'WAITING'
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'SKIPPED'
  | 'NOT_TAKEN'
  | 'FAILED'
  | 'CANCELLED';

/** One claim as the journal names it, and what the world saw of the body that had it. */
export interface ClaimSeen {
  readonly mark: string;
  readonly worker: string;
  readonly attempt: number;
  readonly generation: number;
  readonly needs: ReadonlyMap<string, unknown>;
  state: 'open' | 'reported' | 'taken back';
  body: 'none' | 'running' | 'ended';
  /** The values its body handed back, encoded: its result, or that of its fallback. */
  readonly handedBack: string[];
  /** What its body emitted, encoded, and how much of it is recorded. */
  readonly said: string[];
  recorded: number;
}

export interface StepSeen {
  status: StepStatus;
  attempt: number;
  failures: number;
  losses: number;
  generation: number;
  /** Which rerun of the run reset it last. */
  reset: number;
  since: number;
  /** Its place among all ends. */
  order: number;
  road: Road | undefined;
  value: Stored | undefined;
  error: ErrorRecord | undefined;
  winners: readonly number[];
  fallingBack: boolean;
  /** Until when it sleeps or waits. */
  until: number;
  /** What came with the signal it has. */
  payload: { readonly stored: Stored } | undefined;
  /** The run it waits for, or has waited for, and whether that is known to have ended. */
  child: { readonly id: string; readonly input: Stored; returned: boolean } | undefined;
  /** Rounds of a loop that have ended, and the state it goes on with. */
  rounds: number;
  state: Stored | undefined;
  /** Of a step with a list that is known: its items, by their positions behind the steps. */
  items: readonly number[] | undefined;
  /** Of an item: its step, and which of its items it is. */
  readonly of: number | undefined;
  readonly at: number | undefined;
  readonly claims: ClaimSeen[];
  readonly checkpoints: Map<string, Stored>;
}

/** A step of which nothing was seen, or such an item of one. */
export function unseen(of?: number, at?: number): StepSeen {
  return {
    status: 'PENDING',
    attempt: 0,
    failures: 0,
    losses: 0,
    generation: 0,
    reset: 0,
    since: 0,
    order: 0,
    road: undefined,
    value: undefined,
    error: undefined,
    winners: [],
    fallingBack: false,
    until: Number.POSITIVE_INFINITY,
    payload: undefined,
    child: undefined,
    rounds: 0,
    state: undefined,
    items: undefined,
    of,
    at,
    claims: [],
    checkpoints: new Map(),
  };
}

export function isFinal(status: StepStatus): boolean {
  return !['PENDING', 'DELAYED', 'WAITING', 'QUEUED', 'RUNNING'].includes(status);
}
