import type { Meddle } from './workflow.ts';

/** What the page makes of the steps: shared by all tabs, obeyed by every worker before a body runs. */
export interface Meddling {
  /** Milliseconds added to every step, so that people can watch. */
  readonly paceMs: number;
  readonly steps: Readonly<Record<string, Mischief>>;
}

/** `slow`: five seconds more. `flaky`: the first attempt fails. `failing`: every attempt does. */
export type Mischief = 'slow' | 'flaky' | 'failing';

export const UNDISTURBED: Meddling = { paceMs: 0, steps: {} };

const SLOW_MS = 5000;

/** `current` is asked anew for every attempt. */
export function meddleAs(current: () => Meddling): Meddle {
  return async (step, { attempt, signal }) => {
    const { paceMs, steps } = current();
    const mischief = steps[step];
    await pause(paceMs + (mischief === 'slow' ? SLOW_MS : 0), signal);
    if (mischief === 'failing') throw new Error(`${step} was told to fail`);
    if (mischief === 'flaky' && attempt === 1) throw new Error(`${step} was told to fail once`);
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
