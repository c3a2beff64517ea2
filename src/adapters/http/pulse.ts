import type { Employer, Watch } from '../../core/employer.ts';
import { FuselineError } from '../../core/errors.ts';
import { webHost } from '../host.ts';

/** How often a worker says that it lives: while it holds claims, and while it holds none. */
const BEAT_MS = { holding: 10_000, idle: 60_000 } as const;

/** Says that a worker lives, and hears when it was given up. Who else is dead is seen to where the runs are. */
export class Pulse implements Watch {
  readonly #employer: Employer;
  readonly #beat: (worker: string, to: 'those concerned' | 'all') => Promise<void>;
  #last = { worker: '', at: 0, toAllAt: 0 };
  #cancel: (() => void) | undefined;
  #beating: Promise<void> | undefined;
  #closed = false;

  constructor(employer: Employer, beat: (worker: string, to: 'those concerned' | 'all') => Promise<void>) {
    this.#employer = employer;
    this.#beat = beat;
  }

  look(): Promise<void> {
    this.#closed = false;
    this.#beating ??= this.#look().finally(() => {
      this.#beating = undefined;
      this.#cancel?.();
      if (!this.#closed) this.#cancel = webHost.after(BEAT_MS.holding / 2, () => void this.look());
    });
    // It may be away for long, and nobody has to wait for that.
    return Promise.resolve();
  }

  /** There is reason to think that the worker was given up. */
  doubt(): void {
    this.#last = { worker: '', at: Number.NEGATIVE_INFINITY, toAllAt: Number.NEGATIVE_INFINITY };
    void this.look();
  }

  async reaped(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#beating;
  }

  async #look(): Promise<void> {
    const { id, holds } = this.#employer.self();
    if (id === undefined) return;
    const now = webHost.monotonic();
    // Registering says so, too.
    if (this.#last.worker !== id && this.#last.at !== Number.NEGATIVE_INFINITY)
      this.#last = { worker: id, at: now, toAllAt: now };
    const toAll = now - this.#last.toAllAt >= BEAT_MS.idle;
    if (!toAll && !(holds && now - this.#last.at >= BEAT_MS.holding)) return;
    try {
      await this.#beat(id, toAll ? 'all' : 'those concerned');
      this.#last = { worker: id, at: now, toAllAt: toAll ? now : this.#last.toAllAt };
    } catch (error) {
      if (error instanceof FuselineError && error.code === 'UNKNOWN_WORKER') {
        this.#last = { worker: '', at: 0, toAllAt: 0 };
        if (this.#employer.self().id === id) this.#employer.disowned();
      } else if (!this.#closed) this.#employer.error(error);
    }
  }
}
