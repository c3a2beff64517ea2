import type { Log } from './log.ts';
import { compact } from './snapshot.ts';

/** So much of a segment must be there before it is sealed early, because most of the log is dead. */
const EARLY_SEAL_SHARE = 1 / 8;
/** How long to leave things alone: another process may be about to do the same, or there was no room for it. */
const PAUSE_MS = 1000;

/**
 * Ends segments that have grown long, and gives the space of what is dead back to the disk. Whatever fails here leaves
 * the log as it was, and the next attempt comes with the next writes.
 */
export class Compactor {
  readonly #log: Log;
  readonly #segmentBytes: number;
  #notBefore = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(log: Log, segmentBytes: number) {
    this.#log = log;
    this.#segmentBytes = segmentBytes;
  }

  /** Cheap where there is nothing to do. */
  consider(): void {
    const { segment, older } = this.#log;
    const isStale = older.some(({ ordinal }) => ordinal !== segment.ordinal);
    if (!isStale && this.#next() === 'nothing') return;
    if (this.#running || this.#closed || performance.now() < this.#notBefore) return;
    this.#notBefore = performance.now() + PAUSE_MS;
    try {
      this.#log.adopt();
      this.#sealAndCompact();
    } catch {
      // Whoever reads or commits next meets the same trouble, and is told.
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #next(): 'nothing' | 'seal' | 'compact' {
    const { segment, older, rows } = this.#log;
    const total = older.reduce((sum, { size }) => sum + size, segment.size);
    const isMostlyDead = total >= this.#segmentBytes && rows.bytes * 2 < total;
    if (isMostlyDead && segment.size >= this.#segmentBytes * EARLY_SEAL_SHARE) return 'compact';
    return segment.size >= this.#segmentBytes ? 'seal' : 'nothing';
  }

  #sealAndCompact(): void {
    const log = this.#log;
    const next = this.#next();
    if (next === 'nothing') return;
    const cut = log.seal();
    if (!cut || next === 'seal') return;
    this.#running = compact(log.directory, cut, () => this.#closed)
      .then((done) => {
        if (!done) return;
        log.stats.compactions++;
        log.adopt();
        this.#notBefore = 0;
      })
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
  }
}
