import { expect, test } from 'vitest';
import { fleet, historyOf, measured, resultsOf, until } from './fleet.ts';

test('a cancel from another process aborts the body where it runs', async () => {
  const { flows, open, start, noted } = fleet();
  const storage = open();
  const worker = start({ what: 'start', workflows: ['hold'] });
  const run = await flows.hold.dispatch(1, { storage });
  await noted(({ run: id }) => id === run.id);
  const from = Date.now();
  await run.cancel();
  const aborted = await noted(({ what }) => what === 'aborted');
  expect(aborted.pid).toBe(worker.pid);
  expect(measured('cancel to abort elsewhere', aborted.at - from)).toBeLessThan(3000);
  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
});

test('pause, resume, retry, enqueue and signal reach a worker of another process', async () => {
  const { flows, open, start, notes } = fleet();
  const storage = open();
  const run = await flows.quick.dispatch(1, { storage });
  await run.pause();
  const worker = start({ what: 'start', workflows: ['quick'] });
  await worker.told('ready');
  const other = await flows.quick.dispatch(2, { storage });
  await other.result();
  expect(notes().filter(({ run: id }) => id === run.id)).toEqual([]);
  await run.signal('hello', { from: 'afar' });
  await run.resume();
  expect(await run.result()).toBe('second by attempt 1');
  expect((await run.get()).signals).toMatchObject([{ name: 'hello' }]);
  await run.enqueue('second');
  await until(async () => (await run.status()) === 'SUCCEEDED' || undefined, 'the second end');
  expect((await run.get()).steps[1]).toMatchObject({ generation: 1, status: 'SUCCEEDED' });

  await other.enqueue('first');
  await other.cancel().catch(() => undefined);
  if ((await other.status()) === 'CANCELLED') await other.retry();
  await until(async () => (await other.status()) === 'SUCCEEDED' || undefined, 'the end of the retried run');
});

test('two processes that dispatch the same id make one run; another input is refused', async () => {
  const { open, start } = fleet();
  const dispatch = (input: number) => start({ what: 'dispatch', workflows: ['quick'], run: 'one', input });
  const members = [dispatch(1), dispatch(1), dispatch(2)];
  await Promise.all(members.map(({ ended }) => ended));
  const told = members.map(({ lines }) => lines[0]);
  expect((await open().list()).runs).toHaveLength(1);
  const refused = told.filter((line) => line?.type === 'refused');
  // Whichever input came second was refused, and only that.
  expect(refused.every((line) => line?.code === 'INPUT_MISMATCH')).toBe(true);
  expect([1, 2]).toContain(refused.length);
});

test('a run removed while another process holds an old fold of it can be made again with its id', async () => {
  const { flows, open, start } = fleet();
  const storage = open();
  const worker = start({ what: 'start', workflows: ['quick'] });
  await worker.told('ready');
  const first = await flows.quick.dispatch(1, { storage, id: 'phoenix' });
  await first.result();
  const remover = open();
  await remover.remove('phoenix');
  // This storage and the worker both still have the fold of the removed run.
  await expect(first.enqueue('second')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  const second = await flows.quick.dispatch(2, { storage, id: 'phoenix' });
  expect(await second.result()).toBe('second by attempt 1');
  expect(resultsOf(await historyOf(storage, 'phoenix'))).toEqual(
    new Map([
      ['first', [1]],
      ['second', [1]],
    ]),
  );
});
