import { env, runInDurableObject } from 'cloudflare:test';
import { expect } from 'vitest';
import { dispatch } from './client.ts';
import { entered, type Runs } from './worker.ts';

/** The object that has a run. */
export function objectOf(run: string): DurableObjectStub<Runs> {
  return env.RUNS.getByName(`shard-${run.split('.')[0]}`);
}

export function alarmOf(run: string): Promise<number | null> {
  return runInDurableObject(objectOf(run), (_, { storage }) => storage.getAlarm());
}

/** A run whose first step is in its body. */
export async function heldRun(): Promise<{ readonly id: string; readonly gate: string }> {
  const gate = crypto.randomUUID();
  const id = await dispatch('gated', { input: gate });
  await isEntered(`${gate}, attempt 1`);
  return { id, gate };
}

export async function isEntered(attempt: string): Promise<void> {
  await expect.poll(() => entered, { timeout: 20_000, interval: 5 }).toContain(attempt);
}
