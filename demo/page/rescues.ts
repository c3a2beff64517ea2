import { type HistoryEvent, workerName } from 'fuseline';
import type { Rescue } from './story.ts';

/** What is told of a step that nobody holds any longer. */
const ENDS: ReadonlySet<HistoryEvent['type']> = new Set([
  'succeeded',
  'failed',
  'retrying',
  'falling-back',
  'offline',
  'released',
  'skipped',
  'cancelled',
]);

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

  /** Whether a worker is inside a step, as far as the journals were read. */
  isAtWork(name: string): boolean {
    return [...this.#holders.values()].includes(name);
  }

  /** The rescue that an event completes, if it does. */
  see(run: string, event: HistoryEvent): Rescue | undefined {
    if (event.type === 'lost') {
      const key = `${run}/${event.step}`;
      const holder = this.#holders.get(key);
      if (holder !== undefined) this.#orphans.set(key, { of: holder, at: event.at });
      this.#holders.delete(key);
      return undefined;
    }
    if (event.type !== 'claimed') {
      const steps = 'steps' in event ? event.steps : 'step' in event ? [event.step] : [];
      if (ENDS.has(event.type)) for (const step of steps) this.#holders.delete(`${run}/${step}`);
      return undefined;
    }
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
