import { FuselineError } from '../../core/errors.ts';
import { SortedMap } from '../../core/sorted-map.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';
import { News } from '../news.ts';

/** Those of the stores on disk, so that what runs in memory runs there. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };
const CONFLICT: CommitResult = { status: 'conflict' };

/** Keeps its rows in this process's memory. Whoever is given the same store, or one reopened from it, sees the same. */
export class MemoryStore implements Store {
  readonly limits = LIMITS;
  readonly #unlisten = new Set<() => void>();
  #rows = new Rows();
  #closed = false;

  /** Another handle on the same rows: what another process, or this one after a restart, would hold. */
  reopen(): MemoryStore {
    const other = new MemoryStore();
    other.#rows = this.#rows;
    return other;
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    if (this.#closed) throw closed();
    return keys.map((key) => this.#rows.entries.get(key));
  }

  async scan({ from, to, limit, order }: Range): Promise<readonly Entry[]> {
    if (this.#closed) throw closed();
    const found: Entry[] = [];
    for (const [, entry] of this.#rows.entries.range(from, to, limit, order)) found.push(entry);
    return found;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    if (this.#closed) throw closed();
    refuseOversize(batch, LIMITS);
    return this.#rows.commit(batch);
  }

  watch(listener: (hint: Hint) => void): () => void {
    if (this.#closed) return () => undefined;
    const unlisten = this.#rows.news.listen(listener);
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
}

/** What all handles share. */
class Rows {
  readonly entries = new SortedMap<Entry>();
  readonly news = new News();
  #version = 0;

  commit(batch: Batch): CommitResult {
    const { expect, put, delete: gone } = batch;
    const { entries } = this;
    if (expect) for (const { key, version } of expect) if (entries.get(key)?.version !== version) return CONFLICT;
    const version = ++this.#version;
    if (gone) for (const key of gone) entries.delete(key);
    if (put) for (const { key, value } of put) entries.set(key, { key, value, version });
    this.news.tell(batch);
    return { status: 'committed', version };
  }
}

function closed(): FuselineError {
  return new FuselineError('STORAGE_CLOSED', 'this memory store was closed; reopen it, or make a new one');
}
