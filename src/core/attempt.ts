import type { Claim } from './claims.ts';
import type { Context } from './context.ts';
import { FuselineError } from './errors.ts';
import type { AbortControllerLike, Host, Signal } from './host.ts';
import type { RuntimeStorage } from './storage.ts';

const HEARTBEAT_MS = 1000;
/** Parts of a stream that are recorded in one go. */
const PARTS_AT_ONCE = 256;

/** One attempt under way in this process. */
export class Attempt implements Context {
  readonly claim: Claim;
  readonly startedAt: number;
  /** Whether it was pointed out that the attempt takes long. */
  slow: 'untold' | 'told' = 'untold';
  /** `open`: its result is wanted. `closed`: it was reported, or taken away. */
  state: 'open' | 'closed' = 'open';
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #tell: (claim: Claim, message: string, details: unknown) => void;
  readonly #once = new Map<string, Promise<unknown>>();
  #controller: AbortControllerLike | undefined;
  #reason: unknown;
  #beatAt = Number.NEGATIVE_INFINITY;
  /** The newest progress that is not told yet, and the timer that will. */
  #progress: { readonly value: unknown } | undefined;
  #cancelBeat: (() => void) | undefined;
  /** Parts that wait for those before them to be recorded, and how many there were. */
  readonly #parts: unknown[] = [];
  #said = 0;
  #saying: Promise<void> | undefined;

  constructor(claim: Claim, storage: RuntimeStorage, tell: (claim: Claim, message: string, details: unknown) => void) {
    this.claim = claim;
    this.#storage = storage;
    this.#host = storage.host;
    this.#tell = tell;
    this.startedAt = this.#host.monotonic();
    // Handlers take the context apart.
    this.heartbeat = this.heartbeat.bind(this);
    this.once = this.once.bind(this);
    this.emit = this.emit.bind(this);
    this.log = this.log.bind(this);
  }

  /** Its result is not wanted any more. */
  get isClosed(): boolean {
    return this.state === 'closed';
  }

  get runId(): string {
    return this.claim.run;
  }

  get step(): string {
    return this.claim.spec.name;
  }

  get item(): number | undefined {
    return this.claim.item;
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
    this.close();
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  heartbeat(progress?: unknown): void {
    if (progress === undefined || this.state === 'closed') return;
    this.#progress = { value: progress };
    const wait = this.#beatAt + HEARTBEAT_MS - this.#host.monotonic();
    if (wait <= 0) this.#beat();
    else this.#cancelBeat ??= this.#host.after(wait, () => this.#beat());
  }

  /** The attempt has ended: what was not told yet is overtaken by its result. */
  close(): void {
    this.state = 'closed';
    this.#cancelBeat?.();
    this.#cancelBeat = undefined;
  }

  emit(part: unknown): Promise<void> {
    this.#parts.push(part);
    this.#saying ??= this.#say();
    // Whoever does not wait for it hears of a failure at the end of the attempt.
    this.#saying.catch(() => undefined);
    return this.#saying;
  }

  /** What was emitted, once it is recorded; `undefined` where there is nothing to wait for. */
  get emitted(): Promise<void> | undefined {
    return this.#saying;
  }

  once<T>(key: string, fn: () => T | Promise<T>): Promise<T> {
    const known = this.#once.get(key) ?? this.#doOnce(key, fn);
    this.#once.set(key, known);
    return known as Promise<T>;
  }

  log(message: string, details?: unknown): void {
    this.#tell(this.claim, message, details);
  }

  #beat(): void {
    this.#cancelBeat = undefined;
    if (!this.#progress || this.state === 'closed') return;
    const { value } = this.#progress;
    this.#progress = undefined;
    this.#beatAt = this.#host.monotonic();
    // Progress is news, not a result: what could not be recorded is told again soon.
    this.#storage
      .progress(this.runId, this.claim.fence, value)
      .catch((error) => this.log('progress was not recorded', error));
  }

  /** Parts that come while others are recorded are recorded together. */
  async #say(): Promise<void> {
    // All of this turn go together.
    await null;
    while (this.#parts.length > 0) {
      const parts = this.#parts.splice(0, PARTS_AT_ONCE);
      const status = await this.#storage.emit(this.runId, this.claim.fence, this.#said, parts);
      this.#said += parts.length;
      if (status === 'stale') {
        throw new FuselineError(
          'CLAIM_LOST',
          `step ${JSON.stringify(this.step)} of run ${this.runId} was taken from this worker, so what it emitted was not recorded`,
        );
      }
    }
    this.#saying = undefined;
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
