import { FuselineError } from '../../core/errors.ts';
import { SortedMap } from '../../core/sorted-map.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';

/** Those of the stores on disk, so that what runs in memory runs there. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };
const CONFLICT: CommitResult = { status: 'conflict' };

/** Keeps its rows in this process's memory. Whoever is given the same store, or one reopened from it, sees the same. */
export class MemoryStore implements Store {
  readonly limits = LIMITS;
  readonly #listeners = new Set<(hint: Hint) => void>();
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
    // Its own identity, so that a function added twice is called twice and removed once.
    const own = (hint: Hint): void => {
      if (this.#listeners.has(own)) listener(hint);
    };
    this.#listeners.add(own);
    this.#rows.listeners.add(own);
    return () => {
      this.#listeners.delete(own);
      this.#rows.listeners.delete(own);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const own of this.#listeners) this.#rows.listeners.delete(own);
    this.#listeners.clear();
  }
}

/** What all handles share. */
class Rows {
  readonly entries = new SortedMap<Entry>();
  readonly listeners = new Set<(hint: Hint) => void>();
  #version = 0;
  #news: Key[] = [];

  commit({ expect, put, delete: gone }: Batch): CommitResult {
    const { entries } = this;
    if (expect) for (const { key, version } of expect) if (entries.get(key)?.version !== version) return CONFLICT;
    const version = ++this.#version;
    if (gone) for (const key of gone) entries.delete(key);
    if (put) for (const { key, value } of put) entries.set(key, { key, value, version });
    if (this.listeners.size > 0) this.#note(put, gone);
    return { status: 'committed', version };
  }

  /** Tells what changed in this tick at its end, because a listener may want to read or write. */
  #note(put: Batch['put'] = [], gone: Batch['delete'] = []): void {
    if (put.length + gone.length === 0) return;
    if (this.#news.length === 0) Promise.resolve().then(() => this.#tell());
    for (const { key } of put) this.#news.push(key);
    for (const key of gone) this.#news.push(key);
  }

  #tell(): void {
    const hint: Hint = { keys: this.#news };
    this.#news = [];
    // A turn of its own for each: what one throws is reported as any unhandled error, and the others are told.
    for (const listener of this.listeners) Promise.resolve(hint).then(listener);
  }
}

function closed(): FuselineError {
  return new FuselineError('STORAGE_CLOSED', 'this memory store was closed; reopen it, or make a new one');
}
