import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorCode, FuselineError } from '../../core/errors.ts';
import { Listeners } from '../../core/listeners.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';
import { News } from '../news.ts';
import { SqlRows } from '../sql-rows.ts';
import { Database, nodeSqlite } from './database.ts';

/** `strict`: a commit is on the disk when it resolves. `relaxed`: the operating system writes it when it likes. */
export type SqliteDurability = 'strict' | 'relaxed';

export interface SqliteStoreOptions {
  /** `strict` unless told. */
  readonly durability?: SqliteDurability;
}

/** Those of the other stores, so that what runs here runs there. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };

/** How long a process waits for another one to finish its commit. */
const PATIENCE_MS = 5_000;

/** SQLite's own wait does not hold where the file is made ready for the log: this is how often that is tried again. */
const READY_AGAIN_MS = 5;

/** How often it is looked whether another connection wrote; the look reads a number from shared memory. */
const LOOK_MS = 50;

/** https://sqlite.org/rescode.html */
const BUSY = 5;
const CODES: Readonly<Record<number, ErrorCode>> = { 11: 'STORAGE_CORRUPT', 13: 'STORAGE_FULL', 26: 'STORAGE_CORRUPT' };

const ADVICE: Partial<Record<ErrorCode, string>> = {
  STORAGE_CORRUPT: 'it is damaged, or no SQLite database; restore it, or use another path',
  STORAGE_FULL: 'make room on the disk, and work goes on',
};

/**
 * Keeps its rows in a SQLite file, by the SQLite that Node brings. A commit is one transaction in write-ahead-log mode
 * and holds up its process until it is over; readers wait for nobody. The file must be on a disk of this machine.
 */
export class SqliteStore implements Store {
  readonly limits = LIMITS;
  readonly #path: string;
  readonly #durability: SqliteDurability;
  readonly #news = new News();
  readonly #elsewhere = new Listeners<Hint>();
  #database: Database | undefined;
  #rows: SqlRows | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Changes when another connection has written. */
  #seen: unknown;
  #isClosed = false;

  /** Throws `STORAGE_UNSUPPORTED` on a Node without `node:sqlite`. */
  constructor(path: string, { durability = 'strict' }: SqliteStoreOptions = {}) {
    nodeSqlite();
    this.#path = path;
    this.#durability = durability;
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#ask('could not be read', (rows, database) =>
      database.snapshot(() => keys.map((key) => rows.get(key))),
    );
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    return this.#ask('could not be read', (rows, database) => database.snapshot(() => rows.scan(range)));
  }

  async commit(batch: Batch): Promise<CommitResult> {
    return this.#ask('did not take a commit', (rows, database) => {
      refuseOversize(batch, LIMITS);
      const result = database.transaction(() => rows.commit(batch));
      if (result.status === 'committed') this.#news.tell(batch);
      return result;
    });
  }

  watch(listener: (hint: Hint) => void): () => void {
    if (this.#isClosed) return () => undefined;
    const [unlistenHere, unlistenElsewhere] = [this.#news.listen(listener), this.#elsewhere.add(listener)];
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return () => {
      unlistenHere();
      unlistenElsewhere();
      if (this.#elsewhere.size === 0) this.#stopLooking();
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopLooking();
    this.#database?.close();
  }

  #look(): void {
    try {
      const [row] = this.#open().all('PRAGMA data_version');
      if (this.#seen !== undefined && row?.data_version !== this.#seen) this.#elsewhere.tell({});
      this.#seen = row?.data_version;
    } catch {
      // A hint may be lost; whoever reads or commits hears what is wrong.
    }
  }

  #stopLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#seen = undefined;
  }

  #open(): Database {
    if (this.#database) return this.#database;
    mkdirSync(dirname(this.#path), { recursive: true });
    const database = new Database(this.#path);
    try {
      database.all(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
      writeAhead(database);
      database.all(`PRAGMA synchronous = ${this.#durability === 'strict' ? 'FULL' : 'NORMAL'}`);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #ask<T>(what: string, body: (rows: SqlRows, database: Database) => T): T {
    if (this.#isClosed) throw new FuselineError('STORAGE_CLOSED', 'this store was closed; make a new one to go on');
    try {
      const database = this.#open();
      this.#rows ??= new SqlRows(database);
      return body(this.#rows, database);
    } catch (cause) {
      // The numbers it took from the database may have been rolled back with the rest.
      this.#rows = undefined;
      if (cause instanceof FuselineError) throw cause;
      const { message } = cause as Error;
      const code = CODES[codeOf(cause)] ?? 'STORAGE_FAILED';
      const advice = ADVICE[code];
      throw new FuselineError(code, `${this.#path} ${what}: ${message}${advice === undefined ? '' : `; ${advice}`}`, {
        cause,
      });
    }
  }
}

/** Of several processes that make a new file ready at the same time SQLite refuses all but one, and at once. */
function writeAhead(database: Database): void {
  for (const end = performance.now() + PATIENCE_MS; ; pause(READY_AGAIN_MS)) {
    try {
      database.all('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (codeOf(error) !== BUSY || performance.now() >= end) throw error;
    }
  }
}

/** Without what is said more closely in the higher bits. */
function codeOf(error: unknown): number {
  const { errcode = 0 } = error as { readonly errcode?: number };
  return errcode & 0xff;
}

/** Holds up the process, as every commit to the file does. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
