/** The port for everything that is not a pure function of its arguments. Simulations bring a seeded virtual one. */
export interface Host {
  /** Wall clock, epoch milliseconds. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin, never backwards. */
  monotonic(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Unique everywhere, 16 to 36 characters of `[a-z0-9-]`. */
  id(): string;
  /** Calls back once, `ms` milliseconds from now at the earliest, unless cancelled. Keeps the process alive meanwhile. */
  after(ms: number, callback: () => void): () => void;
  abortController(): AbortControllerLike;
}

/**
 * The platform's own `AbortSignal` where the user's program has that type, so that `fetch(url, { signal })` compiles;
 * the part the core itself needs where it has not.
 */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : SignalLike;

export interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface AbortControllerLike {
  readonly signal: Signal;
  abort(reason?: unknown): void;
}

/**
 * The port that tells whether another worker still lives, faster than a silent heartbeat would.
 * Absent where workers cannot outlive each other.
 */
export interface Liveness {
  /** What others need in order to judge this worker; kept in its session. */
  readonly evidence: string;
  /**
   * Calls `gone` once when the worker behind `evidence` is known to be dead or stopped; if it is dead already, before
   * `judged` resolves.
   * `undefined` when this place cannot tell (another machine, another process namespace): its heartbeats decide then.
   */
  watch(evidence: string, gone: () => void): (() => void) | undefined;
  /** Resolves once `gone` was called for everybody watched so far who is dead; absent where that is so in the same tick. */
  judged?(): Promise<void>;
  /**
   * `always`: who hangs does not look dead here, so workers send heartbeats, too, where they are watched, and who falls
   * silent counts as gone.
   */
  readonly heartbeats?: 'always' | 'unwatched';
}

/** The port that tells whether there is a network. Absent where nobody can tell: then there is one. */
export interface Network {
  /** What the platform believes; it may be wrong either way. */
  readonly isOnline: boolean;
  /** Calls back when that changes. */
  watch(changed: () => void): () => void;
  /** Asks the network itself, in bounded time: whether there was an answer. */
  probe(): Promise<boolean>;
}
