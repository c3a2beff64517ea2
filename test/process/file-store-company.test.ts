import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore } from 'fuseline/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFiles } from '../../src/adapters/node-file/files.ts';
import { type Child, start } from './children/child.ts';

const SMALL = { segmentBytes: 20_000 };

let directory: string;
let store: FileStore;
const running = new Set<Child>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fuseline-company-'));
  store = new FileStore(directory, SMALL);
});

afterEach(async () => {
  for (const child of running) child.signal('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  await store.close();
  rmSync(directory, { recursive: true });
});

function run(program: string, ...args: readonly string[]): Child {
  const child = start(program, directory, ...args);
  running.add(child);
  return child;
}

/** Writes until the segment that is current now, and a few after it, became tables and were removed. */
async function outlive(segments: number): Promise<void> {
  const ordinals = () =>
    readdirSync(directory).flatMap((name) => (name.endsWith('.log') ? Number.parseInt(name, 10) : []));
  for (const goal = Math.max(0, ...ordinals()) + segments; Math.min(...ordinals()) < goal; ) {
    await store.commit({ put: [{ key: 'filler', value: JSON.stringify('x'.repeat(500)) }] });
  }
}

describe('a process that was stopped while its segment was sealed, became a table and was removed', () => {
  test.for([1, 3])('commits where the log is now, %i segments later', async (segments) => {
    await store.commit({ put: [{ key: 'shared', value: '1' }] });
    const sleeper = run('sleeper.mjs', JSON.stringify(SMALL));
    await sleeper.wrote(1);
    sleeper.signal('SIGSTOP');
    await outlive(segments);
    sleeper.say('blind');
    sleeper.say('mine');
    sleeper.signal('SIGCONT');
    await sleeper.wrote(3);
    expect(sleeper.lines()).toEqual(['ready', 'committed', 'committed']);
    expect((await store.read(['blind', 'shared'])).map((entry) => entry?.value)).toEqual([
      '{"line":"blind"}',
      '{"line":"mine"}',
    ]);

    await store.close();
    store = new FileStore(directory, SMALL);
    expect((await store.read(['blind', 'shared'])).map((entry) => entry?.value)).toEqual([
      '{"line":"blind"}',
      '{"line":"mine"}',
    ]);
  });

  test('loses against what was committed meanwhile', async () => {
    await store.commit({ put: [{ key: 'shared', value: '1' }] });
    const sleeper = run('sleeper.mjs', JSON.stringify(SMALL));
    await sleeper.wrote(1);
    sleeper.signal('SIGSTOP');
    await store.commit({ put: [{ key: 'shared', value: '2' }] });
    await outlive(2);
    sleeper.say('mine');
    sleeper.signal('SIGCONT');
    await sleeper.wrote(2);
    expect(sleeper.lines()).toEqual(['ready', 'conflict']);
    expect((await store.read(['shared']))[0]?.value).toBe('2');
  });

  test('at any moment of its work: writers stopped and continued at random lose nothing', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const children = names.map((name) => run('writer.mjs', name, JSON.stringify(SMALL), '250'));
    const over = Promise.all(children.map(({ ended }) => ended));
    let isOver = false;
    over.then(() => {
      isOver = true;
    });
    for (let i = 0; !isOver; i++) {
      const child = children[i % children.length] as Child;
      child.signal('SIGSTOP');
      await Promise.race([outlive(1), over]);
      child.signal('SIGCONT');
      await new Promise(setImmediate);
    }
    expect(await over).toEqual([0, 0, 0, 0]);
    expect((await store.read(['counter']))[0]?.value).toBe('1000');
    for (const [i, name] of names.entries()) {
      const rows = new Map(
        (await store.scan({ from: `done/${name}/`, to: `done/${name}0` })).map(({ key, version }) => [key, version]),
      );
      const told = (children[i] as Child).lines().map((line) => line.split(' '));
      expect(told.length).toBe(250);
      for (const [n, , version] of told) expect(rows.get(`done/${name}/${n}`)).toBe(Number(version));
    }
  });
});

describe('a commit', () => {
  test('leaves timers their turn, however many follow each other', async () => {
    const quick = new FileStore(directory, { files: { ...nodeFiles, datasyncNow: () => undefined } });
    let isDue = false;
    setTimeout(() => {
      isDue = true;
    }, 1);
    let commits = 0;
    for (; !isDue && commits < 20_000; commits++) {
      await quick.commit({ put: [{ key: 'chain', value: String(commits) }] });
    }
    await quick.close();
    expect(commits).toBeLessThan(20_000);
  });

  test('wakes the other processes within milliseconds, names its keys, and lets them end when they are done', async () => {
    const watcher = run('watcher.mjs');
    await watcher.wrote(1);
    const delays: number[] = [];
    for (let i = 0; i < 20; i++) {
      const rung = Date.now();
      await store.commit({ put: [{ key: 'bell', value: String(rung) }] });
      const committed = Date.now();
      await expect
        .poll(() => watcher.lines().some((line) => line.includes(String(rung))), { interval: 5, timeout: 20_000 })
        .toBe(true);
      const heard = JSON.parse(watcher.lines().find((line) => line.includes(String(rung))) as string);
      expect(heard.keys).toContain('bell');
      delays.push(heard.heard - committed);
    }
    // On a busy machine some of them wait for a processor; one that only looks now and then is late every time.
    expect(delays.sort((a, b) => a - b)[4]).toBeLessThan(50);
    await store.commit({ put: [{ key: 'bell', value: '0' }] });
    expect(await watcher.ended).toBe(0);
  });

  test('is not told to the process that made it', async () => {
    const heard: unknown[] = [];
    const stop = store.watch((hint) => heard.push(hint));
    await store.commit({ put: [{ key: 'own', value: '1' }] });
    await new Promise(setImmediate);
    expect(heard).toEqual([]);
    stop();
  });
});

// Its own account is the kernel's, so a loaded machine does not matter.
test.runIf(process.platform === 'linux')(
  'a process that only waits wakes up now and then, for next to no time',
  async () => {
    const watcher = run('watcher.mjs');
    await watcher.wrote(1);
    const account = () => {
      const fields = readFileSync(`/proc/${watcher.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      const status = readFileSync(`/proc/${watcher.pid}/status`, 'utf8');
      return {
        ticks: Number(fields[11]) + Number(fields[12]),
        wakes: Number(/^voluntary_ctxt_switches:\t(\d+)/m.exec(status)?.[1]),
      };
    };
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = account();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const after = account();
    // A tick is 10 ms: at most 2.5 % of the time.
    expect(after.ticks - before.ticks).toBeLessThanOrEqual(5);
    expect(after.wakes - before.wakes).toBeLessThan(10);
  },
);

test('space is returned: what was overwritten or deleted leaves the directory', async () => {
  const size = () => readdirSync(directory).reduce((sum, name) => sum + readFileSync(join(directory, name)).length, 0);
  const keys = Array.from({ length: 50 }, (_, i) => `run/${i}`);
  const value = JSON.stringify('y'.repeat(1500));
  await store.commit({ put: keys.map((key) => ({ key, value })) });
  expect(size()).toBeGreaterThan(75_000);
  await store.commit({ delete: keys.slice(1) });
  await outlive(1);
  await expect.poll(size, { timeout: 20_000 }).toBeLessThan(75_000 / 2);
  expect((await store.read(['run/0', 'run/1'])).map((entry) => entry?.value)).toEqual([value, undefined]);
  await store.close();
  store = new FileStore(directory, SMALL);
  expect((await store.read(['run/0', 'run/1'])).map((entry) => entry?.value)).toEqual([value, undefined]);
});
