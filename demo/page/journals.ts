import type { HistoryEvent, RuntimeStorage } from 'fuseline';
import { NOTHING, RunScore, type Score, sum } from './score.ts';

/** How far back steps per second are counted. */
const RATE_MS = 5000;

/** Reads the journals of all runs as they grow, once each, and tells every event. */
export class Journals {
  readonly #storage: RuntimeStorage;
  readonly #told: (run: string, event: HistoryEvent) => void;
  readonly #followed = new Map<string, { readonly score: RunScore; next: number; busy: boolean }>();
  #total: Score | undefined = NOTHING;
  #results: number[] = [];

  constructor(storage: RuntimeStorage, told: (run: string, event: HistoryEvent) => void) {
    this.#storage = storage;
    this.#told = told;
  }

  get score(): Score {
    this.#total ??= sum([...this.#followed.values()].map(({ score }) => score.score));
    return this.#total;
  }

  /** How far a run has come, as far as its journal was read. */
  progress(run: string): string {
    const score = this.#followed.get(run)?.score;
    return score ? `${score.settled} of ${score.steps.length}` : '';
  }

  /** Results recorded per second, lately. */
  rate(now: number): number {
    this.#results = this.#results.filter((at) => at > now - RATE_MS);
    return this.#results.length / (RATE_MS / 1000);
  }

  /** Reads on in a run, if it is not being read already. Rejects if it cannot be read. */
  async follow(run: string): Promise<void> {
    let followed = this.#followed.get(run);
    if (followed?.busy) return;
    if (!followed) {
      const { steps } = await this.#storage.get(run);
      if (this.#followed.has(run)) return this.follow(run);
      followed = { score: new RunScore(steps.map(({ name }) => name)), next: 0, busy: false };
      this.#followed.set(run, followed);
    }
    followed.busy = true;
    try {
      for await (const event of this.#storage.watch(run, { from: followed.next })) {
        if (!this.#followed.has(run)) return;
        followed.score.add(event);
        followed.next = event.seq + 1;
        this.#total = undefined;
        if (event.type === 'succeeded') this.#results.push(event.at);
        this.#told(run, event);
      }
    } finally {
      followed.busy = false;
    }
  }

  forget(run: string): void {
    this.#followed.delete(run);
    this.#total = undefined;
  }
}
