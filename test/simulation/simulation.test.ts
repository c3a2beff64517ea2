import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineGraph, MemoryStore, typed, workflow } from 'fuseline';
import { type FakeContext, SimulationFailed, simulate, simulated } from 'fuseline/testing';
import { describe, expect, test } from 'vitest';
import { FileStore } from '../../src/adapters/node-file/file-store.ts';
import { exitOf } from '../../src/cli/simulate.ts';

test('no promise is broken in 2,000 worlds, and everything there is to reach is reached', {
  timeout: 400_000,
}, async () => {
  const replay = (seed: number) => `npm run simulate -- --seed ${seed} --worlds 1`;
  const { worlds, reached, unreached } = await simulate({ worlds: 2000, replay });
  expect(worlds).toBe(2000);
  expect(unreached, JSON.stringify(reached)).toEqual([]);
});

test('the command fails where so many made-up worlds have not reached everything', () => {
  expect(exitOf({ worlds: 500, unreached: [] })).toBe(0);
  expect(exitOf({ worlds: 499, unreached: ['event: lost'] })).toBe(0);
  expect(exitOf({ worlds: 500, unreached: ['event: lost'] })).toBe(1);
});

test('workers on a directory keep the same promises', async () => {
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

describe('a fake', () => {
  const order = workflow('order', { input: typed<{ total: number }>() }, ($) => {
    const receipt = $.step('charge', { order: $.input }, () => sleep(60_000, 'paid'), { retry: 5 });
    return $.step('mail', { receipt }, ({ receipt }) => receipt.length);
  });
  const input = { total: 40 };

  test('stands in for a body in worlds: one after the other, in virtual time, through crashes', async () => {
    const steps = {
      charge: [
        new Error('down'),
        async ({ order }: { order: { total: number } }, { sleep, once }: FakeContext) => {
          await sleep('2s');
          return once('pay', () => sleep('1s').then(() => `receipt ${order.total}`));
        },
      ],
    } as const;
    const { reached } = await simulate({ workflows: [simulated(order, { input, steps })], worlds: 10 });
    expect(reached.event?.retrying).toBeGreaterThan(10);
    expect(reached.event?.checkpoint).toBeGreaterThan(10);
    expect(reached.event?.lost).toBeGreaterThan(0);
  });

  test('is asked for where a body waits for the real world, in itself or in once', async () => {
    const unfit = { reason: 'waits for the real world', workflow: 'order', step: 'charge' };
    await expect(simulate({ workflows: [{ workflow: order, input }] })).rejects.toMatchObject(unfit);
    const steps = { charge: (_: unknown, { once }: FakeContext) => once('pay', () => sleep(60_000, 'paid')) };
    await expect(simulate({ workflows: [simulated(order, { input, steps })] })).rejects.toMatchObject(unfit);
  });

  test('of a step that is not there is refused', async () => {
    const steps = { chrage: () => 'paid' };
    await expect(simulate({ workflows: [{ workflow: order, input, steps }] })).rejects.toThrow('no step "chrage"');
  });
});

test('a workflow of which no run succeeds is refused, with the step and its error', async () => {
  const order = workflow('order', ($) => {
    const one = $.step('one', {}, () => 1);
    return $.step('two', { one }, (): number => {
      throw new TypeError('no luck');
    });
  });
  await expect(simulate({ workflows: [{ workflow: order }], worlds: 5 })).rejects.toMatchObject({
    reason: 'never succeeds',
    step: 'two',
    message: expect.stringContaining('TypeError: no luck'),
  });
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
  expect((failure as Error).message).toMatch(/reached until then: .*event: .*succeeded \d/);
});

test('a store that forgets what it was told is noticed', async () => {
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
