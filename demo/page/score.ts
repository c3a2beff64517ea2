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
  /** Steps that wait for a worker, or for their next attempt. */
  readonly queued: number;
}

export const NOTHING: Score = { recorded: 0, lost: 0, twice: 0, again: 0, queued: 0 };

/** Counts one run's journal, event by event, by nothing but the events. */
export class RunScore {
  readonly steps: readonly string[];
  /** The worker of every step that one is at. */
  readonly holders = new Map<string, string>();
  /** Steps that have come to their end since they were last started over. */
  readonly #ended = new Set<string>();
  readonly #queued = new Set<string>();
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
    return this.#ended.size;
  }

  add(event: HistoryEvent): void {
    switch (event.type) {
      case 'ready':
      case 'scheduled':
        for (const step of event.steps) this.#queued.add(step);
        break;
      case 'claimed':
        this.#queued.delete(event.step);
        this.holders.set(event.step, event.worker);
        if (this.#orphaned.delete(event.step)) this.#count('again');
        break;
      case 'lost':
        this.#orphaned.add(event.step);
        this.#wait(event.step);
        break;
      case 'retrying':
      case 'offline':
      case 'falling-back':
      case 'released':
        this.#wait(event.step);
        break;
      case 'succeeded':
      case 'failed':
        this.#count(this.#ended.has(event.step) ? 'twice' : 'recorded');
        this.#end([event.step]);
        break;
      case 'skipped':
      case 'cancelled':
        this.#end(event.steps);
        break;
      case 'rerun':
        for (const step of event.steps) this.#ended.delete(step);
        break;
      case 'ended':
        this.#count('lost', this.steps.filter((step) => !this.#ended.has(step)).length);
        break;
    }
    this.#score = { ...this.#score, queued: this.#queued.size };
  }

  #wait(step: string): void {
    this.holders.delete(step);
    this.#queued.add(step);
  }

  #end(steps: readonly string[]): void {
    for (const step of steps) {
      this.#ended.add(step);
      this.holders.delete(step);
      this.#queued.delete(step);
    }
  }

  #count(what: keyof Score, by = 1): void {
    this.#score = { ...this.#score, [what]: this.#score[what] + by };
  }
}

export function sum(scores: Iterable<Score>): Score {
  let total = NOTHING;
  for (const { recorded, lost, twice, again, queued } of scores) {
    total = {
      recorded: total.recorded + recorded,
      lost: total.lost + lost,
      twice: total.twice + twice,
      again: total.again + again,
      queued: total.queued + queued,
    };
  }
  return total;
}
