/**
 * The port an adapter implements: an ordered key-value store with conditional atomic batches.
 * It knows nothing of workflows. `fuseline/testing` holds the contract as data; an adapter is done when it passes.
 *
 * Promises of every implementation:
 * - **atomic**: a batch happens as a whole or not at all, before and after a crash, and no `read` or `scan` sees half of
 *   one;
 * - **durable**: a resolved commit survives reopening, at the durability the user chose, and so does whatever a
 *   `read`, `scan` or conflict was answered from;
 * - **serialised**: of two commits that expect the same version exactly one wins, and a conflict writes nothing;
 * - **fresh**: `read` and `scan` see every commit that resolved, anywhere, before they were called;
 * - **versions are never reused** for a key, not even after a delete;
 * - **ordered**: keys compare by code unit, identically everywhere (they are ASCII);
 * - **whole**: a value comes back as it went in, if it is well-formed Unicode, as every text of `JSON.stringify` is; a
 *   lone surrogate may come back as another character;
 * - **bounded**: what exceeds `limits`, or a key that exceeds `MAX_KEY_LENGTH`, is refused with `VALUE_TOO_LARGE` before
 *   anything is written;
 * - **closed**: commits under way when `close` is called are settled when it resolves, every later call rejects with
 *   `STORAGE_CLOSED`, and closing again is harmless. Other handles on the same data go on.
 *
 * A failed call throws a `FuselineError`; from `commit` it means *unknown*: the caller reads again and decides again.
 */
export interface Store {
  read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]>;
  scan(range: Range): Promise<readonly Entry[]>;
  commit(batch: Batch): Promise<CommitResult>;
  /**
   * Hints that something changed elsewhere, perhaps also here. A hint may be lost, doubled or early; it carries no truth.
   * It is told in a turn of its own, so a listener may read and commit.
   */
  watch(listener: (hint: Hint) => void): () => void;
  close(): Promise<void>;
  readonly limits: StoreLimits;
  /** Who waits looks again after this long even if no hint came; `LOOK_MS` unless told, more where a look is dear. */
  readonly lookMs?: number;
}

/** ASCII, one to `MAX_KEY_LENGTH` characters; the layout belongs to `keys.ts`. */
export type Key = string;

export const MAX_KEY_LENGTH = 1024;

/** Compared with `===` only. */
export type Version = string | number;

export interface Entry {
  readonly key: Key;
  readonly value: string;
  readonly version: Version;
}

/** `from` is inside, `to` is outside; nothing lies between a `from` and a `to` that is not after it. */
export interface Range {
  readonly from: Key;
  readonly to: Key;
  readonly limit?: number;
  readonly order?: 'ascending' | 'descending';
}

/** Deletes go before puts, and of two puts to one key the last one stays. A batch may lack any part, or all. */
export interface Batch {
  /** Conditions on the state before the batch. `version: undefined` means the key must be absent. */
  readonly expect?: readonly { readonly key: Key; readonly version: Version | undefined }[];
  readonly put?: readonly { readonly key: Key; readonly value: string }[];
  readonly delete?: readonly Key[];
}

/** `version` is the one every put of the batch carries from now on. */
export type CommitResult =
  | { readonly status: 'committed'; readonly version: Version }
  | { readonly status: 'conflict' };

/** At least the keys that changed, where the store knows them; `undefined` means anything may have. */
export interface Hint {
  readonly keys?: readonly Key[];
}

/** Whole numbers: a store that has no limit of its own names one, so that what fits one store can be moved to others. */
export interface StoreLimits {
  /** Largest value, in UTF-16 code units. */
  readonly valueLength: number;
  /** Most conditions, puts and deletes in one batch. */
  readonly batchOps: number;
}
