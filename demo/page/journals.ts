import { type HistoryEvent, type RunSummary, type RuntimeStorage, workerName } from 'fuseline';
import { NOTHING, RunScore, type Score, sum } from './score.ts';

/** How far back steps per second are counted. */
const RATE_MS = 5000;

interface Followed {
  readonly score: RunScore;
  next: number;
  busy: boolean;
  /** When the run had ended, if its journal was read up to there. */
  endedAt: number | undefined;
}

/** Reads the journals of all runs as they grow, once each, and tells every event. */
export class Journals {
  readonly #storage: RuntimeStorage;
  readonly #told: (run: string, event: HistoryEvent) => void;
  readonly #followed = new Map<string, Followed>();
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

  /** Names of the workers that hold a step, as far as the journals were read. */
  get holders(): readonly string[] {
    return [...this.#followed.values()].flatMap(({ score }) => [...score.holders.values()]).map(workerName);
  }

  /** Results recorded per second, lately. */
  rate(now: number): number {
    this.#results = this.#results.filter((at) => at > now - RATE_MS);
    return this.#results.length / (RATE_MS / 1000);
  }

  /** Reads on in a run, unless it is being read already, or was read to its end. Rejects if it cannot be read. */
  async follow({ id, endedAt }: Pick<RunSummary, 'id' | 'endedAt'>): Promise<void> {
    const followed = this.#followed.get(id) ?? (await this.#begin(id));
    if (followed.busy || (endedAt !== undefined && followed.endedAt === endedAt)) return;
    followed.busy = true;
    try {
      for await (const event of this.#storage.watch(id, { from: followed.next })) {
        followed.score.add(event);
        followed.next = event.seq + 1;
        followed.endedAt = event.type === 'ended' ? event.at : undefined;
        this.#total = undefined;
        if (event.type === 'succeeded') this.#results.push(event.at);
        this.#told(id, event);
      }
    } finally {
      followed.busy = false;
    }
  }

  async #begin(id: string): Promise<Followed> {
    const { steps } = await this.#storage.get(id);
    const followed = this.#followed.get(id) ?? {
      score: new RunScore(steps.map(({ name }) => name)),
      next: 0,
      busy: false,
      endedAt: undefined,
    };
    this.#followed.set(id, followed);
    return followed;
  }
}
