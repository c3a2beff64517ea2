import { runInDurableObject } from 'cloudflare:test';
import { ProcessEngine, typed, workflow } from 'fuseline';
import { DurableObjectStorage, DurableObjectStore } from 'fuseline/durable-object';
import { expect, test } from 'vitest';
import { dispatch } from './client.ts';
import { alarmOf, objectOf } from './held.ts';
import { inObject } from './objects.ts';

const STEPS = 1000;

const chain = workflow('chain', { input: typed<number>() }, ($) => {
  let last = $.step('step 0', { n: $.input }, ({ n }) => n);
  for (let i = 1; i < STEPS; i++) last = $.step(`step ${i}`, { n: last }, ({ n }) => n + 1);
  return last;
});

test('a step of a chain is one row written', async () => {
  const { rowsWritten, result } = await inObject(async (state) => {
    const storage = new DurableObjectStorage(state);
    const before = storage.stats().rowsWritten;
    await new ProcessEngine(chain, storage).execute(await chain.prepare(0));
    const [run] = (await storage.list()).runs;
    return { rowsWritten: storage.stats().rowsWritten - before, result: await storage.result(run?.id ?? '') };
  });
  expect(result).toBe(STEPS - 1);
  expect(rowsWritten).toBeLessThanOrEqual(1.05 * STEPS);
});

test('runs that wait for workers elsewhere make the ones that come after them no dearer', async () => {
  const readBy = async (runs: readonly string[]) => {
    let id = '';
    for (const run of runs) {
      id = await dispatch('elsewhere', { id: `0.${run}` });
      // One after the other: what the object does for several at once it reads once.
      await expect.poll(() => alarmOf(id), { timeout: 20_000, interval: 5 }).toBeNull();
    }
    return (await runInDurableObject(objectOf(id), (object) => object.stats())).rowsRead;
  };
  const first = await readBy(['a', 'b', 'c']);
  const before = await readBy(Array.from({ length: 40 }, (_, i) => `wait-${i}`));
  const after = await readBy(['d', 'e', 'f']);
  expect(after - before).toBeLessThan(2 * first);
});

test('a put is one row written, a value too long for a row as many as it takes', async () => {
  const written = await inObject(async (state) => {
    const store = new DurableObjectStore(state.storage);
    const rowsOf = async (...values: readonly string[]) => {
      const before = store.stats().rowsWritten;
      await store.commit({ put: values.map((value, i) => ({ key: `row/${i}`, value })) });
      return store.stats().rowsWritten - before;
    };
    // Takes its numbers from the database.
    await rowsOf('a');
    return [await rowsOf('b'), await rowsOf('b', 'c', 'd'), await rowsOf('x'.repeat(1_500_000)), await rowsOf('e')];
  });
  expect(written).toEqual([1, 3, 3, 1 + 2]);
});

test('a value in several rows is never cut within a character', async () => {
  const values = ['', 'a'].map((first) => first + '😀'.repeat(700_000));
  const found = await inObject(async ({ storage }) => {
    const store = new DurableObjectStore(storage);
    await store.commit({ put: values.map((value, i) => ({ key: `row/${i}`, value })) });
    return (await store.scan({ from: 'row/', to: 'row0' })).map(({ value }) => value);
  });
  expect(found.map((value, i) => value === values[i])).toEqual([true, true]);
});

test('versions go on behind those of an earlier life, also after a delete', async () => {
  const versions = await inObject(async (state) => {
    const lives = Array.from({ length: 3 }, () => new DurableObjectStore(state.storage));
    const found: unknown[] = [];
    for (const store of lives) {
      const result = await store.commit({ put: [{ key: 'a', value: '1' }] });
      found.push(result.status === 'committed' && result.version);
      await store.commit({ delete: ['a'] });
    }
    return found;
  });
  expect(new Set(versions).size).toBe(3);
});

test('what a newer version wrote is refused before anything is touched', async () => {
  await inObject(async ({ storage }) => {
    new DurableObjectStore(storage);
    storage.sql.exec("UPDATE fuseline_numbers SET value = 99 WHERE name = 'format'");
    expect(() => new DurableObjectStore(storage)).toThrow(expect.objectContaining({ code: 'PROTOCOL_TOO_NEW' }));
  });
});

test('what the storage does not take is an error of the storage, and nothing of the batch is written', async () => {
  await inObject(async ({ storage }) => {
    const store = new DurableObjectStore(storage);
    storage.sql.exec(
      "CREATE TRIGGER full BEFORE INSERT ON fuseline_rows WHEN new.key = 'b' BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    const put = ['a', 'b'].map((key) => ({ key, value: '' }));
    await expect(store.commit({ put })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await store.scan({ from: '!', to: '~' })).toEqual([]);
    storage.sql.exec('DROP TABLE fuseline_rows');
    await expect(store.read(['a'])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
