import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'fuseline';
import type { Task } from './workflow.ts';

/** Few enough that recording each costs nothing, many enough that a take-over repeats little. */
const PARTS = 20;
const REST_MS = 1000;

/**
 * Does a long step part by part. What a part came to is recorded once, so whoever takes the step over goes on with the
 * first part that is missing.
 */
export async function inParts<T, R>(
  items: readonly T[],
  { pace }: Pick<Task, 'pace'>,
  { once, signal }: Context,
  each: (part: readonly T[]) => Promise<R>,
): Promise<readonly R[]> {
  const size = Math.max(1, Math.ceil(items.length / PARTS));
  const count = Math.ceil(items.length / size);
  const results: R[] = [];
  for (let part = 0; part < count; part++) {
    const doPart = async () => {
      if (pace === 'slow') await sleep(REST_MS, undefined, { signal });
      return each(items.slice(part * size, (part + 1) * size));
    };
    results.push(await once(`part ${part + 1} of ${count}`, doPart));
  }
  return results;
}
