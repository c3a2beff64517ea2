import { type HistoryEvent, workerName } from 'fuseline';
import type { Rescue } from './story.ts';

/** Watches the journals for what became of the steps of workers that this page killed. */
export class Rescues {
  readonly #killed = new Map<string, number>();
  /** Who holds which step, and who lost it. */
  readonly #holders = new Map<string, string>();
  readonly #orphans = new Map<string, { readonly of: string; readonly at: number }>();

  /** `at`: epoch milliseconds. */
  killed(name: string, at: number): void {
    this.#killed.set(name, at);
  }

  /** The rescue that an event completes, if it does. */
  see(run: string, event: HistoryEvent): Rescue | undefined {
    if (event.type === 'lost') {
      const key = `${run}/${event.step}`;
      const holder = this.#holders.get(key);
      if (holder !== undefined) this.#orphans.set(key, { of: holder, at: event.at });
      return undefined;
    }
    if (event.type !== 'claimed') return undefined;
    const { step, attempt, worker, at } = event;
    const key = `${run}/${step}`;
    const by = workerName(worker);
    this.#holders.set(key, by);
    const orphan = this.#orphans.get(key);
    const killedAt = orphan && this.#killed.get(orphan.of);
    this.#orphans.delete(key);
    if (!orphan || killedAt === undefined) return undefined;
    return { run, step, attempt, from: orphan.of, by, noticedMs: orphan.at - killedAt, ms: at - killedAt };
  }
}
