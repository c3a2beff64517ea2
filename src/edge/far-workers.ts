import { NOBODY, type Worker } from '../core/sessions.ts';
import type { RuntimeStorage } from '../core/storage.ts';

/** After so long without a word a worker from afar is given up: while it holds claims, and while it holds none. */
const SILENCE_MS = { holding: 30_000, idle: 300_000 } as const;
/** An object whose alarm rang this much too late was away, and could hear nobody. */
const LATE_MS = 2_000;
/** So long those who could not be heard then have to say something: longer than between two heartbeats. */
const GRACE_MS = 15_000;

/**
 * Sees to workers from afar, of which nothing tells that they live but what they say. When each said it last stands in
 * its session, so an object that slept, or is a new one, knows it still.
 */
export class FarWorkers {
  readonly #storage: RuntimeStorage;
  readonly #since: number;

  constructor(storage: RuntimeStorage) {
    this.#storage = storage;
    this.#since = storage.host.now();
  }

  /** Hands out again what those held who have been silent for too long, and what nobody holds who is known. */
  async giveUpSilent(): Promise<void> {
    const now = this.#storage.host.now();
    for (const { id, version, silentAt } of await this.#all())
      if (silentAt <= now) await this.#storage.reap(id, version);
  }

  /** When the next of them will have been silent for too long, if it says nothing. */
  async nextSilence(): Promise<number | undefined> {
    const moments = (await this.#all()).map(({ silentAt }) => silentAt);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  async #all(): Promise<readonly (Pick<Worker, 'id' | 'version'> & { readonly silentAt: number })[]> {
    const { sessions } = this.#storage;
    const workers = await sessions.list();
    const holders = await sessions.holders();
    const far = workers.flatMap(({ id, version, proof, heardAt = 0, deadWith }) => {
      if (proof === undefined) return [];
      if (deadWith !== undefined) return [{ id, version, silentAt: 0 }];
      const silentAt = heardAt + SILENCE_MS[holders.has(id) ? 'holding' : 'idle'];
      const wasAway = this.#since > silentAt + LATE_MS;
      return [{ id, version, silentAt: wasAway ? this.#since + GRACE_MS : silentAt }];
    });
    // What was asked for before a worker left, and claimed after it had.
    for (const { id } of workers) holders.delete(id);
    return [...far, ...[...holders].map((id) => ({ id, version: NOBODY, silentAt: 0 }))];
  }
}
