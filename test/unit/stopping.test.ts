import { setImmediate } from 'node:timers/promises';
import { type Batch, type CommitResult, MemoryStore, ProcessEngine, RuntimeStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { webHost } from '../../src/adapters/host.ts';

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Holds the commit back that records progress, and with it what its run is asked meanwhile. */
class Slow extends MemoryStore {
  readonly reached: Gate = gate();
  readonly held: Gate = gate();

  override async commit(batch: Batch): Promise<CommitResult> {
    if (batch.put?.some(({ value }) => value.includes('"type":"progress"'))) {
      this.reached.open();
      await this.held.passed;
    }
    return super.commit(batch);
  }
}

// proves: rerun.old-body
test('a body that has not stopped yet does not begin a second time in a worker that is stopped', async () => {
  let begun = 0;
  const [quick, long] = [gate(), gate()];
  const two = workflow('two', ($) => {
    const first = $.step('quick', {}, async () => await quick.passed);
    $.step('long', {}, async (_, { heartbeat }) => {
      begun++;
      heartbeat('begun');
      await long.passed;
    });
    return $.step('next', { first }, () => undefined);
  });
  const store = new Slow();
  const storage = new RuntimeStorage({ store, host: webHost });
  const run = await two.dispatch(undefined, { storage });
  const engine = new ProcessEngine(two, storage, { concurrency: 2 });
  await engine.start();
  await store.reached.passed;
  quick.open();
  // Its end is asked to be recorded, with what the worker may claim beside it, and waits for the progress.
  await setImmediate();
  const stopped = engine.stop({ drain: false });
  store.held.open();
  for (let turns = 0; turns < 20; turns++) await setImmediate();
  // Nor may it anywhere else, as long as it runs.
  expect((await run.get()).steps.find(({ name }) => name === 'long')).toMatchObject({ status: 'RUNNING' });
  long.open();
  await stopped;

  expect(begun).toBe(1);
  // What was taken from it is there for the next.
  await new ProcessEngine(two, storage).work(run.id);
  expect(await run.status()).toBe('SUCCEEDED');
});

test('a worker that waits for a cancelled body to stop goes on with what is dispatched meanwhile', async () => {
  const [begun, end] = [gate(), gate()];
  const deaf = workflow('deaf', ($) =>
    $.step('body', {}, async () => {
      begun.open();
      await end.passed;
    }),
  );
  const quick = workflow('quick', ($) => $.step('body', {}, () => 'done'));
  const storage = new RuntimeStorage({ store: new MemoryStore(), host: webHost });
  const cancelled = await deaf.dispatch(undefined, { storage });
  const work = new ProcessEngine([deaf, quick], storage).work();
  await begun.passed;
  await cancelled.cancel();
  for (let turns = 0; turns < 20; turns++) await setImmediate();
  const next = await quick.dispatch(undefined, { storage });
  expect(await next.result()).toBe('done');
  end.open();
  await work;
});
