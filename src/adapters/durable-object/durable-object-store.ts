import { FuselineError } from '../../core/errors.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';
import { SqlRows } from '../sql-rows.ts';
import { newsOf } from './news.ts';

export interface DurableObjectStoreOptions {
  /** Called in the turn of every commit that wrote something, so that what it writes is part of the same change. */
  readonly wrote?: () => void;
}

export interface DurableObjectStoreStats {
  readonly commits: number;
  /** As they are billed. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** Those of the other stores, so that what runs here runs there. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };

/**
 * Keeps its rows in the SQLite storage of a Durable Object. A commit resolves before it is on the disk, but nothing that
 * follows from it leaves the object until it is: the platform holds back answers and outgoing requests, and if the write
 * fails, the object and all it knew are gone.
 * https://developers.cloudflare.com/durable-objects/api/storage-api/#sql-api
 */
export class DurableObjectStore implements Store {
  readonly limits = LIMITS;
  #rows: SqlRows;
  readonly #storage: DurableObjectStorage;
  readonly #wrote: () => void;
  readonly #unlisten = new Set<() => void>();
  #closed = false;
  #commits = 0;
  #rowsRead = 0;
  #rowsWritten = 0;

  constructor(storage: DurableObjectStorage, { wrote = () => undefined }: DurableObjectStoreOptions = {}) {
    this.#storage = storage;
    this.#wrote = wrote;
    this.#rows = this.#open();
  }

  /** What this handle did so far. */
  stats(): DurableObjectStoreStats {
    return { commits: this.#commits, rowsRead: this.#rowsRead, rowsWritten: this.#rowsWritten };
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#ask('could not be read', () => keys.map((key) => this.#rows.get(key)));
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    return this.#ask('could not be read', () => this.#rows.scan(range));
  }

  async commit(batch: Batch): Promise<CommitResult> {
    return this.#ask('did not take a commit', () => {
      refuseOversize(batch, LIMITS);
      const result = this.#rows.commit(batch);
      const { put = [], delete: gone = [] } = batch;
      if (result.status === 'conflict' || put.length + gone.length === 0) return result;
      this.#commits++;
      this.#wrote();
      newsOf(this.#storage).tell(batch);
      return result;
    });
  }

  watch(listener: (hint: Hint) => void): () => void {
    if (this.#closed) return () => undefined;
    const unlisten = newsOf(this.#storage).listen(listener);
    this.#unlisten.add(unlisten);
    return () => {
      unlisten();
      this.#unlisten.delete(unlisten);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unlisten of this.#unlisten) unlisten();
    this.#unlisten.clear();
  }

  #open(): SqlRows {
    const storage = this.#storage;
    return new SqlRows({
      all: (statement, ...parameters) => {
        const cursor = storage.sql.exec(statement, ...parameters);
        const rows = cursor.toArray();
        this.#rowsRead += cursor.rowsRead;
        this.#rowsWritten += cursor.rowsWritten;
        return rows;
      },
      transaction: (body) => storage.transactionSync(body),
    });
  }

  #ask<T>(what: string, body: () => T): T {
    if (this.#closed) throw new FuselineError('STORAGE_CLOSED', 'this store was closed; make a new one to go on');
    try {
      return body();
    } catch (cause) {
      if (cause instanceof FuselineError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      // `deleteAll` is the user's to call: what comes next finds an empty store.
      if (reason.includes('no such table') && this.#rows.isGone) this.#rows = this.#open();
      const isFull = /SQLITE_FULL|disk is full/.test(reason);
      throw new FuselineError(
        isFull ? 'STORAGE_FULL' : 'STORAGE_FAILED',
        `the storage of the object ${what}: ${reason}${isFull ? '; remove old runs, or use more shards' : ''}`,
        { cause },
      );
    }
  }
}
