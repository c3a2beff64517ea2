import type { EndStatus } from '../core/events.ts';
import type { RunQuery } from '../core/listing.ts';
import type { RunPage } from '../core/run-reader.ts';
import type { RunStatus } from '../core/run-state.ts';
import type { Worker } from '../core/sessions.ts';
import type { HistoryEvent, RunExport, RunView } from '../core/views.ts';

/**
 * What can be asked from far away of wherever runs are. Questions and answers are plain data, so the same interface
 * stands before a storage of this process, a Durable Object and a ring of them. Refusals are `FuselineError`s.
 */
export interface RunService {
  /** Records a run and queues its starting steps; the same id and input again finds the run there is. */
  dispatch(order: Order): Promise<{ readonly id: string }>;
  get(run: string): Promise<RunView>;
  list(query: RunQuery): Promise<RunPage>;
  /** Waits for the end of the run, but not longer than told. */
  result(run: string, waitMs: number): Promise<RunResult>;
  history(run: string, page: HistoryQuery): Promise<HistoryPage>;
  explain(run: string, step?: string): Promise<string>;
  export(run: string): Promise<RunExport>;
  command(run: string, command: Command): Promise<void>;
  /** Sends a signal, unless one with its id was sent before: then it is `used`. */
  signalOnce(run: string, signal: OnceSignal): Promise<'sent' | 'used'>;
  /** Deletes a run that has ended. */
  remove(run: string): Promise<void>;
  workers(): Promise<readonly Worker[]>;
}

/** What is to be run. */
export interface Order {
  readonly workflow: string;
  /** One of several versions that are served; the first of that name unless told. */
  readonly version?: string;
  readonly id?: string;
  readonly input?: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  /** Epoch milliseconds. */
  readonly startAt?: number;
}

/** `id` makes a repeat of the command harmless. `text`: a payload as the codec writes it. */
export type Command =
  | { readonly type: 'cancel' | 'pause' | 'resume' | 'retry'; readonly id?: string }
  | { readonly type: 'enqueue'; readonly step: string; readonly force?: 'not-taken'; readonly id?: string }
  | {
      readonly type: 'signal';
      readonly name: string;
      readonly payload?: unknown;
      readonly text?: string;
      readonly id?: string;
    };

/** `text`: the payload as the codec writes it. */
export interface OnceSignal {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

export interface HistoryQuery {
  /** The first entry of the journal that is wanted. */
  readonly from: number;
  /** Events in a page; it ends with the entry that brings it there. */
  readonly limit: number;
  /** Where there is none yet, some are waited for so long, unless the run has ended. */
  readonly waitMs: number;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  /** Of the run before the events were read: once it has ended, they go to its end. */
  readonly status: RunStatus;
  /** Where the next page begins; absent behind the last entry there is. */
  readonly next?: number;
}

export type RunResult =
  /** `value` as the storage's codec encodes it; absent where there is none. */
  | { readonly status: 'SUCCEEDED'; readonly value?: string }
  | { readonly status: Exclude<EndStatus, 'SUCCEEDED'>; readonly error: ResultError }
  | { readonly status: Exclude<RunStatus, EndStatus> };

export interface ResultError {
  readonly code: string;
  readonly message: string;
  readonly failures: readonly { readonly step: string; readonly attempt: number; readonly message: string }[];
}

export function isOpen(status: RunStatus): boolean {
  return status === 'PENDING' || status === 'RUNNING' || status === 'PAUSED';
}
