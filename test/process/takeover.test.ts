import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from 'fuseline';
import { FileStore } from 'fuseline/node';
import { expect, test } from 'vitest';
import { fleet, historyOf, measured, resultsOf } from './fleet.ts';

test('the steps of a killed process start on another, idle one within a second', async () => {
  const { flows, open, start, noted, letGo } = fleet();
  const storage = open();
  const run = await flows.hold.dispatch(1, { storage });
  const victim = start({ what: 'start', workflows: ['hold'] });
  await noted(({ pid, what }) => pid === victim.pid && what === 'begin');
  const heir = start({ what: 'start', workflows: ['hold'] });
  await heir.told('ready');
  // Its first look would find a dead one at once; now it is at rest, and only its watch can tell.
  await sleep(1500);

  const killedAt = Date.now();
  victim.signal('SIGKILL');
  const begun = await noted(({ pid, what }) => pid === heir.pid && what === 'begin');
  // A second is the promise; a busy machine gets some more.
  expect(measured('kill to take-over', begun.at - killedAt)).toBeLessThan(3000);
  expect(begun.attempt).toBe(2);

  letGo();
  expect(await run.result()).toBe('hold by attempt 2');
  expect(resultsOf(await historyOf(storage, run.id))).toEqual(new Map([['hold', [2]]]));
});

test('the steps of a killed process are taken over although another process has its process id now', async () => {
  const { directory, flows, open, start, noted, letGo } = fleet();
  const storage = open();
  const run = await flows.hold.dispatch(1, { storage });
  const victim = start({ what: 'start', workflows: ['hold'] });
  await noted(({ pid }) => pid === victim.pid);
  victim.signal('SIGKILL');
  await victim.ended;
  // The id it left as evidence is that of a living process: this one, which started earlier.
  const store = new FileStore(directory);
  const [row] = await store.scan({ from: 'session/', to: 'session0' });
  const session = JSON.parse((row as Entry).value);
  const evidence = JSON.stringify({ ...JSON.parse(session.evidence), pid: process.pid });
  await store.commit({ put: [{ key: (row as Entry).key, value: JSON.stringify({ ...session, evidence }) }] });
  await store.close();
  letGo();
  const heir = start({ what: 'start', workflows: ['hold'] });
  await heir.told('worker-lost');
  expect(await run.result()).toBe('hold by attempt 2');
});

test('a worker killed right after it has joined is noticed as fast', async () => {
  const { flows, open, start, noted, letGo } = fleet();
  const storage = open();
  const heir = start({ what: 'start', workflows: ['hold'], engine: { concurrency: 1 } });
  await heir.told('ready');
  const first = await flows.hold.dispatch(1, { storage });
  await noted(({ pid }) => pid === heir.pid);
  const second = await flows.hold.dispatch(2, { storage });
  const victim = start({ what: 'start', workflows: ['hold'] });
  await noted(({ pid, run }) => pid === victim.pid && run === second.id);
  const killedAt = Date.now();
  victim.signal('SIGKILL');
  await heir.told('worker-lost');
  expect(measured('kill of a new worker to its claims being free', Date.now() - killedAt)).toBeLessThan(3000);
  letGo();
  expect(await Promise.all([first.result(), second.result()])).toEqual(['hold by attempt 1', 'hold by attempt 2']);
});

test('a dispatch starts on an idle worker of another process within milliseconds', async () => {
  const { flows, open, start, noted } = fleet();
  const storage = open();
  const worker = start({ what: 'start', workflows: ['quick'] });
  await worker.told('ready');
  const latencies: number[] = [];
  for (let n = 0; n < 20; n++) {
    const from = Date.now();
    const run = await flows.quick.dispatch(n, { storage });
    latencies.push((await noted(({ run: id }) => id === run.id)).at - from);
    await run.result();
  }
  latencies.sort((a, b) => a - b);
  expect(measured('dispatch to start elsewhere, median', latencies[10] as number)).toBeLessThan(500);
});
