import type { Log } from './log.ts';
import { flush, merge, type TableWork } from './table-work.ts';

/** A block is this share of a segment: what is read for one key, and a table's unit of order. */
const BLOCK_SHARE = 1 / 64;
/** With so many segments in no table, whoever was to make one of them has died over it. */
const OVERDUE_SEGMENTS = 2;
/** With so many tables, whoever was to merge them did not live long enough. */
const OVERDUE_TABLES = 32;
/** A merge of no more than this is finished by a process that is about to end. */
const QUICK_SEGMENTS = 16;
/** How long to leave things alone: another process may be about to do the same, or there was no room for it. */
const PAUSE_MS = 1000;

/**
 * Ends segments that have grown long and makes tables of them, and of several tables one, so that a directory opens
 * quickly and the space of what is dead goes back to the disk. Whatever fails here leaves the log as it was, and the
 * next attempt comes with the next writes.
 */
export class Compactor {
  readonly #log: Log;
  readonly #segmentBytes: number;
  readonly #work: TableWork;
  #adoptAt = 0;
  #flushAt = 0;
  #mergeAt = 0;
  #flushing: Promise<void> | undefined;
  #merging: Promise<void> | undefined;
  #closed = false;

  constructor(log: Log, segmentBytes: number) {
    this.#log = log;
    this.#segmentBytes = segmentBytes;
    const { directory, stats: meter } = log;
    this.#work = { directory, meter, blockBytes: Math.ceil(segmentBytes * BLOCK_SHARE) };
  }

  /** Cheap where there is nothing to do. */
  consider(): void {
    if (this.#closed) return;
    const now = performance.now();
    try {
      this.#adopt(now);
      if (this.#log.rows.tables.list.length > OVERDUE_TABLES && now >= this.#mergeAt) {
        this.#mergeAt = now + PAUSE_MS;
        this.#mergeAll();
      }
      if (this.#isLong() && !this.#flushing && now >= this.#flushAt) {
        this.#flushAt = now + PAUSE_MS;
        this.#flush();
      }
    } catch {
      // Whoever reads or commits next meets the same trouble, and is told.
    }
  }

  /** What somebody who only reads does for himself: he writes nothing, and keeps no segment that others removed. */
  adopt(): void {
    if (this.#closed) return;
    try {
      this.#adopt(performance.now());
    } catch {
      // As above.
    }
  }

  /**
   * A table that is being made of the log is finished, and so is a small merge, so that processes that live shortly leave
   * a short log and few tables.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.#merging;
  }

  #adopt(now: number): void {
    if (now < this.#adoptAt) return;
    this.#adoptAt = now + PAUSE_MS;
    this.#log.adopt();
  }

  #isLong(): boolean {
    const { segment, sealedBytes } = this.#log;
    return segment.size >= this.#segmentBytes || sealedBytes >= OVERDUE_SEGMENTS * this.#segmentBytes;
  }

  #flush(): void {
    const cut = this.#log.seal();
    if (!cut) return;
    this.#flushing = flush(this.#work, cut)
      .then((done) => {
        if (!done) return;
        this.#flushAt = 0;
        this.#tookEffect();
        this.#mergeAll();
      })
      .catch(() => undefined)
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  #mergeAll(): void {
    this.#merging ??= this.#merge().finally(() => {
      this.#merging = undefined;
    });
  }

  async #merge(): Promise<void> {
    const quick = QUICK_SEGMENTS * this.#segmentBytes;
    try {
      do {
        if (!(await merge(this.#work, (bytes) => this.#closed && bytes > quick))) return;
        this.#tookEffect();
      } while (!this.#closed);
    } catch {
      // There was no room, or others removed what it read: the next table gives a new occasion.
    }
  }

  #tookEffect(): void {
    this.#log.stats.compactions++;
    this.#log.adopt();
  }
}
