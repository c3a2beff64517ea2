import type { Signal } from './host.ts';

/** What a handler gets beside its needs. */
export interface Context {
  readonly runId: string;
  readonly step: string;
  /** Which item of its list the step runs for, from 0; `undefined` for a step that is not run for each. */
  readonly item: number | undefined;
  /** From 1. */
  readonly attempt: number;
  /** The same for every attempt of the step: an idempotency key for the systems it calls. */
  readonly key: string;
  /** Aborts when the attempt's result is no longer wanted: timeout, cancel, rerun, loss of the claim. */
  readonly signal: Signal;
  /** Records how far the step is, at most once a second; seen by everybody who watches the run. */
  heartbeat(progress?: unknown): void;
  /**
   * Hands out a part of what the step says while it runs: `handle.stream(step)` reads it, live and afterwards. Resolves
   * once it is recorded, which is as fast as anybody should say more. Rejects with `STREAM_FULL`.
   */
  emit(part: unknown): Promise<void>;
  /** Does something once per step, whatever happens: a later attempt gets the recorded value instead of calling `fn`. */
  once<T>(key: string, fn: () => T | Promise<T>): Promise<T>;
  log(message: string, details?: unknown): void;
}
