import type { RetryPolicy } from './graph.ts';

/** What `retry: n` means where nothing else is said: n attempts in all, exponential from 200 ms to 1 min, full jitter. */
export const RETRY_DEFAULTS = {
  backoff: 'exponential',
  baseMs: 200,
  factor: 2,
  maxMs: 60_000,
  jitter: 'full',
  losses: 5,
} as const;

/** Milliseconds to wait after the `failures`-th failed attempt. `random` is uniform in [0, 1). */
export function backoffMs(policy: RetryPolicy | undefined, failures: number, random: () => number): number {
  const { backoff, baseMs, factor, maxMs, jitter } = { ...RETRY_DEFAULTS, ...policy };
  const most = policy?.maxMs ?? Math.max(maxMs, baseMs);
  const growth = backoff === 'exponential' ? factor ** (failures - 1) : backoff === 'linear' ? failures : 1;
  const wait = Math.min(baseMs * growth, most);
  return Math.round(jitter === 'full' ? wait * random() : wait);
}

/** Milliseconds to wait after a worker died with the step: none the first time, so that a crash is made up for at once. */
export function lossBackoffMs(losses: number): number {
  return losses <= 1 ? 0 : Math.min(RETRY_DEFAULTS.baseMs * 2 ** (losses - 1), RETRY_DEFAULTS.maxMs);
}

/** Milliseconds to wait after so many attempts in a row without a network: 1 s, then twice as long, at most half a minute. */
export function offlineBackoffMs(inARow: number): number {
  return Math.min(1000 * 2 ** (inARow - 1), 30_000);
}
