/** Above this average a sync is left to the thread pool, so that a slow disk holds nothing else of the process up. */
const QUICK_MS = 1.5;
/** How many syncs the pool then has before the disk is tried again. */
const PAUSE = 64;
/** How much one sync counts in the average: a single slow one among quick ones is no slow disk. */
const WEIGHT = 1 / 8;

/** Whether the disk answers so quickly that waiting for it in place costs less than a hop to the thread pool and back. */
export class SyncPace {
  #averageMs = 0;
  #pause = 0;

  get isQuick(): boolean {
    return this.#pause === 0;
  }

  /** A sync was done in place, and took so long. */
  took(ms: number): void {
    this.#averageMs += (ms - this.#averageMs) * WEIGHT;
    if (this.#averageMs <= QUICK_MS) return;
    this.#pause = PAUSE;
    this.#averageMs = 0;
  }

  /** A sync was left to the pool. */
  passed(): void {
    if (this.#pause > 0) this.#pause--;
  }
}
