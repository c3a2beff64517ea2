import { processLiveness } from 'fuseline/node';
import { afterEach, describe, expect, test } from 'vitest';
import { type Child, start } from './children/child.ts';

const running = new Set<Child>();

afterEach(async () => {
  for (const child of running) child.signal('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
});

async function idler(): Promise<{ readonly child: Child; readonly evidence: string }> {
  const child = start('idler.mjs');
  running.add(child);
  await child.wrote(1);
  return { child, evidence: child.lines()[0] as string };
}

/** Watches, and counts how often it is told that the process is gone, and when it was last. */
function watch(evidence: string, options?: Parameters<typeof processLiveness>[0]) {
  let times = 0;
  let lastAt = 0;
  const stop = processLiveness(options).watch(evidence, () => {
    times++;
    lastAt = performance.now();
  });
  return { stop, times: () => times, lastAt: () => lastAt };
}

const soon = { timeout: 20_000, interval: 10 };
// The watch itself keeps no process alive, so a test that waits must.
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.runIf(process.platform === 'linux')('a watched process is gone', () => {
  test('soon after it is killed, and that is said once', async () => {
    const { child, evidence } = await idler();
    const watched = watch(evidence);
    await pass(500);
    expect(watched.times()).toBe(0);
    const killedAt = performance.now();
    child.signal('SIGKILL');
    await expect.poll(watched.times, soon).toBe(1);
    expect(watched.lastAt() - killedAt).toBeLessThan(3000);
    await pass(500);
    expect(watched.times()).toBe(1);
  });

  test('when its process id belongs to a later process', async () => {
    const { evidence } = await idler();
    const earlier = JSON.parse(evidence) as { started: string };
    const watched = watch(JSON.stringify({ ...earlier, started: String(Number(earlier.started) - 1) }));
    await expect.poll(watched.times, soon).toBe(1);
  });

  test('when the machine was started anew since', async () => {
    const { evidence } = await idler();
    const watched = watch(JSON.stringify({ ...JSON.parse(evidence), boot: '00000000-0000-0000-0000-000000000000' }));
    await expect.poll(watched.times, soon).toBe(1);
  });

  test('when it has been stopped long enough, and not before', async () => {
    const { child, evidence } = await idler();
    const watched = watch(evidence, { intervalMs: 100, stoppedMs: 1500 });
    child.signal('SIGSTOP');
    await pass(500);
    child.signal('SIGCONT');
    await pass(300);
    const stoppedAt = performance.now();
    child.signal('SIGSTOP');
    await expect.poll(watched.times, soon).toBe(1);
    expect(watched.lastAt() - stoppedAt).toBeGreaterThanOrEqual(1500);
  });
});

test('a process that lives, or is no longer watched, is never gone', async () => {
  const [alive, killed] = [await idler(), await idler()];
  const [one, two] = [watch(alive.evidence, { intervalMs: 20 }), watch(killed.evidence, { intervalMs: 20 })];
  two.stop?.();
  killed.child.signal('SIGKILL');
  await killed.child.ended;
  await pass(300);
  expect([one.times(), two.times()]).toEqual([0, 0]);
});

test.each([
  ['of another machine', { host: 'elsewhere' }],
  ['of another process namespace', { pidNamespace: 'pid:[1]' }],
])('nothing is said of a process %s', async (_, other) => {
  const { evidence } = await idler();
  expect(watch(JSON.stringify({ ...JSON.parse(evidence), ...other })).stop).toBeUndefined();
});

test.each(['', 'null', '{}', '{"pid":-1}', '{"pid":"1"}'])('evidence that is none, %j, is not judged', (evidence) => {
  expect(watch(evidence).stop).toBeUndefined();
});
