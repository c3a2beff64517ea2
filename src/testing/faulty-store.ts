import { FuselineError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../core/store.ts';
import { type Random, seeded } from './random.ts';

/** What goes wrong, and how often: shares are between 0 and 1, of the commits or of the hints. */
export interface Faults {
  /** The commit fails and nothing was written. */
  readonly failBefore?: number;
  /** The commit fails and everything was written: its answer is lost. */
  readonly failAfter?: number;
  /** A commit that expects something is answered as a conflict, whatever it expects, and nothing was written. */
  readonly conflict?: number;
  /**
   * The longest wait before a commit is made and again before its answer is given, and before a hint is told. A read has
   * one of the two, of up to twice as long.
   */
  readonly delayMs?: number;
  readonly dropHint?: number;
  readonly doubleHint?: number;
}

/** Of a call, in longest waits. */
interface Delays {
  readonly before: number;
  readonly after: number;
}

/** How often each fault happened. */
export interface FaultCounts {
  failedBefore: number;
  failedAfter: number;
  conflicts: number;
  droppedHints: number;
  doubledHints: number;
}

/**
 * A store that breaks what stores may break, on a schedule that follows from a seed alone: the fate of the n-th commit
 * is the same in every run. Its clock is the host's, so that in a simulation the delays cost nothing.
 */
export class FaultyStore implements Store {
  readonly limits: StoreLimits;
  readonly lookMs?: number;
  readonly counts: Readonly<FaultCounts>;
  readonly #counts: FaultCounts = { failedBefore: 0, failedAfter: 0, conflicts: 0, droppedHints: 0, doubledHints: 0 };
  readonly #store: Store;
  readonly #host: Host;
  readonly #seed: number;
  #faults: Required<Faults>;
  /** Each has numbers of its own, so that reads and listeners do not change what happens to the commits. */
  readonly #fates: Random;
  readonly #delays: Random;
  readonly #hints: Random;
  readonly #underWay = new Set<Promise<unknown>>();
  #commits = 0;
  #closing: Promise<void> | undefined;

  constructor(store: Store, { seed, host, ...faults }: Faults & { readonly seed: number; readonly host: Host }) {
    this.limits = store.limits;
    if (store.lookMs !== undefined) this.lookMs = store.lookMs;
    this.counts = this.#counts;
    this.#store = store;
    this.#host = host;
    this.#seed = seed;
    this.#faults = { failBefore: 0, failAfter: 0, conflict: 0, delayMs: 0, dropHint: 0, doubleHint: 0, ...faults };
    this.#fates = seeded(seed);
    this.#delays = seeded(seed + 1);
    this.#hints = seeded(seed + 2);
  }

  /** From now on commits do what they are asked to. Time and hints go on as before: those may always be late or lost. */
  heal(): void {
    this.#faults = { ...this.#faults, failBefore: 0, failAfter: 0, conflict: 0 };
  }

  read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#look(() => this.#store.read(keys));
  }

  scan(range: Range): Promise<readonly Entry[]> {
    return this.#look(() => this.#store.scan(range));
  }

  commit(batch: Batch): Promise<CommitResult> {
    const number = this.#commits++;
    const fate = this.#fate();
    return this.#call(async () => {
      if (fate === 'fail before') {
        this.#counts.failedBefore++;
        throw this.#failure(number, 'before it happened');
      }
      if (fate === 'conflict' && batch.expect && batch.expect.length > 0) {
        this.#counts.conflicts++;
        return { status: 'conflict' };
      }
      const result = await this.#store.commit(batch);
      if (fate !== 'fail after') return result;
      this.#counts.failedAfter++;
      throw this.#failure(number, 'after it happened');
    });
  }

  watch(listener: (hint: Hint) => void): () => void {
    let listening = true;
    const tell = async (hint: Hint): Promise<void> => {
      await this.#delay();
      if (listening && !this.#closing) listener(hint);
    };
    const stop = this.#store.watch((hint) => {
      if (this.#hints.chance(this.#faults.dropHint)) {
        this.#counts.droppedHints++;
        return;
      }
      tell(hint);
      if (this.#hints.chance(this.#faults.doubleHint)) {
        this.#counts.doubledHints++;
        tell(hint);
      }
    });
    return () => {
      listening = false;
      stop();
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#settle().then(() => this.#store.close());
    return this.#closing;
  }

  async #settle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #fate(): 'pass' | 'fail before' | 'fail after' | 'conflict' {
    const { failBefore, failAfter, conflict } = this.#faults;
    const dice = this.#fates.next();
    if (dice < failBefore) return 'fail before';
    if (dice < failBefore + failAfter) return 'fail after';
    return dice < failBefore + failAfter + conflict ? 'conflict' : 'pass';
  }

  #look<T>(work: () => Promise<T>): Promise<T> {
    const isStale = this.#delays.chance(0.5);
    return this.#call(work, isStale ? { before: 0, after: 2 } : { before: 2, after: 0 });
  }

  async #call<T>(work: () => Promise<T>, delays: Delays = { before: 1, after: 1 }): Promise<T> {
    // The store inside refuses then.
    if (this.#closing) return this.#closing.then(work);
    const delayed = this.#delayed(work, delays);
    this.#underWay.add(delayed);
    try {
      return await delayed;
    } finally {
      this.#underWay.delete(delayed);
    }
  }

  async #delayed<T>(work: () => Promise<T>, { before, after }: Delays): Promise<T> {
    await this.#delay(before);
    try {
      return await work();
    } finally {
      await this.#delay(after);
    }
  }

  async #delay(times = 1): Promise<void> {
    const most = times * this.#faults.delayMs;
    if (most === 0) return;
    const ms = this.#delays.next() * most;
    await new Promise<void>((resolve) => {
      this.#host.after(ms, resolve);
    });
  }

  #failure(number: number, when: string): FuselineError {
    return new FuselineError(
      'STORAGE_FAILED',
      `commit ${number} failed ${when}, on the schedule of seed ${this.#seed}; read again and decide again`,
    );
  }
}
