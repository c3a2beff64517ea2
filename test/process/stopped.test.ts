import { test } from 'vitest';
import { fleet, historyOf, measured, resultsOf, until } from './fleet.ts';

// Most of both is waiting for ten seconds to pass.
test.concurrent('a stopped process is given up, and when it goes on it records nothing stale and works as a new worker', async ({
  expect,
  onTestFinished,
}) => {
  const { flows, open, start, noted, notes, letGo } = fleet(onTestFinished);
  const storage = open();
  const run = await flows.hold.dispatch(1, { storage });
  const sleeper = start({ what: 'start', workflows: ['hold', 'quick'] });
  await noted(({ pid, what }) => pid === sleeper.pid && what === 'begin');
  const heir = start({ what: 'start', workflows: ['hold'] });
  await heir.told('ready');

  const stoppedAt = Date.now();
  sleeper.signal('SIGSTOP');
  const begun = await noted(({ pid, what }) => pid === heir.pid && what === 'begin');
  const givenUp = measured('stop to take-over', begun.at - stoppedAt);
  expect(givenUp).toBeGreaterThan(9_000);
  expect(givenUp).toBeLessThan(20_000);

  sleeper.signal('SIGCONT');
  await sleeper.told('disowned');
  await noted(({ pid, what }) => pid === sleeper.pid && what === 'aborted');
  letGo();
  expect(await run.result()).toBe('hold by attempt 2');
  expect(resultsOf(await historyOf(storage, run.id))).toEqual(new Map([['hold', [2]]]));
  expect(notes().filter(({ pid, what }) => pid === sleeper.pid && what === 'end')).toEqual([]);

  heir.signal('SIGTERM');
  await heir.ended;
  expect(await (await flows.quick.dispatch(2, { storage })).result()).toBe('second by attempt 1');
});

test.concurrent('an idle worker that was stopped is known to the others again, and keeps what it claims then', async ({
  expect,
  onTestFinished,
}) => {
  const { flows, open, start, noted, letGo } = fleet(onTestFinished);
  const storage = open();
  const sleeper = start({ what: 'start', workflows: ['hold'], engine: { name: 'sleeper' } });
  await sleeper.told('ready');
  const other = start({ what: 'start', workflows: ['quick'] });
  await other.told('ready');
  sleeper.signal('SIGSTOP');
  await other.told('worker-lost');
  sleeper.signal('SIGCONT');
  await until(async () => (await storage.workers()).some(({ name }) => name === 'sleeper'), 'the worker to be back');
  const run = await flows.hold.dispatch(1, { storage });
  await noted(({ pid }) => pid === sleeper.pid);
  letGo();
  expect(await run.result()).toBe('hold by attempt 1');
});
