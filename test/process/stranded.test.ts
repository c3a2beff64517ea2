import { expect, test } from 'vitest';
import { fleet, until } from './fleet.ts';

const onTheGpu = { step: 'on the gpu', queue: 'gpu' };

test('a step no worker can handle is shown in the list, in the events and in what work hands back, until one comes', async () => {
  const { flows, open, start } = fleet();
  const storage = open();
  const run = await flows.special.dispatch(undefined, { storage });
  const unfit = start({ what: 'start', workflows: ['special'], engine: { queues: ['default'], name: 'unfit' } });
  expect(await unfit.told('stranded')).toMatchObject({ ...onTheGpu, run: run.id });
  const [summary] = (await storage.list()).runs;
  expect(summary?.stranded).toMatchObject([{ ...onTheGpu, workers: [{ name: 'unfit', versions: [undefined] }] }]);
  expect(await run.explain()).toContain('no live worker can handle it');
  const passing = start({ what: 'work', workflows: ['special'], run: run.id, engine: { queues: ['default'] } });
  expect(await passing.told('report')).toMatchObject({ stranded: [onTheGpu] });
  expect(await passing.ended).toBe(0);

  const fit = start({ what: 'start', workflows: ['special'], engine: { queues: ['gpu'] } });
  await fit.told('ready');
  expect(await run.result()).toBe('on the gpu by attempt 1');
  expect((await storage.list()).runs[0]?.stranded).toEqual([]);
});

test('a step is shown as stranded when the last worker for it leaves', async () => {
  const { flows, open, start } = fleet();
  const storage = open();
  const unfit = start({ what: 'start', workflows: ['special'], engine: { queues: ['default'] } });
  await unfit.told('ready');
  const fit = start({
    what: 'start',
    workflows: ['special', 'hold'],
    engine: { queues: ['gpu', 'default'], concurrency: 1 },
  });
  await fit.told('ready');
  // Keeps the fitting worker busy, so that the step waits for it while it lives.
  const hold = await flows.hold.dispatch(1, { storage });
  await fit.told('started', ({ run }) => run === hold.id);
  const run = await flows.special.dispatch(undefined, { storage });
  await unfit.told('finished', ({ run: id }) => id === run.id);
  expect((await run.get()).stranded).toEqual([]);
  fit.signal('SIGKILL');
  expect(await unfit.told('stranded', ({ step }) => step === 'on the gpu')).toMatchObject(onTheGpu);
});

test('steps of a directory whose workers were all killed are shown as stranded, with nobody there to find them dead', async () => {
  const { flows, open, start, noted } = fleet();
  const storage = open();
  const worker = start({ what: 'start', workflows: ['hold'], engine: { concurrency: 1 } });
  const held = await flows.hold.dispatch(1, { storage });
  await noted(({ run }) => run === held.id);
  const waiting = await flows.hold.dispatch(2, { storage });
  expect((await waiting.get()).stranded).toEqual([]);
  worker.signal('SIGKILL');
  await worker.ended;
  await until(async () => (await waiting.get()).stranded.length > 0 || undefined, 'the step to be shown as stranded');
  expect(await waiting.explain()).toContain('no worker is running');
});
