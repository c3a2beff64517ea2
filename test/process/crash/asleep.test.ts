import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fleet, until } from '../fleet.ts';

test('workers that were all asleep, as on a closed laptop, take nobody for dead, and go on with what they held', async () => {
  const { flows, open, start, notes, letGo } = fleet();
  const storage = open();
  const workers = Array.from({ length: 3 }, () =>
    start({ what: 'start', workflows: ['hold'], engine: { concurrency: 1 } }),
  );
  await Promise.all(workers.map((worker) => worker.told('ready')));
  const runs = await Promise.all(workers.map((_, n) => flows.hold.dispatch(n, { storage })));
  await until(() => new Set(notes().map(({ pid }) => pid)).size === workers.length || undefined, 'a body on each');
  // Every one of them has watched the others for a while.
  await sleep(1500);
  // Each sees those that fall asleep before it, and that they still are when it wakes.
  for (const worker of workers) {
    worker.signal('SIGSTOP');
    await sleep(500);
  }
  // Longer than it takes to be given up by somebody who is awake.
  await sleep(12_000);
  for (const worker of workers.toReversed()) {
    worker.signal('SIGCONT');
    await sleep(500);
  }
  // As long as somebody takes who would count the night as silence of the others.
  await sleep(2000);
  letGo();
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(runs.map(() => 'hold by attempt 1'));
  for (const { lines } of workers)
    expect(lines.filter(({ type }) => ['worker-lost', 'disowned', 'stale', 'error'].includes(type))).toEqual([]);
});
