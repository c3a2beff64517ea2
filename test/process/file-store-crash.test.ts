import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore } from 'fuseline/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, start } from './children/child.ts';

// Small enough that segments are sealed and compacted all the time.
const SMALL = '{"segmentBytes":30000}';

/** How often all writers are killed, and how often the power is cut: `npm run soak` goes on for longer. */
const LONGER = Number(process.env.SOAK_RUNS ?? 1);
const KILLS = 5 * LONGER;
const CUTS = 4 * LONGER;
/** How much each writer has been told when it happens, one round after the other. */
const WRITTEN = [5, 54, 19, 40, 12];

let directory: string;
const running = new Set<Child>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fuseline-crash-'));
});

afterEach(async () => {
  for (const child of running) child.signal('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  await rm(directory, { recursive: true });
});

test.for([
  ['one log', '{}'],
  ['segments that come and go', SMALL],
])(
  'whatever writers were told is there after they are killed at any moment: %s',
  { timeout: LONGER * 180_000 },
  async ([, options]) => {
    const told = new Map<string, readonly string[]>();
    for (let round = 0; round < KILLS; round++) {
      const writers = Array.from({ length: 4 }, (_, i) => `${round}-${i}`).map((name) => {
        const child = start('writer.mjs', directory, name, options as string);
        running.add(child);
        return { name, child };
      });
      await Promise.all(writers.map(({ child }) => child.wrote(WRITTEN[round % WRITTEN.length] as number)));
      for (const { name, child } of writers) {
        child.signal('SIGKILL');
        await child.ended;
        running.delete(child);
        told.set(name, child.lines());
      }
    }
    await expectWhole(told);
  },
);

test.for([
  ['one log', '{}'],
  ['segments that come and go', SMALL],
])(
  'whatever writers were told is there after a power cut takes all that was not synced: %s',
  { timeout: LONGER * 180_000 },
  async ([, options]) => {
    const syncs = `${directory}.syncs`;
    const told = new Map<string, readonly string[]>();
    let taken = 0;
    try {
      // Whether there is something to lose is chance.
      for (let round = 0; round < CUTS || (taken === 0 && round < 5 * CUTS); round++) {
        const writers = Array.from({ length: 4 }, (_, i) => {
          const child = start('writer.mjs', directory, `${round}-${i}`, options as string, 'Infinity', syncs);
          running.add(child);
          return child;
        });
        await Promise.all(writers.map((child) => child.wrote(WRITTEN[round % WRITTEN.length] as number)));
        for (const child of writers) child.signal('SIGKILL');
        await Promise.all(writers.map(({ ended }) => ended));
        for (const [i, child] of writers.entries()) {
          running.delete(child);
          told.set(`${round}-${i}`, child.lines());
        }
        taken += cutPower(syncs);
        await expectWhole(told);
      }
    } finally {
      await rm(syncs, { force: true });
    }
    // Or there was nothing to lose.
    expect(taken).toBeGreaterThan(0);
  },
);

test('writers that race for one key and for the next segment lose nothing', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const children = names.map((name) => start('writer.mjs', directory, name, SMALL, '150'));
  for (const child of children) running.add(child);
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(names.map(() => 0));
  await expectWhole(new Map(names.map((name, i) => [name, (children[i] as Child).lines()])));

  const store = new FileStore(directory);
  expect((await store.read(['counter']))[0]?.value).toBe('900');
  await store.close();
  const segments = (await readdir(directory)).map((name) => Number.parseInt(name, 10) || 0);
  expect(Math.max(...segments)).toBeGreaterThan(1);
});

/** Leaves of every log what its writers had seen reach the disk. Answers how many bytes that took away. */
function cutPower(syncs: string): number {
  const synced = new Map<string, number>();
  for (const line of readFileSync(syncs, 'utf8').split('\n')) {
    if (!line.endsWith(']')) continue;
    const [path, size] = JSON.parse(line) as [string, number];
    synced.set(path, Math.max(size, synced.get(path) ?? 0));
  }
  let taken = 0;
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.log'))) {
    const path = join(directory, name);
    const { size } = statSync(path);
    const kept = Math.min(size, synced.get(path) ?? 0);
    truncateSync(path, kept);
    taken += size - kept;
  }
  return taken;
}

/** Every count was given once, and everything that was told is there, with the version it was told. */
async function expectWhole(told: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const store = new FileStore(directory);
  try {
    const rows = new Map((await store.scan({ from: 'done/', to: 'done0' })).map((entry) => [entry.key, entry]));
    for (const [name, lines] of told) {
      for (const line of lines) {
        const [i, count, version] = line.split(' ');
        expect(rows.get(`done/${name}/${i}`)).toEqual({
          key: `done/${name}/${i}`,
          value: JSON.stringify({ count: Number(count) }),
          version: Number(version),
        });
      }
    }
    const counts = [...rows.values()].map(({ value }) => (JSON.parse(value) as { count: number }).count);
    const [counter] = await store.read(['counter']);
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: Number(counter?.value) }, (_, i) => i + 1));
  } finally {
    await store.close();
  }
}
