import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineGraph, MemoryStore, workflow } from 'fuseline';
import { SimulationFailed, simulate } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { FileStore } from '../../src/adapters/node-file/file-store.ts';

test('no promise is broken in 500 worlds, and everything there is to reach is reached', {
  timeout: 180_000,
}, async () => {
  const { worlds, unreached } = await simulate({ worlds: 500 });
  expect(worlds).toBe(500);
  expect(unreached).toEqual([]);
});

test('workers on a directory keep the same promises', { timeout: 60_000 }, async () => {
  const rows = () => {
    const directory = mkdtemp(join(tmpdir(), 'fuseline-world-'));
    return {
      open: async () => new FileStore(await directory, { durability: 'relaxed' }),
      remove: async () => rm(await directory, { recursive: true, force: true }),
    };
  };
  expect(await simulate({ worlds: 10, rows })).toMatchObject({ worlds: 10 });
});

test('a workflow of one’s own is simulated, with its own bodies', async () => {
  const order = workflow('order', ($) => {
    const reserve = $.step('reserve', {}, () => ({ shelf: 'B4' }));
    const charge = $.step('charge', { reserve }, ({ reserve }) => `paid for ${reserve.shelf}`, { retry: 3 });
    return $.step('mail', { charge }, ({ charge }) => charge.length);
  });
  const { reached } = await simulate({ workflows: [{ workflow: order }], worlds: 30 });
  expect(reached.event?.succeeded).toBeGreaterThan(30);
  expect(reached.action?.kill).toBeGreaterThan(0);
});

test('a broken promise is told with the seed, what to call, and a world made smaller', async () => {
  let calls = 0;
  const graph = { name: 'two', steps: [{ name: 'a' }, { name: 'b', after: [{ step: 'a' }] }] };
  // A body that is not the same the second time, in a world that has to be.
  const odd = defineGraph(graph, { a: () => ++calls, b: () => undefined });
  const failure = await simulate({ workflows: [{ workflow: odd }], seed: 7, worlds: 1 }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(SimulationFailed);
  expect(failure).toMatchObject({ seed: 7, invariant: 'the same seed is the same world', plan: { actions: [] } });
  expect((failure as Error).message).toContain('seed: 7, worlds: 1');
});

test('a store that forgets what it was told is noticed', { timeout: 60_000 }, async () => {
  const rows = () => {
    const store = new MemoryStore();
    return {
      open: async () => {
        const own = store.reopen();
        const commit = own.commit.bind(own);
        // Every seventh commit is answered, and does not happen.
        let count = 0;
        own.commit = async (batch) => (++count % 7 === 0 ? { status: 'committed', version: -count } : commit(batch));
        return own;
      },
    };
  };
  await expect(simulate({ worlds: 20, rows })).rejects.toBeInstanceOf(SimulationFailed);
});
