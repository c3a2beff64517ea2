import type { HistoryEvent } from '../core/views.ts';

/** One attempt at a step, as the journal tells it. Times are epoch milliseconds. */
export interface Attempt {
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'given up';
}

/** The attempts at each step, in order. */
export type Attempts = Map<string, Attempt[]>;

export function evolveAttempts(attempts: Attempts, event: HistoryEvent): void {
  const end = (step: string, outcome: Attempt['outcome']): void => {
    const all = attempts.get(step);
    const last = all?.at(-1);
    if (all && last?.outcome === 'running') all[all.length - 1] = { ...last, endedAt: event.at, outcome };
  };
  switch (event.type) {
    case 'claimed': {
      const all = attempts.get(event.step) ?? [];
      attempts.set(event.step, all);
      all.push({ worker: event.worker, startedAt: event.at, outcome: 'running' });
      return;
    }
    case 'succeeded':
      return end(event.step, 'succeeded');
    case 'failed':
    case 'retrying':
    case 'falling-back':
      return end(event.step, 'failed');
    case 'lost':
    case 'released':
      return end(event.step, 'given up');
    case 'skipped':
    case 'cancelled':
      for (const step of event.steps) end(step, event.type === 'skipped' ? 'succeeded' : 'given up');
      return;
  }
}
