import { expect, test } from 'vitest';
import { fleet, measured, until } from './fleet.ts';

test('processes exit by themselves when their work is done', async () => {
  const { flows, open, start } = fleet();
  const storage = open();
  const run = await flows.quick.dispatch(1, { storage });
  const waiting = start({ what: 'result', workflows: ['quick'], run: run.id });
  await waiting.told('ready');
  const worker = start({ what: 'work', workflows: ['quick'] });
  const script = start({ what: 'run', workflows: ['chain'], input: 0, run: 'script' });
  expect(await Promise.all([waiting.ended, worker.ended, script.ended])).toEqual([0, 0, 0]);
  expect(waiting.lines.at(-1)).toEqual({ type: 'result', result: 'second by attempt 1' });
  expect(worker.lines.at(-1)).toMatchObject({ type: 'report', stranded: [] });
  expect(script.lines.at(-1)).toEqual({ type: 'result', result: 19 });
});

test('a script killed at any time and run again ten times finishes its run once', async () => {
  const { open, start, notes } = fleet();
  for (let n = 0; n < 10; n++) {
    const script = start({ what: 'run', workflows: ['chain'], input: 0, run: 'script' });
    const seen = notes().length;
    // A little further each time, and in the middle of a body more often than not.
    await Promise.race([script.ended, until(() => notes().length > seen + (n % 4) || undefined, 'a body')]);
    script.signal('SIGKILL');
    await script.ended;
  }
  const last = start({ what: 'run', workflows: ['chain'], input: 0, run: 'script' });
  expect(await last.ended).toBe(0);
  expect(last.lines.at(-1)).toEqual({ type: 'result', result: 19 });
  const { steps } = await open().get('script');
  expect(steps.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
});

test('an idle worker burns no processor', async () => {
  const { start } = fleet();
  const idle = start({ what: 'start', workflows: ['quick'], measureMs: [500, 2500] });
  const { share } = await idle.told('cpu');
  expect(measured('idle worker', share as number, 'of a processor')).toBeLessThan(0.02);
});

test('a worker whose place is taken burns no processor while another step is due', async () => {
  const { flows, open, start, noted, letGo } = fleet();
  const run = await flows.crowded.dispatch(undefined, { storage: open() });
  const worker = start({ what: 'start', workflows: ['crowded'], engine: { concurrency: 1 }, measureMs: [500, 2500] });
  await noted(({ step }) => step === 'holds');
  const { share } = await worker.told('cpu');
  expect(measured('full worker', share as number, 'of a processor')).toBeLessThan(0.05);
  letGo();
  expect(await run.result()).toEqual({ again: 'again by attempt 2', holds: 'holds by attempt 1' });
});

test('a worker that waits for one run burns no processor while another run is due', async () => {
  const { flows, open, start, noted, letGo } = fleet();
  const storage = open();
  const held = await flows.hold.dispatch(1, { storage });
  await flows.quick.dispatch(2, { storage, startAt: Date.now() + 300 });
  const worker = start({ what: 'work', workflows: ['hold'], run: held.id, measureMs: [700, 2700] });
  await noted(({ step }) => step === 'hold');
  const { share } = await worker.told('cpu');
  expect(measured('worker of one run', share as number, 'of a processor')).toBeLessThan(0.05);
  letGo();
  await held.result();
});

test('the deadline of a run ends it while its step takes the only place of the worker', async () => {
  const { flows, open, start, noted } = fleet();
  const worker = start({ what: 'start', workflows: ['lasting'], engine: { concurrency: 1 } });
  await worker.told('ready');
  const run = await flows.lasting.dispatch(undefined, { storage: open() });
  await noted(({ what }) => what === 'aborted');
  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
});
