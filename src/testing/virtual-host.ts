import type { AbortControllerLike, Host } from '../core/host.ts';
import { type Random, seeded } from './random.ts';

export interface VirtualHostOptions {
  /** Resolves once everything has happened that waits for nothing but promises; `setImmediate` in Node. */
  readonly settle: () => Promise<unknown>;
  readonly abortController: () => AbortControllerLike;
  readonly seed?: number;
  /** Epoch milliseconds; the first of January 2020 unless told. */
  readonly now?: number;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** More of virtual time than anything may take that a test waits for. */
const PATIENCE_MS = 86_400_000;

/** A host whose time passes only when it is told to: timers fire in order, chance and ids follow from the seed. */
export class VirtualHost implements Host {
  readonly abortController: () => AbortControllerLike;
  readonly #settle: () => Promise<unknown>;
  readonly #random: Random;
  readonly #timers = new Set<Timer>();
  #now: number;
  #ids = 0;

  constructor({ settle, abortController, seed = 1, now = Date.UTC(2020, 0, 1) }: VirtualHostOptions) {
    this.#settle = settle;
    this.abortController = abortController;
    this.#random = seeded(seed);
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  random(): number {
    return this.#random.next();
  }

  id(): string {
    return `virtual-${String(++this.#ids).padStart(12, '0')}`;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass, and everything happen that is due meanwhile. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new TypeError(`time cannot pass by ${ms} ms; a virtual clock does not run backwards`);
    const end = this.#now + ms;
    await this.#settle();
    for (let next = this.#next(end); next; next = this.#next(end)) await this.#fire(next);
    this.#now = end;
    await this.#settle();
  }

  /** Lets as much time pass as it takes for `promise` to settle. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    const end = this.#now + PATIENCE_MS;
    await this.#settle();
    while (!settled) {
      const next = this.#next(end);
      if (!next) throw new Error('nothing is left that could happen, and what was waited for has not');
      await this.#fire(next);
    }
    return promise;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && !(first && first.at <= timer.at)) first = timer;
    return first;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    await this.#settle();
  }
}
