import type { Claim, Granted } from '../../core/claims.ts';
import type { HeldFence } from '../../core/decide.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Stored } from '../../core/events.ts';
import type { Entry, Key } from '../../core/store.ts';

// What goes between a worker and the service it works for. As JSON says it: what is `undefined` is not there.

/** A claim as it travels. */
export interface FarClaim extends Omit<Claim, 'id' | 'mark' | 'checkpoints' | 'fence'> {
  /** `run/incarnation/step.seq.index`. */
  readonly id: string;
  /** Shows that whoever reports on the claim is the one it was given to. */
  readonly secret: string;
  readonly checkpoints: readonly (readonly [key: string, value: Stored])[];
}

export interface FarGrant {
  readonly claims: readonly FarClaim[];
  /** As `Granted` has it; of a look at many runs, `later`. */
  readonly rest: Granted['rest'];
}

/** What a worker can take, and what it has. */
export interface FarRequest {
  readonly limit: number;
  /** The ids of the claims it has. One that is missing had its answer lost, and is handed out again. */
  readonly held: readonly string[];
  /** How many claims it has in all; as many as it names unless told. */
  readonly busy?: number;
}

/** What becomes of one claim. A value comes as plain JSON, or as a `text` of the codec. */
export interface FarReport {
  readonly claim: string;
  readonly secret: string;
  readonly type:
    | 'succeeded'
    | 'skipped'
    | 'sleeping'
    | 'again'
    | 'called'
    | 'spread'
    | 'offline'
    | 'failed'
    | 'checkpoint'
    | 'emit'
    | 'progress'
    | 'released';
  readonly value?: unknown;
  readonly text?: string;
  /** Of a checkpoint. */
  readonly key?: string;
  readonly error?: Readonly<Record<string, unknown>>;
  /** The attempt was the last one. */
  readonly again?: 'never';
  /** Epoch milliseconds. */
  readonly notBefore?: number;
  /** The workflow that is to be run, by the hash of its graph, and the labels of its run; the value is its input. */
  readonly graph?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many items a list has. */
  readonly items?: number;
  /** What the attempt emits, as texts of the codec, and which part of it the first of them is, from 0. */
  readonly texts?: readonly string[];
  readonly at?: number;
  /** What it can take of the same run in the same commit. */
  readonly next?: FarRequest;
}

/** `refused`: nothing was written, for a reason that has a code; with `UNAVAILABLE`, it may be sent again later. */
export type FarAnswer =
  | (FarGrant & { readonly status: 'recorded' | 'duplicate' | 'stale' })
  | ({ readonly status: 'refused' } & Refusal);

export interface FarWorker {
  readonly id: string;
  readonly name: string;
  /** All that its workflows name unless told. */
  readonly queues?: readonly string[];
  readonly workflows: readonly FarWorkflow[];
}

/** A graph by its hash, where it is known there, or as a whole. */
export interface FarWorkflow {
  readonly hash?: string;
  readonly graph?: unknown;
  /** Steps the worker has no handler for. */
  readonly without?: readonly string[];
}

/** What is to be run, by the graph it is of, with the input as the codec writes it. */
export interface FarOrder {
  readonly id: string;
  readonly graph: string;
  readonly input: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly startAt?: number;
}

/** Why something cannot be read. With `UNAVAILABLE`, it may be asked for again later. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** `null`: there is none. */
export type FarRow = Pick<Entry, 'value' | 'version'> | { readonly refused: Refusal } | null;

export interface FarPage {
  readonly rows: readonly Entry[];
  /** There was no more room, and the range may go on behind the last row; behind none, it is to be asked for again. */
  readonly isCut: boolean;
  /** Why it is empty. */
  readonly refused?: Refusal;
  /** What is away at the moment may have more of them. */
  readonly isPartial?: true;
}

export interface FarNews {
  /** Asked for next time. */
  readonly cursor: string;
  /** Rows that may have changed since the last cursor; absent where anything may have. */
  readonly keys?: readonly Key[];
}

export function idOf(run: string, { incarnation, step, seq, index }: HeldFence): string {
  return `${run}/${incarnation}/${step}.${seq}.${index}`;
}

/** The run and the fence an id names; `undefined` for what is none. */
export function parseId(id: string): { readonly run: string; readonly fence: HeldFence } | undefined {
  const [, run, incarnation, step, seq, index] = ID.exec(id) ?? [];
  if (run === undefined || incarnation === undefined) return undefined;
  return { run, fence: { incarnation, step: Number(step), seq: Number(seq), index: Number(index) } };
}

const ID = /^([A-Za-z0-9_.:-]{1,128})\/([a-z0-9-]{16,36})\/(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;
