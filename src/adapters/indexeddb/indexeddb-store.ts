import { wrap } from 'idb';
import { FuselineError } from '../../core/errors.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits, Version } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';
import { webHost } from '../host.ts';
import { areIndependent, changesOf, commitAtOnce, commitInTurn, type Numbered, type Verdict } from './batches.ts';
import { answered, Connection, ROWS, unlessLost } from './connection.ts';
import { failed, isNamed } from './failure.ts';
import { News } from './news.ts';
import { Slumber } from './slumber.ts';

/** Whether a commit is written to the disk, or handed to the operating system, which survives all but its own death. */
export type Durability = 'strict' | 'relaxed';

export interface IndexedDBStoreOptions {
  /** `relaxed` unless told. */
  readonly durability?: Durability;
}

export interface IndexedDBStats {
  readonly commits: number;
  /** Those that write: commits that come together share one. */
  readonly transactions: number;
  /** Transactions that only read. */
  readonly reads: number;
}

/** Those of the other stores, so that what runs here runs there. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };

/** A transaction that takes longer keeps the other tabs waiting. */
const MOST_OPS = 2_000;
const MOST_LENGTH = 1024 * 1024;

/** So many transactions read at a time; who comes later shares the next one. */
const MOST_READERS = 2;

const TRIES = 3;

interface Reading {
  readonly read: (rows: IDBObjectStore) => Promise<void>;
  readonly reject: (cause: unknown) => void;
}

interface Waiting extends Numbered {
  readonly settle: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps its rows in a database of the browser, for all tabs and workers of an origin. Commits that arrive while a
 * transaction is under way share the next one, each with a verdict of its own.
 */
export class IndexedDBStore implements Store {
  readonly limits = LIMITS;
  readonly #name: string;
  readonly #durability: Durability;
  readonly #connection: Connection;
  readonly #news: News;
  readonly #slumber: Slumber;
  /** Nobody else has it: with a number behind it, a version that was never there before. */
  #self: string | undefined;
  readonly #stats = { commits: 0, transactions: 0, reads: 0 };
  #reading: Reading[] = [];
  #readers = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(name: string, { durability = 'relaxed' }: IndexedDBStoreOptions = {}) {
    this.#name = name;
    this.#durability = durability;
    this.#connection = new Connection(name);
    this.#news = new News(name);
    // An open connection would keep others from upgrading the database.
    this.#slumber = new Slumber(() => this.#connection.drop());
  }

  /** What this handle did so far. */
  stats(): IndexedDBStats {
    return { ...this.#stats };
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#look((rows) => Promise.all(keys.map((key) => answered<Entry | undefined>(rows.get(key)))));
  }

  async scan({ from, to, limit, order = 'ascending' }: Range): Promise<readonly Entry[]> {
    return this.#look(async (rows) => {
      // An empty range is an error to IndexedDB, and a limit of nothing is none.
      if (from >= to || limit === 0) return [];
      const range = IDBKeyRange.bound(from, to, false, true);
      if (order === 'ascending') return answered<Entry[]>(rows.getAll(range, limit));
      return descending(rows, range, limit ?? Number.POSITIVE_INFINITY);
    });
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.#refuseClosed();
    refuseOversize(batch, LIMITS);
    this.#self ??= webHost.id().slice(0, 18);
    const version: Version = `${this.#self}/${this.#stats.commits++}`;
    const verdict = await new Promise<Verdict>((settle, reject) => {
      this.#waiting.push({ batch, version, settle, reject });
      this.#writing ??= this.#write();
    });
    return verdict === 'committed' ? { status: 'committed', version } : { status: 'conflict' };
  }

  watch(listener: (hint: Hint) => void): () => void {
    return this.#closing ? () => undefined : this.#news.listen(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writing;
    this.#news.close();
    this.#slumber.close();
    await this.#connection.close();
  }

  #look<T>(body: (rows: IDBObjectStore) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#refuseClosed();
      this.#reading.push({
        read: (rows) => body(rows).then(resolve),
        reject: (cause) =>
          reject(this.#closing ? this.#closed() : failed(`the database ${this.#name} could not be read`, cause)),
      });
      if (this.#readers < MOST_READERS) void this.#readOn();
    });
  }

  async #readOn(): Promise<void> {
    this.#readers++;
    // What is asked for in one tick belongs together.
    await null;
    while (this.#reading.length > 0) await this.#readTogether();
    this.#readers--;
  }

  /** In one transaction, because that is what a read costs. */
  async #readTogether(): Promise<void> {
    let left = this.#reading;
    this.#reading = [];
    for (let tries = 1; left.length > 0; tries++) {
      const transaction = await this.#begin('readonly').catch((cause) => {
        for (const { reject } of left) reject(cause);
      });
      if (!transaction) return;
      const rows = transaction.objectStore(ROWS);
      const failures = new Map<Reading, unknown>(left.map((one) => [one, undefined]));
      const read = async (one: Reading): Promise<void> => {
        try {
          await one.read(rows);
          failures.delete(one);
        } catch (cause) {
          failures.set(one, cause);
        }
      };
      await unlessLost(transaction.db, Promise.all(left.map(read))).catch((cause) => {
        for (const one of failures.keys()) failures.set(one, cause);
      });
      if (failures.size === 0) return;
      if (!this.#slumber.wasCut(transaction) && (tries >= TRIES || this.#closing)) {
        for (const [{ reject }, cause] of failures) reject(cause);
        return;
      }
      this.#connection.drop(transaction.db);
      left = [...failures.keys()];
    }
  }

  async #begin(mode: 'readonly' | 'readwrite'): Promise<IDBTransaction> {
    for (let tries = 1; ; ) {
      await this.#slumber.awake();
      const database = await this.#connection.open();
      if (this.#slumber.isAsleep) continue;
      try {
        const transaction = database.transaction(ROWS, mode, { durability: this.#durability });
        this.#stats[mode === 'readonly' ? 'reads' : 'transactions']++;
        return this.#slumber.guard(transaction);
      } catch (cause) {
        // A connection that was lost without a word; nothing was asked of it yet.
        this.#connection.drop(database);
        if (tries++ === TRIES || !isNamed(cause, 'InvalidStateError', 'UnknownError')) {
          throw failed(`the database ${this.#name} could not be used`, cause);
        }
      }
    }
  }

  async #write(): Promise<void> {
    // What is committed in one tick belongs together.
    await null;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, fitting(this.#waiting));
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = await this.#commitGroup(group);
      group.forEach(({ settle }, i) => settle(verdicts[i] as Verdict));
      const changed = group.filter((_, i) => verdicts[i] === 'committed');
      this.#news.tell([...changesOf(changed).keys()]);
    } catch (cause) {
      // What is too much for the disk in company may find room alone; what is too much must not take the others along.
      if (group.length > 1 && isNamed(cause, 'QuotaExceededError')) {
        for (const one of group) await this.#writeGroup([one]);
        return;
      }
      const error = failed(`the database ${this.#name} did not take a commit`, cause);
      for (const { reject } of group) reject(error);
    }
  }

  async #commitGroup(group: readonly Waiting[]): Promise<readonly Verdict[]> {
    let atOnce = areIndependent(group);
    for (;;) {
      const transaction = await this.#begin('readwrite');
      try {
        if (!atOnce) return await commitInTurn(transaction, group);
        const verdict = await commitAtOnce(transaction, group);
        if (verdict === 'committed' || group.length === 1) return group.map(() => verdict);
        // Of whom it is true is found out in turn.
        atOnce = false;
      } catch (cause) {
        if (this.#slumber.wasCut(transaction)) continue;
        if (isNamed(cause, 'QuotaExceededError')) throw cause;
        this.#connection.drop(transaction.db);
        throw (await this.#isGone()) ?? cause;
      }
    }
  }

  /** Whether a commit failed because the database was deleted under it: then how it failed does not matter. */
  async #isGone(): Promise<FuselineError | undefined> {
    const cause = await this.#connection.open().then(
      () => undefined,
      (error: unknown) => error,
    );
    return cause instanceof FuselineError && cause.code === 'STORAGE_CLOSED' ? cause : undefined;
  }

  #refuseClosed(): void {
    if (this.#closing) throw this.#closed();
  }

  #closed(): FuselineError {
    return new FuselineError('STORAGE_CLOSED', `the storage in ${this.#name} was closed; make a new one to go on`);
  }
}

/** How many of those who wait fit in one transaction; one always does. */
function fitting(waiting: readonly Waiting[]): number {
  let ops = 0;
  let length = 0;
  const end = waiting.findIndex(({ batch: { expect = [], put = [], delete: gone = [] } }, i) => {
    ops += expect.length + put.length + gone.length;
    for (const { value } of put) length += value.length;
    return i > 0 && (ops > MOST_OPS || length > MOST_LENGTH);
  });
  return end < 0 ? waiting.length : end;
}

async function descending(rows: IDBObjectStore, range: IDBKeyRange, limit: number): Promise<readonly Entry[]> {
  if (limit === Number.POSITIVE_INFINITY) return (await answered<Entry[]>(rows.getAll(range))).reverse();
  const found: Entry[] = [];
  for await (const cursor of wrap(rows).iterate(range, 'prev')) {
    found.push(cursor.value as Entry);
    if (found.length >= limit) break;
  }
  return found;
}
