import type { Outcome } from './decide.ts';
import type { Stranded } from './explain.ts';

interface Which {
  readonly run: string;
  readonly step: string;
  /** Which item of its list, where the step runs for each. */
  readonly item?: number;
  readonly attempt: number;
}

/** What an engine tells whoever wants to log it. */
export interface EngineEvents {
  readonly started: Which;
  readonly finished: Which & { readonly outcome: Outcome['status']; readonly ms: number; readonly error?: Error };
  /** A result came too late: the claim had been taken back. */
  readonly stale: Which;
  /** An attempt without a timeout has held its claim for five minutes. */
  readonly slow: Which & { readonly ms: number };
  /** A step is ready that no live worker can handle. */
  readonly stranded: Stranded;
  /** Another worker was found dead, and its claims were handed out again. */
  readonly 'worker-lost': { readonly worker: string };
  /** Others had given this worker up; it goes on under a new id. */
  readonly disowned: { readonly worker: string };
  readonly log: { readonly run: string; readonly step: string; readonly message: string; readonly details: unknown };
  /** Something went wrong that the engine goes on after; or, `fatal`, that ended one nobody waits for. */
  readonly error: { readonly error: unknown; readonly fatal?: true };
}

export class Emitter {
  readonly #listeners = new Map<keyof EngineEvents, Set<(event: never) => void>>();

  on<E extends keyof EngineEvents>(event: E, listener: (event: EngineEvents[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Whether anybody wants to hear of it: most events are not worth making otherwise. */
  has(event: keyof EngineEvents): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  emit<E extends keyof EngineEvents>(event: E, value: EngineEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(value as never);
      } catch (error) {
        // The listener's mistake is reported as such, and is none of the engine's.
        void Promise.reject(error);
      }
    }
  }
}
