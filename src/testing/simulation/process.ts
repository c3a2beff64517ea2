import type { AbortControllerLike, Host, Liveness } from '../../core/host.ts';
import type { Random } from '../random.ts';
import type { VirtualHost } from '../virtual-host.ts';

/** So long after it was paused a process may not know yet what others have made of that. */
export const NOTICE_MS = 10_000;
/** Who slept longer than this has not listened meanwhile. */
const NAP_MS = 10_000;

/**
 * A process of a simulated world: a clock of its own, which may be set, over the time of the world; timers that wait
 * while it is paused and are gone once it is dead. Whatever it does, it does in a timer's turn, so that between two turns
 * it can be stopped for good or for a while.
 */
export class Process implements Host {
  readonly name: string;
  readonly #world: VirtualHost;
  readonly #random: Random;
  readonly #deaths = new Set<() => void>();
  #state: 'running' | 'paused' | 'dead' = 'running';
  #excusedUntil = Number.NEGATIVE_INFINITY;
  #pausedAt = Number.NEGATIVE_INFINITY;
  /** Where it was awake, with naps at most. */
  readonly #awake: { readonly from: number; to: number }[];
  #offset = 0;
  #ids = 0;
  /** What came due while it was paused. */
  #backlog: (() => void)[] = [];

  constructor(name: string, world: VirtualHost, random: Random) {
    this.name = name;
    this.#world = world;
    this.#random = random;
    this.#awake = [{ from: world.monotonic(), to: Number.POSITIVE_INFINITY }];
  }

  get state(): 'running' | 'paused' | 'dead' {
    return this.#state;
  }

  /** Whether others may rightly have taken it for dead, and it may not have noticed yet. */
  get isExcused(): boolean {
    return this.#state === 'paused' || this.#world.monotonic() < this.#excusedUntil;
  }

  /** Whether it has been awake for `ms` on end, at any time after `since`. */
  hasListened(since: number, ms: number): boolean {
    const now = this.#world.monotonic();
    return this.#awake.some(({ from, to }) => Math.min(to, now) - Math.max(from, since) >= ms);
  }

  now(): number {
    return this.#world.now() + this.#offset;
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  random(): number {
    return this.#random.next();
  }

  id(): string {
    return `${this.name}-${String(++this.#ids).padStart(12, '0')}`;
  }

  after(ms: number, callback: () => void): () => void {
    let wanted = true;
    const fire = (): void => {
      if (!wanted || this.#state === 'dead') return;
      if (this.#state === 'paused') this.#backlog.push(fire);
      else callback();
    };
    const cancel = this.#world.after(ms, fire);
    return () => {
      wanted = false;
      cancel();
    };
  }

  abortController(): AbortControllerLike {
    return this.#world.abortController();
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#pausedAt = this.#world.monotonic();
  }

  goOn(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const now = this.#world.monotonic();
    this.#excusedUntil = now + NOTICE_MS;
    const last = this.#awake.at(-1);
    if (last && now - this.#pausedAt > NAP_MS) {
      last.to = this.#pausedAt;
      this.#awake.push({ from: now, to: Number.POSITIVE_INFINITY });
    }
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const fire of backlog) this.#world.after(0, fire);
  }

  /** Nothing it had begun is ever finished. */
  die(): void {
    this.#state = 'dead';
    for (const tell of this.#deaths) this.#world.after(0, tell);
    this.#deaths.clear();
  }

  setClock(offsetMs: number): void {
    this.#offset = offsetMs;
  }

  onDeath(tell: () => void): () => void {
    this.#deaths.add(tell);
    return () => this.#deaths.delete(tell);
  }
}

/** A platform that tells every process at once when another one dies. */
export function seenBy(process: Process, find: (name: string) => Process | undefined): Liveness {
  return {
    evidence: process.name,
    watch(evidence, gone) {
      const other = find(evidence);
      if (!other) return undefined;
      if (other.state !== 'dead') {
        return other.onDeath(() => {
          if (process.state === 'running') gone();
        });
      }
      gone();
      return () => undefined;
    },
  };
}
