import type { Stored } from './events.ts';
import type { HistoryEvent } from './views.ts';

/** One attempt at a step, as the journal tells it. Times are epoch milliseconds. */
export interface Attempt {
  readonly step: string;
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

/** The attempts at each step, in order. */
export type Attempts = Map<string, Attempt[]>;

export function evolveAttempts(attempts: Attempts, event: HistoryEvent): void {
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
      const all = attempts.get(step) ?? [];
      attempts.set(step, all);
      all.push({ step, attempt, worker, seq, startedAt: at, outcome: 'running' });
      return;
    }
    case 'succeeded':
    case 'looped':
      return end(event.step, 'succeeded', event.value);
    case 'waiting':
      // The handler of a step that sleeps has said until when.
      return end(event.step, 'succeeded');
    case 'failed':
    case 'refused':
    case 'retrying':
    case 'falling-back':
      return end(event.step, 'failed');
    case 'offline':
      return end(event.step, 'offline');
    case 'lost':
      return end(event.step, 'lost');
    case 'released':
      return end(event.step, 'given up');
    case 'rerun':
      for (const step of event.steps) end(step, 'given up');
      return;
    case 'skipped':
    case 'cancelled':
      for (const step of event.steps) end(step, event.type === 'skipped' ? 'succeeded' : 'given up');
      return;
  }
}
