import {
  type Batch,
  type CommitResult,
  type Context,
  FuselineError,
  MemoryStore,
  ProcessEngine,
  RuntimeStorage,
  workflow,
} from 'fuseline';
import { FaultyStore } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { webHost } from '../../src/adapters/host.ts';

const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);

/** Answers that were lost, over all seeds. */
let lost = 0;

// proves: result.once, result.kept
test.for(SEEDS)('commits whose answers are lost lose no step and record none twice (seed %i)', async (seed) => {
  const bodies: string[] = [];
  const body = (_: unknown, { step, attempt }: Context) => {
    bodies.push(`${step}/${attempt}`);
    return step;
  };
  const wide = workflow(`wide ${seed}`, ($) => {
    const first = $.step('first', {}, body);
    const middle = Array.from({ length: 8 }, (_, i) => $.step(`middle ${i}`, { first }, body));
    return $.step('last', {}, body, { after: middle });
  });
  const memory = new MemoryStore();
  const calm = new RuntimeStorage({ store: memory, host: webHost });
  const run = await wide.dispatch(undefined, { storage: calm });
  const store = new FaultyStore(memory, { seed, host: webHost, failAfter: 0.25, failBefore: 0.1, conflict: 0.1 });
  const storage = new RuntimeStorage({ store, host: webHost });
  // An engine gives up when its store keeps failing; whoever supervises it starts it again.
  for (let n = 0; n < 50 && (await run.status()) !== 'SUCCEEDED'; n++)
    await new ProcessEngine(wide, storage, { concurrency: 3 }).work(run.id).catch(() => undefined);

  expect(await run.result()).toBe('last');
  const history = [];
  for await (const event of calm.history(run.id)) history.push(event);
  const results = history.filter((event) => event.type === 'succeeded').map(({ step }) => step);
  expect(results.length).toBe(10);
  expect(new Set(results).size).toBe(10);
  lost += store.counts.failedAfter;
  // The answer of a claim was lost, not the claim: its attempt was begun once, by whoever was handed it again.
  const repeated = bodies.filter((one, i) => bodies.indexOf(one) !== i);
  expect(repeated).toEqual([]);
});

test('those schedules did lose answers', () => {
  expect(lost).toBeGreaterThan(SEEDS.length);
});

// proves: claim.lost-answer
test('a claim whose answer was lost is handed out again as the same attempt', async () => {
  const attempts: number[] = [];
  const one = workflow('one', ($) => $.step('one', {}, (_, { attempt }) => void attempts.push(attempt)));
  let lose = true;
  class Forgetful extends MemoryStore {
    override async commit(batch: Batch): Promise<CommitResult> {
      const result = await super.commit(batch);
      if (lose && batch.put?.some(({ key }) => key.startsWith('claim/'))) {
        lose = false;
        throw new FuselineError('STORAGE_FAILED', 'the answer was lost');
      }
      return result;
    }
  }
  const store = new Forgetful();
  const storage = new RuntimeStorage({ store, host: webHost });
  const run = await one.dispatch(undefined, { storage });
  await new ProcessEngine(one, storage).work(run.id);
  expect(lose).toBe(false);
  expect(attempts).toEqual([1]);
  expect(await run.status()).toBe('SUCCEEDED');
});

// proves: journal.time
test('a wall clock that jumps back stops nothing', async () => {
  let jump = 0;
  const host = { ...webHost, now: () => webHost.now() - jump };
  const storage = new RuntimeStorage({ store: new MemoryStore(), host });
  const steps = workflow('steps', ($) => {
    const first = $.step('first', {}, () => {
      jump = 3_600_000;
      return 1;
    });
    const second = $.step('second', { first }, ({ first }) => first + 1);
    return $.step('third', { second }, ({ second }) => second + 1);
  });
  const run = await steps.dispatch(undefined, { storage });
  await new ProcessEngine(steps, storage).work(run.id);
  expect(await run.result()).toBe(3);
  const times: number[] = [];
  for await (const { at } of storage.history(run.id)) times.push(at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('many engines of one process on one storage, and on several, do every step once', async () => {
  const bodies: string[] = [];
  const wide = workflow('wide', ($) => {
    const middle = Array.from({ length: 40 }, (_, i) =>
      $.step(`middle ${i}`, {}, async (_, { step }) => {
        await new Promise((resolve) => setTimeout(resolve, i % 5));
        bodies.push(step);
      }),
    );
    return $.step('last', {}, () => 'done', { after: middle });
  });
  const store = new MemoryStore();
  const storages = [1, 2].map(() => new RuntimeStorage({ store, host: webHost }));
  const run = await wide.dispatch(undefined, { storage: storages[0] as RuntimeStorage });
  const engines = storages.flatMap((storage) =>
    [1, 2, 3].map(() => new ProcessEngine(wide, storage, { concurrency: 4 })),
  );
  await Promise.all(engines.map((engine) => engine.work(run.id)));
  expect(await run.result()).toBe('done');
  expect(bodies).toHaveLength(40);
  expect(new Set(bodies).size).toBe(40);
});
