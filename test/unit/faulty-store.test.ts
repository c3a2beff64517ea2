import { MemoryStore } from 'fuseline';
import { bracket, type Faults, FaultyStore, modelTest, storeContract } from 'fuseline/testing';
import { describe, expect, test } from 'vitest';
import { webHost } from '../../src/adapters/host.js';

const host = webHost;
const key = 'a';

describe('a store that only delays, and tells twice, keeps the promises of a store:', () => {
  const delaying = bracket(() => {
    const rows = new MemoryStore();
    let seed = 0;
    return { open: () => new FaultyStore(rows.reopen(), { seed: seed++, host, delayMs: 2, doubleHint: 0.5 }) };
  });
  test.each(storeContract)('$name', ({ run }) => delaying(run));
  test('it does what a map would do', () => modelTest(delaying, { seed: 1, operations: 100 }));
});

test('a commit that fails before it happens wrote nothing', async () => {
  const { rows, store } = faulty({ failBefore: 1 });
  await expect(store.commit({ put: [{ key, value: '1' }] })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(await rows.read([key])).toEqual([undefined]);
  expect(store.counts).toMatchObject({ failedBefore: 1, failedAfter: 0, conflicts: 0 });
});

test('a commit that fails after it happened wrote everything', async () => {
  const { rows, store } = faulty({ failAfter: 1 });
  await expect(store.commit({ put: [{ key, value: '1' }] })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(await rows.read([key])).toMatchObject([{ value: '1' }]);
  expect(store.counts).toMatchObject({ failedBefore: 0, failedAfter: 1, conflicts: 0 });
});

test('a conflict out of nowhere wrote nothing', async () => {
  const { rows, store } = faulty({ conflict: 1 });
  expect(await store.commit({ expect: [{ key, version: undefined }], put: [{ key, value: '1' }] })).toEqual({
    status: 'conflict',
  });
  expect(await rows.read([key])).toEqual([undefined]);
  expect(store.counts).toMatchObject({ failedBefore: 0, failedAfter: 0, conflicts: 1 });
});

test('the same seed means the same fate for every commit, whatever is read or heard between them', async () => {
  const faults: Faults = { failBefore: 0.2, failAfter: 0.2, conflict: 0.2, dropHint: 0.5 };
  const plain = faulty(faults);
  const disturbed = faulty(faults);
  disturbed.store.watch(() => undefined);
  for (let i = 0; i < 200; i++) {
    if (i % 3 === 0) await disturbed.store.read([key]);
    expect(await fateOf(disturbed.store)).toBe(await fateOf(plain.store));
  }
  const { failedBefore, failedAfter, conflicts } = plain.store.counts;
  for (const count of [failedBefore, failedAfter, conflicts]) expect(count).toBeGreaterThan(20);
  expect(failedBefore + failedAfter + conflicts).toBeLessThan(160);
  expect(disturbed.store.counts.droppedHints).toBeGreaterThan(20);
});

test('hints are dropped and doubled', async () => {
  const { rows, store } = faulty({ dropHint: 0.3, doubleHint: 0.3 });
  let [sent, told] = [0, 0];
  rows.watch(() => sent++);
  store.watch(() => told++);
  for (let i = 0; i < 200; i++) await rows.commit({ put: [{ key, value: `${i}` }] }).then(turn);
  const { droppedHints, doubledHints } = store.counts;
  expect(sent).toBe(200);
  expect(droppedHints).toBeGreaterThan(20);
  expect(doubledHints).toBeGreaterThan(20);
  expect(told).toBe(sent - droppedHints + doubledHints);
});

function faulty(faults: Faults): { rows: MemoryStore; store: FaultyStore } {
  const rows = new MemoryStore();
  return { rows, store: new FaultyStore(rows, { seed: 7, host, ...faults }) };
}

async function fateOf(store: FaultyStore): Promise<string> {
  try {
    return (await store.commit({ expect: [{ key: 'other', version: undefined }], put: [{ key, value: '1' }] })).status;
  } catch (error) {
    return String(error);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
