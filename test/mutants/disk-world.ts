import type { FileStore } from '../../src/adapters/node-file/file-store.ts';
import type { Version } from '../../src/core/store.ts';
import type { Random } from '../../src/testing/random.ts';
import { Disk } from './disk.ts';

type Open = (options: ConstructorParameters<typeof FileStore>[1]) => FileStore;

export interface Broken {
  readonly invariant: string;
  readonly message: string;
}

interface Told {
  readonly version: Version;
  readonly value: string;
}

const KEPT = 'what was acknowledged is on disk';
const WRITTEN = 'what is read was written';
const OPENS = 'a disk that lost its power opens';
const CUTS = 2;

/** A few writers on one disk, and a power cut in the middle of it, more than once. */
export async function diskWorld(random: Random, open: Open): Promise<Broken | undefined> {
  const life = () => 5 + random.below(60);
  const disk = new Disk(life());
  const told = new Map<string, Told>();
  const written = new Map<string, Set<string>>();
  for (let cut = 0; cut <= CUTS; cut++) {
    const isLast = cut === CUTS;
    if (cut > 0) disk.restart(random, isLast ? Number.POSITIVE_INFINITY : life());
    const stores = Array.from({ length: 1 + random.below(3) }, () =>
      open({ files: disk.files(random.pick(['in place', 'beside'])), segmentBytes: random.pick([4000, 1_000_000]) }),
    );
    if (cut > 0) {
      const looking = wrong(stores[0] as FileStore, told, written).catch((error: Error): Broken | undefined =>
        disk.isOff ? undefined : { invariant: OPENS, message: String(error) },
      );
      const broken = await Promise.race([looking, off(disk)]);
      if (broken) return broken;
    }
    if (isLast) {
      await Promise.all(stores.map((store) => store.close()));
      return undefined;
    }
    const plans = stores.map((store, i) => ({ store, writer: `${cut}-${i}` }));
    let failure: Broken | undefined;
    const writing = plans.map(({ store, writer }) =>
      write(store, writer, random, told, written).catch((error: Error) => {
        if (!disk.isOff) failure = { invariant: OPENS, message: String(error) };
      }),
    );
    await Promise.race([Promise.all(writing), off(disk)]);
    if (failure) return failure;
    await Promise.race([Promise.all(stores.map((store) => store.close())), off(disk)]);
  }
  return undefined;
}

async function off(disk: Disk): Promise<undefined> {
  while (!disk.isOff) await new Promise(setImmediate);
  return undefined;
}

/**
 * Raises a count that all writers share, and notes what the store acknowledged. Every other commit leaves a mark that
 * the next one takes away.
 */
async function write(
  store: FileStore,
  writer: string,
  random: Random,
  told: Map<string, Told>,
  written: Map<string, Set<string>>,
): Promise<void> {
  for (let i = 0; i < 30; i++) {
    const [counter] = await store.read(['counter']);
    const key = `done/${writer}/${i}`;
    const count = String(Number(counter?.value ?? 0) + 1);
    const value = JSON.stringify({ count, padding: 'x'.repeat(random.below(1500)) });
    const mark = `mark/${writer}`;
    const marks = i % 2 === 0;
    note(written, 'counter', count);
    note(written, key, value);
    note(written, mark, key);
    const result = await store.commit({
      expect: [{ key: 'counter', version: counter?.version }],
      put: [{ key: 'counter', value: count }, { key, value }, ...(marks ? [{ key: mark, value: key }] : [])],
      delete: marks ? [] : [mark],
    });
    if (result.status !== 'committed') continue;
    told.set(key, { version: result.version, value });
  }
}

async function wrong(
  store: FileStore,
  told: ReadonlyMap<string, Told>,
  written: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Broken | undefined> {
  const rows = new Map((await store.scan({ from: ' ', to: '~' })).map((row) => [row.key, row]));
  for (const [key, { version, value }] of told) {
    const row = rows.get(key);
    if (row?.version !== version || row.value !== value)
      return { invariant: KEPT, message: `${key} was acknowledged, and is ${JSON.stringify(row)?.slice(0, 100)}` };
  }
  for (const { key, value } of rows.values()) {
    if (!written.get(key)?.has(value)) return { invariant: WRITTEN, message: `${key} is ${value.slice(0, 100)}` };
  }
  const done = [...rows.values()].filter(({ key }) => key.startsWith('done/'));
  const last = new Map<string, number>();
  for (const { key } of done) {
    const [, writer = '', i] = key.split('/');
    last.set(writer, Math.max(Number(i), last.get(writer) ?? 0));
  }
  for (const [writer, i] of last) {
    const mark = rows.get(`mark/${writer}`)?.value;
    const due = i % 2 === 0 ? `done/${writer}/${i}` : undefined;
    if (mark !== due) return { invariant: WRITTEN, message: `the mark of ${writer} is ${mark}, and must be ${due}` };
  }
  const counts = done.map(({ value }) => Number((JSON.parse(value) as { count: string }).count));
  const counter = Number(rows.get('counter')?.value ?? 0);
  return counts.length === counter && new Set(counts).size === counter
    ? undefined
    : { invariant: WRITTEN, message: `${counts.length} commits are there, and the count is ${counter}` };
}

function note(written: Map<string, Set<string>>, key: string, value: string): void {
  written.set(key, (written.get(key) ?? new Set()).add(value));
}
