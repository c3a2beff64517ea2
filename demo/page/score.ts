import type { HistoryEvent } from 'fuseline';

/** What the journals of all runs say, counted. */
export interface Score {
  /** Results, one per step and generation. */
  readonly recorded: number;
  /** Steps a run that has ended says nothing about. Always 0, or the promise is broken. */
  readonly lost: number;
  /** Results beyond the first of one step and generation. Always 0, or the promise is broken. */
  readonly twice: number;
  /** Attempts that began because the worker before had died. */
  readonly again: number;
}

export const NOTHING: Score = { recorded: 0, lost: 0, twice: 0, again: 0 };

/** Counts one run's journal, event by event, by nothing but the events. */
export class RunScore {
  readonly steps: readonly string[];
  /** Whether a step has come to its end since it was last started over. */
  readonly #ended = new Map<string, boolean>();
  readonly #orphaned = new Set<string>();
  #score: Score = NOTHING;

  constructor(steps: readonly string[]) {
    this.steps = steps;
  }

  get score(): Score {
    return this.#score;
  }

  /** Steps that have come to their end. */
  get settled(): number {
    return this.steps.filter((step) => this.#ended.get(step)).length;
  }

  add(event: HistoryEvent): void {
    switch (event.type) {
      case 'claimed':
        if (this.#orphaned.delete(event.step)) this.#count('again');
        return;
      case 'lost':
        this.#orphaned.add(event.step);
        return;
      case 'succeeded':
      case 'failed':
        this.#count(this.#ended.get(event.step) ? 'twice' : 'recorded');
        this.#ended.set(event.step, true);
        return;
      case 'skipped':
      case 'cancelled':
        for (const step of event.steps) this.#ended.set(step, true);
        return;
      case 'rerun':
        for (const step of event.steps) this.#ended.set(step, false);
        return;
      case 'ended':
        this.#count('lost', this.steps.filter((step) => !this.#ended.get(step)).length);
        return;
    }
  }

  #count(what: keyof Score, by = 1): void {
    this.#score = { ...this.#score, [what]: this.#score[what] + by };
  }
}

export function sum(scores: Iterable<Score>): Score {
  let total = NOTHING;
  for (const { recorded, lost, twice, again } of scores) {
    total = {
      recorded: total.recorded + recorded,
      lost: total.lost + lost,
      twice: total.twice + twice,
      again: total.again + again,
    };
  }
  return total;
}
