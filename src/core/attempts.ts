import type { Stored } from './events.ts';
import type { HistoryEvent } from './views.ts';
import { stepName } from './words.ts';

/** One attempt at a step, as the journal tells it. Times are epoch milliseconds. */
export interface Attempt {
  readonly step: string;
  /** Which item of the step, where it runs for each of a list. */
  readonly item?: number;
  readonly attempt: number;
  readonly worker: string;
  /** The entry that claimed it, and the one that ended it. */
  readonly seq: number;
  readonly endSeq?: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** `lost`: the worker died with it. `given up`: handed back, or taken back. */
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'offline' | 'lost' | 'given up';
  /** What it handed back. */
  readonly value?: Stored;
}

/** The attempts at each step, in order; those at an item of a step stand under `step[item]`. */
export type Attempts = Map<string, Attempt[]>;

export function evolveAttempts(attempts: Attempts, event: HistoryEvent): void {
  const item = 'item' in event ? event.item : undefined;
  const end = (step: string, outcome: Attempt['outcome'], value?: Stored): void => {
    const all = attempts.get(step);
    const last = all?.at(-1);
    if (!all || last?.outcome !== 'running') return;
    all[all.length - 1] = {
      ...last,
      endSeq: event.seq,
      endedAt: event.at,
      outcome,
      ...(value !== undefined && { value }),
    };
  };
  switch (event.type) {
    case 'claimed': {
      const { step, attempt, worker, seq, at } = event;
      const all = attempts.get(stepName(step, item)) ?? [];
      attempts.set(stepName(step, item), all);
      all.push({ step, ...(item !== undefined && { item }), attempt, worker, seq, startedAt: at, outcome: 'running' });
      return;
    }
    case 'succeeded':
    case 'looped':
      return end(stepName(event.step, item), 'succeeded', event.value);
    case 'spread':
    case 'called':
    case 'waiting':
      // The handler has said how many, with what, or until when.
      return end(stepName(event.step, item), 'succeeded');
    case 'failed':
    case 'refused':
    case 'retrying':
    case 'falling-back':
      return end(stepName(event.step, item), 'failed');
    case 'offline':
      return end(stepName(event.step, item), 'offline');
    case 'lost':
      return end(stepName(event.step, item), 'lost');
    case 'released':
      return end(stepName(event.step, item), 'given up');
    case 'rerun':
      for (const [i, step] of event.steps.entries()) end(stepName(step, event.items?.[i]), 'given up');
      return;
    case 'skipped':
    case 'cancelled':
      for (const [i, step] of event.steps.entries())
        end(stepName(step, event.items?.[i]), event.type === 'skipped' ? 'succeeded' : 'given up');
      return;
  }
}
