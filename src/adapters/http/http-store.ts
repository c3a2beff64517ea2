import { FuselineError } from '../../core/errors.ts';
import { Listeners } from '../../core/listeners.ts';
import type { CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { webHost } from '../host.ts';
import type { Connection } from './connection.ts';
import { gathered } from './gather.ts';
import type { FarNews, FarPage, FarRow, Refusal } from './wire.ts';

/** Those of the stores that may be behind it. */
const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };
const MOST_KEYS = 1000;
const MOST_RANGES = 100;
/** News come by themselves, and so often at most. */
const LOOK_MS = 10_000;
const NEWS_WAIT_MS = 20_000;
const NEWS_REST_MS = 50;
const NEWS_AWAY_MS = 2_000;

/** The rows behind a service, to be read. What is written goes by the storage's own verbs. */
export class HttpStore implements Store {
  readonly limits = LIMITS;
  readonly lookMs = LOOK_MS;
  readonly #connection: Connection;
  readonly #asker = webHost.id();
  readonly #listeners = new Listeners<Hint>();
  readonly #row: (key: Key) => Promise<FarRow>;
  readonly #page: (range: Range) => Promise<FarPage>;
  #stop: AbortController | undefined;
  #partialAt = Number.NEGATIVE_INFINITY;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#row = gathered(
      async (keys) => {
        const found: FarRow[] = [];
        // An answer has the first of them, as many as it has room for.
        while (found.length < keys.length) {
          const body = { keys: keys.slice(found.length) };
          const { rows } = await connection.ask<{ readonly rows: readonly FarRow[] }>('/rows/read', { body });
          if (rows.length === 0) throw new FuselineError('INTERNAL', 'the service answered less than it was asked');
          found.push(...rows);
        }
        return found;
      },
      { most: MOST_KEYS },
    );
    this.#page = gathered(
      async (ranges) =>
        (await connection.ask<{ readonly pages: readonly FarPage[] }>('/rows/scan', { body: { ranges } })).pages,
      { most: MOST_RANGES },
    );
  }

  read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return Promise.all(keys.map((key) => this.#entry(key)));
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    const patience = this.#connection.patience();
    for (let { from, to, limit } = range; ; ) {
      const page = await this.#page({ ...range, from, to, ...(limit !== undefined && { limit }) });
      if (page.refused) {
        await patience(errorFor(page.refused));
        continue;
      }
      if (page.isPartial) this.#partialAt = webHost.monotonic();
      found.push(...page.rows);
      const last = page.rows.at(-1);
      if (!page.isCut) return found;
      // What was asked for in the same request left no room.
      if (!last) continue;
      if (limit !== undefined) limit -= page.rows.length;
      // No key has a character before this one.
      if (range.order === 'descending') to = last.key;
      else from = `${last.key}!`;
    }
  }

  /** Whether rows may have been missing from what was scanned since then. */
  wasPartial(since: number): boolean {
    return this.#partialAt >= since;
  }

  async commit(): Promise<CommitResult> {
    throw new FuselineError('STORAGE_UNSUPPORTED', 'rows behind a service are written by the service only');
  }

  watch(listener: (hint: Hint) => void): () => void {
    const unlisten = this.#listeners.add(listener);
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    return () => {
      unlisten();
      if (this.#listeners.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#stop?.abort();
    this.#connection.close();
  }

  async #entry(key: Key): Promise<Entry | undefined> {
    const patience = this.#connection.patience();
    for (;;) {
      const row = await this.#row(key);
      if (!row) return undefined;
      if ('value' in row) return { key, ...row };
      await patience(errorFor(row.refused));
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let cursor: string | undefined; !signal.aborted; ) {
      try {
        const waitMs = cursor === undefined ? 0 : NEWS_WAIT_MS;
        const body = { asker: this.#asker, waitMs, ...(cursor !== undefined && { cursor }) };
        const news = await this.#connection.ask<FarNews>('/rows/news', { body, waitMs, signal, tries: 'once' });
        if (signal.aborted) return;
        cursor = news.cursor;
        const { keys } = news;
        if (!keys || keys.length > 0) this.#listeners.tell(keys ? { keys } : {});
        await this.#connection.rest(NEWS_REST_MS, signal);
      } catch (error) {
        if (error instanceof FuselineError && error.code === 'STORAGE_CLOSED') return;
        await this.#connection.rest(NEWS_AWAY_MS, signal);
      }
    }
  }
}

/** Thrown at once where it would be the same later. */
function errorFor({ code, message }: Refusal): FuselineError {
  const error = new FuselineError(code, message);
  if (code !== 'UNAVAILABLE') throw error;
  return error;
}
