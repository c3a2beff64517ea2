import { type Duration, durationMs } from './duration.ts';
import { endErrand } from './errands.ts';
import { FuselineError } from './errors.ts';
import type { Host } from './host.ts';
import { keys, lastPart, parseClaim, under } from './keys.ts';
import { parseHead } from './rows.ts';
import type { Entry, Key, Store } from './store.ts';

/** How many finished runs to keep, or, as a duration in words such as `'30d'`, for how long after their end. */
export interface Keep {
  readonly finished: number | Exclude<Duration, number>;
}

/** Most runs one sweep looks at, and most it removes. */
const LOOKED_AT = 1000;
const REMOVED = 100;
const ROWS = 500;

/**
 * Removal in two steps: one commit takes the run out of every list together with its first entry, without which nobody
 * with an old fold can go on; then its other rows are deleted, a bounded number at a time, by anybody.
 */
export class Retention {
  readonly #store: Store;
  readonly #host: Host;
  readonly #keep: Keep | undefined;
  /** Where the next sweep goes on, and how many finished runs the pass has met. */
  #cursor: string | undefined;
  #met = 0;

  constructor(store: Store, host: Host, keep: Keep | undefined) {
    this.#store = store;
    this.#host = host;
    this.#keep = keep && checked(keep);
  }

  /** `tell`: lets the run's parent know of its end. */
  async remove(run: string, tell: (errand: Key) => Promise<void>): Promise<void> {
    for (;;) {
      const [head] = await this.#store.read([keys.head(run)]);
      if (!head) throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(run)}`);
      const removal = await this.#bury(run, head);
      if (removal === 'untold') await tell(endErrand(run, parseHead(head.value).endedAt as number));
      if (!removal || removal === 'untold') continue;
      while (await this.#dig(removal)) {
        // A run of any length goes row by row.
      }
      return;
    }
  }

  /** Answers how many runs it removed. */
  async sweep(): Promise<number> {
    for (const removal of await this.#store.scan(under('removed/', { limit: REMOVED }))) await this.#dig(removal);
    if (!this.#keep) return 0;
    const { finished } = this.#keep;
    return typeof finished === 'number'
      ? this.#sweepBeyond(finished)
      : this.#sweepOlder(this.#host.now() - durationMs(finished));
  }

  /** Oldest first: the runs that ended before a moment. */
  async #sweepOlder(endedBefore: number): Promise<number> {
    const { from, to } = under('time/');
    const rows = await this.#store.scan({
      from: this.#cursor ?? from,
      to: keys.time(endedBefore, '') < to ? keys.time(endedBefore, '') : to,
      limit: LOOKED_AT,
    });
    return this.#sweepPage(
      rows,
      (endedAt) => endedAt < endedBefore,
      (key) => `${key}!`,
    );
  }

  /** Newest first: all but so many. */
  async #sweepBeyond(count: number): Promise<number> {
    const { from, to } = under('time/');
    const rows = await this.#store.scan({ from, to: this.#cursor ?? to, limit: LOOKED_AT, order: 'descending' });
    return this.#sweepPage(
      rows,
      () => ++this.#met > count,
      (key) => key,
    );
  }

  async #sweepPage(
    rows: readonly Entry[],
    isPast: (endedAt: number) => boolean,
    after: (key: string) => string,
  ): Promise<number> {
    const heads = await this.#store.read(rows.map(({ key }) => keys.head(lastPart(key))));
    let removed = 0;
    for (const [i, row] of rows.entries()) {
      this.#cursor = after(row.key);
      const head = heads[i];
      const endedAt = head && parseHead(head.value).endedAt;
      if (head === undefined || endedAt === undefined || !isPast(endedAt)) continue;
      const removal = await this.#bury(lastPart(row.key), head);
      if (removal === 'untold') continue;
      if (removal) await this.#dig(removal);
      if (++removed >= REMOVED) return removed;
    }
    if (rows.length < LOOKED_AT) {
      this.#cursor = undefined;
      this.#met = 0;
    }
    return removed;
  }

  /** `undefined`: somebody changed the run meanwhile. `untold`: it has a parent that does not know of its end. */
  async #bury(run: string, head: Entry): Promise<Pick<Entry, 'key' | 'value'> | 'untold' | undefined> {
    const { incarnation, createdAt, endedAt, status, parent } = parseHead(head.value);
    if (endedAt === undefined) {
      throw new FuselineError(
        'RUN_NOT_FINISHED',
        `run ${run} is ${status}; cancel it first, only a run that has ended can be removed`,
      );
    }
    // Somebody waits for it, and does not know of its end.
    if (parent && (await this.#store.read([endErrand(run, endedAt)]))[0]) return 'untold';
    const removal = { key: keys.removed(this.#host.now(), run), value: incarnation };
    const claims = (await this.#store.scan(under('claim/'))).filter(({ key }) => parseClaim(key).run === run);
    const result = await this.#store.commit({
      expect: [head],
      put: [removal],
      delete: [
        head.key,
        keys.entry(run, incarnation, 0),
        keys.time(createdAt, run),
        ...claims.map(({ key: claim }) => claim),
      ],
    });
    return result.status === 'committed' ? removal : undefined;
  }

  /** Deletes some of a removed run's rows, at last the one that tells of it; answers whether there may be more. */
  async #dig({ key, value: incarnation }: Pick<Entry, 'key' | 'value'>): Promise<boolean> {
    const run = lastPart(key);
    const rows = [
      ...(await this.#store.scan(under(`entry/${run}/${incarnation}/`, { limit: ROWS }))),
      ...(await this.#store.scan(under(`value/${run}/${incarnation}/`, { limit: ROWS }))),
    ];
    await this.#store.commit({ delete: rows.length > 0 ? rows.map((row) => row.key) : [key] });
    return rows.length > 0;
  }
}

function checked(keep: Keep): Keep {
  const { finished } = keep;
  if (typeof finished !== 'number') durationMs(finished);
  else if (!(Number.isInteger(finished) && finished >= 0)) {
    throw new TypeError(`keep.finished is ${finished}; write how many runs to keep, or a duration such as '30d'`);
  }
  return keep;
}
