import type { Claim } from './claims.ts';
import type { Context } from './context.ts';
import { FuselineError } from './errors.ts';
import type { AbortControllerLike, Host, Signal } from './host.ts';
import type { RuntimeStorage } from './storage.ts';

const HEARTBEAT_MS = 1000;

/** One attempt under way in this process. */
export class Attempt implements Context {
  readonly claim: Claim;
  readonly startedAt: number;
  /** `open`: its result is wanted. `closed`: it was reported, or taken away. */
  state: 'open' | 'closed' = 'open';
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #tell: (claim: Claim, message: string, details: unknown) => void;
  readonly #once = new Map<string, Promise<unknown>>();
  #controller: AbortControllerLike | undefined;
  #reason: unknown;
  #beatAt = Number.NEGATIVE_INFINITY;

  constructor(claim: Claim, storage: RuntimeStorage, tell: (claim: Claim, message: string, details: unknown) => void) {
    this.claim = claim;
    this.#storage = storage;
    this.#host = storage.host;
    this.#tell = tell;
    this.startedAt = this.#host.monotonic();
    // Handlers take the context apart.
    this.heartbeat = this.heartbeat.bind(this);
    this.once = this.once.bind(this);
    this.log = this.log.bind(this);
  }

  get runId(): string {
    return this.claim.run;
  }

  get step(): string {
    return this.claim.spec.name;
  }

  get attempt(): number {
    return this.claim.attempt;
  }

  get key(): string {
    return this.claim.key;
  }

  // Most steps never ask for it.
  get signal(): Signal {
    if (!this.#controller) {
      this.#controller = this.#host.abortController();
      if (this.state === 'closed' && this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: FuselineError): void {
    this.state = 'closed';
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  heartbeat(progress?: unknown): void {
    const now = this.#host.monotonic();
    if (progress === undefined || this.state === 'closed' || now - this.#beatAt < HEARTBEAT_MS) return;
    this.#beatAt = now;
    // Progress is news, not a result: what could not be recorded is told again soon.
    this.#storage
      .progress(this.runId, this.claim.fence, progress)
      .catch((error) => this.log('progress was not recorded', error));
  }

  once<T>(key: string, fn: () => T | Promise<T>): Promise<T> {
    const known = this.#once.get(key) ?? this.#doOnce(key, fn);
    this.#once.set(key, known);
    return known as Promise<T>;
  }

  log(message: string, details?: unknown): void {
    this.#tell(this.claim, message, details);
  }

  async #doOnce(key: string, fn: () => unknown): Promise<unknown> {
    const recorded = this.claim.checkpoints.get(key);
    if (recorded !== undefined) return this.#storage.load(this.runId, recorded);
    try {
      const value = await fn();
      const status = await this.#storage.checkpoint(this.runId, this.claim.fence, key, value);
      if (status === 'stale') {
        throw new FuselineError(
          'CLAIM_LOST',
          `step ${JSON.stringify(this.step)} of run ${this.runId} was taken from this worker, so ${JSON.stringify(key)} was not recorded`,
        );
      }
      return value;
    } catch (error) {
      // The same attempt may try again.
      this.#once.delete(key);
      throw error;
    }
  }
}
