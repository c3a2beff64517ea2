import type { AbortControllerLike, Host } from '../core/host.ts';
import { type Random, seeded } from './random.ts';
import { settle } from './settle.ts';

/** So long after a moment its timers fire one by one; beyond, only what is due at the end of the leap fires. */
const WALK_MS = 1_100;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * Time that leaps: to the engine a long wait looks as if its process had been asleep, so that days of polling cost
 * nothing. Its first second passes timer by timer, because what follows an event soon (progress, looks) is ordered.
 */
export class LeapingClock {
  readonly #random: Random;
  readonly #timers = new Set<Timer>();
  #now: number;
  #ids = 0;

  constructor(now: number, seed: number) {
    this.#now = now;
    this.#random = seeded(seed);
  }

  now(): number {
    return this.#now;
  }

  /** The host of one process, whose timers fire while it is `alive`. */
  host(alive: () => boolean): Host {
    return {
      now: () => this.#now,
      monotonic: () => this.#now,
      random: () => this.#random.next(),
      id: () => `virtual-${String(++this.#ids).padStart(12, '0')}`,
      after: (ms, callback) => this.#after(ms, () => alive() && callback()),
      abortController,
    };
  }

  /** The moment of the first timer. */
  next(): number | undefined {
    return this.#first(Number.POSITIVE_INFINITY)?.at;
  }

  async passTo(end: number): Promise<void> {
    const walkEnd = Math.min(end, this.#now + WALK_MS);
    await this.#fireUntil(walkEnd);
    this.#now = Math.max(this.#now, end);
    await this.#fireUntil(this.#now);
  }

  async #fireUntil(end: number): Promise<void> {
    await settle();
    for (let timer = this.#first(end); timer; timer = this.#first(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
      await settle();
    }
  }

  #first(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && !(first && first.at <= timer.at)) first = timer;
    return first;
  }

  #after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}

// Every platform has it, and this project is compiled for none.
function abortController(): AbortControllerLike {
  const { AbortController } = globalThis as unknown as { AbortController: new () => AbortControllerLike };
  return new AbortController();
}
