import type { Store } from 'fuseline';
import { expect } from 'vitest';
import { lastPart } from '../../src/core/keys.ts';

/** What a later version of the software might do to a run: it adds an entry that this one must not judge. */
export async function continueByNewer(store: Store, run: string): Promise<void> {
  const entries = await store.scan({ from: `entry/${run}/`, to: `entry/${run}0` });
  const last = entries.at(-1) as (typeof entries)[number];
  const digits = String(Number(lastPart(last.key).slice(1)) + 1);
  const key = `${last.key.slice(0, last.key.lastIndexOf('/'))}/${digits.length.toString(36)}${digits}`;
  const entry = { protocol: 99, at: Date.now(), events: [{ type: 'not known yet', step: 0 }] };
  const result = await store.commit({
    expect: [{ key, version: undefined }],
    put: [{ key, value: JSON.stringify(entry) }],
  });
  expect(result.status).toBe('committed');
}
