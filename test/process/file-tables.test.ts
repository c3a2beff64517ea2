import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FileStore, type FileStoreOptions } from 'fuseline/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Directory } from '../../src/adapters/node-file/directory.ts';
import { type Files, nodeFiles } from '../../src/adapters/node-file/files.ts';
import { Log } from '../../src/adapters/node-file/log.ts';
import type { Entry, Key, Range } from '../../src/core/store.ts';
import { type Random, seeded } from '../../src/testing/random.ts';

/** Each row is a block of its own, and a few hundred of them need several pages. */
const TINY = { segmentBytes: 3000, durability: 'relaxed' } as const;
const ALL: Range = { from: ' ', to: '~' };
const WRITER = 'test/process/children/writer.mjs';

let scratch: string;
let directory: string;
const opened: FileStore[] = [];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fuseline-tables-'));
  directory = join(scratch, 'data');
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  rmSync(scratch, { recursive: true });
});

function open(options: FileStoreOptions = TINY, at = directory): FileStore {
  const store = new FileStore(at, options);
  opened.push(store);
  return store;
}

const tablesOf = (at = directory) => readdirSync(at).filter((name) => name.endsWith('.table'));
const catalogueOf = (at = directory) => readdirSync(at).filter((name) => name.endsWith('.snapshot'));

/** Writes to one key until the store has made so many more tables. */
async function fill(store: FileStore, tables = 1): Promise<void> {
  await store.read(['filler']);
  for (const goal = (store.stats()?.compactions ?? 0) + tables; (store.stats()?.compactions ?? 0) < goal; ) {
    await store.commit({ put: [{ key: 'filler', value: JSON.stringify('x'.repeat(300)) }] });
    await new Promise(setImmediate);
  }
}

describe('rows in memory and in tables', () => {
  /** What every key holds, kept beside the store. */
  class Model {
    readonly rows = new Map<Key, Entry>();
    readonly #random: Random;

    constructor(random: Random) {
      this.#random = random;
    }

    key(): Key {
      const run = this.#random.below(40);
      return this.#random.pick([
        `entry/${run}/${this.#random.below(9)}`,
        `head/${run}`,
        `ready/q/${run}`,
        'single',
        'z',
      ]);
    }

    range(): Range {
      const random = this.#random;
      const folder = random.pick(['entry/', `entry/${random.below(40)}/`, 'ready/q/', 'nothing/', 'head/']);
      const [from, to] = random.chance(0.5) ? [folder, `${folder.slice(0, -1)}0`] : [this.key(), this.key()];
      return {
        from: random.chance(0.3) ? `${from}3` : from,
        to,
        ...(random.chance(0.5) && { limit: random.below(12) }),
        ...(random.chance(0.7) && { order: random.pick(['ascending', 'descending']) }),
      };
    }

    scan({ from, to, limit = Number.POSITIVE_INFINITY, order = 'ascending' }: Range): readonly Entry[] {
      const found = [...this.rows.values()].filter(({ key }) => from <= key && key < to);
      found.sort((a, b) => (a.key < b.key ? -1 : 1));
      return (order === 'ascending' ? found : found.reverse()).slice(0, limit);
    }

    async commit(store: FileStore): Promise<void> {
      const random = this.#random;
      const keys = new Set(Array.from({ length: 1 + random.below(4) }, () => this.key()));
      const gone = [...keys].filter(() => random.chance(0.4));
      const put = [...keys].filter((key) => !gone.includes(key));
      const rows = put.map((key) => ({ key, value: JSON.stringify({ filler: 'v'.repeat(random.below(200)) }) }));
      const expected = [...keys, this.key()].map((key) => ({ key, version: this.rows.get(key)?.version }));
      const result = await store.commit({ expect: expected, put: rows, delete: gone });
      if (result.status !== 'committed') throw new Error(`what is true was not met: ${JSON.stringify(expected)}`);
      for (const key of gone) this.rows.delete(key);
      for (const { key, value } of rows) this.rows.set(key, { key, value, version: result.version as number });
    }
  }

  test.each([1, 2, 3, 4])(
    'are what was committed, through tables that are made and merged and handles that come and go: seed %i',
    async (seed) => {
      const random = seeded(seed);
      const model = new Model(random);
      const stores = [open(), open()];
      let most = 0;
      for (let i = 0; i < 1200; i++) {
        const at = random.below(stores.length);
        const store = stores[at] as FileStore;
        await model.commit(store);
        if (random.chance(0.02)) {
          await store.close();
          stores[at] = open();
        }
        if (i % 4 > 0) continue;
        const range = model.range();
        const reader = stores[random.below(stores.length)] as FileStore;
        expect(await reader.scan(range), JSON.stringify(range)).toEqual(model.scan(range));
        const keys = [model.key(), model.key()];
        expect(await reader.read(keys)).toEqual(keys.map((key) => model.rows.get(key)));
        most = Math.max(most, tablesOf().length);
      }
      expect(most).toBeGreaterThan(2);
      expect(await open().scan(ALL)).toEqual(model.scan(ALL));
    },
  );

  test('an expectation about a row in a table is judged by its version, by a handle that never saw it in memory', async () => {
    const store = open();
    const kept = await store.commit({ put: [{ key: 'kept', value: '{"n":1}' }] });
    await fill(store, 2);
    const other = open();
    const version = kept.status === 'committed' ? kept.version : undefined;
    const put = [{ key: 'kept', value: '{"n":2}' }];
    for (const wrong of [undefined, 1]) {
      const expectation = [{ key: 'kept', version: wrong }];
      expect(await other.commit({ expect: expectation, put })).toEqual({ status: 'conflict' });
    }
    expect(await other.commit({ expect: [{ key: 'kept', version }], put })).toMatchObject({ status: 'committed' });
    expect(await store.read(['kept'])).toMatchObject([{ value: '{"n":2}' }]);
  });

  test('what is deleted while a table is made of it stays deleted', async () => {
    const disk = heldTables();
    const store = open({ ...TINY, files: disk.files });
    await store.commit({ put: [{ key: 'first', value: '1' }] });
    disk.hold();
    while (!disk.isHolding()) await store.commit({ put: [{ key: 'filler', value: JSON.stringify('x'.repeat(300)) }] });
    await store.commit({ delete: ['first'] });
    disk.letGo();
    await expect.poll(() => store.stats()?.compactions, { timeout: 20_000 }).toBe(1);
    expect(tablesOf().length).toBe(1);
    expect(await store.scan({ from: 'first', to: 'g' })).toEqual([]);
    expect(await open().read(['first'])).toEqual([undefined]);
  });

  test('a table of a state that others went on from is not listed', async () => {
    const disk = heldTables();
    const slow = open({ ...TINY, files: disk.files });
    const quick = open();
    await slow.commit({ put: [{ key: 'first', value: '1' }] });
    disk.hold();
    while (!disk.isHolding()) await slow.commit({ put: [{ key: 'filler', value: JSON.stringify('x'.repeat(300)) }] });
    await fill(quick, 3);
    await quick.commit({ put: [{ key: 'first', value: '2' }] });
    await fill(quick);
    disk.letGo();
    await slow.close();
    expect(slow.stats()?.compactions ?? 0).toBe(0);
    expect(await open().read(['first'])).toMatchObject([{ value: '2' }]);
  });

  test('a list of tables that comes when its generation is long over takes nothing from those who went on', async () => {
    let sleeps = 0;
    const inTheMeantime = (path: string): void => {
      const name = basename(path);
      // Until the generation has come, and has made room for the next.
      for (let has = catalogueOf(); has.length === 0 || has.includes(name); has = catalogueOf()) {
        const writer = [WRITER, directory, String(sleeps++), JSON.stringify(TINY), '8'];
        execFileSync(process.execPath, ['--import', './scripts/typescript.mjs', ...writer]);
      }
    };
    const files: Files = {
      ...nodeFiles,
      link(from, to) {
        if (to.endsWith('.snapshot') && sleeps === 0) inTheMeantime(to);
        nodeFiles.link(from, to);
      },
    };
    const slow = open({ ...TINY, files });
    let rows = 0;
    while (sleeps === 0) {
      await slow.commit({ put: [{ key: `row/${rows++}`, value: JSON.stringify('x'.repeat(300)) }] });
      await new Promise(setImmediate);
    }
    await slow.close();
    expect(catalogueOf().length).toBe(1);
    const again = open();
    expect((await again.scan({ from: 'row/', to: 'row0' })).length).toBe(rows);
    expect((await again.scan({ from: 'done/', to: 'done0' })).length).toBe(sleeps * 8);
  }, 180_000);

  test('a handle that slept while its tables were merged and removed reads and commits where the log is now', async () => {
    const store = open();
    const keys = Array.from({ length: 20 }, (_, i) => `row/${i}`);
    await store.commit({ put: keys.map((key) => ({ key, value: '1' })) });
    await fill(store);
    const sleeper = open();
    expect((await sleeper.scan({ from: 'row/', to: 'row0' })).length).toBe(20);
    const before = new Set(tablesOf());
    for (let i = 0; tablesOf().some((name) => before.has(name)) || tablesOf().length < 2; i++) {
      const value = JSON.stringify('x'.repeat(300));
      await store.commit({ put: [{ key: `filler/${i}`, value }], delete: ['row/7'] });
      await new Promise(setImmediate);
    }
    const [seven, eight] = await sleeper.read(['row/7', 'row/8']);
    expect([seven, eight?.value]).toEqual([undefined, '1']);
    const put = [{ key: 'row/8', value: '2' }];
    expect(await sleeper.commit({ expect: [{ key: 'row/7', version: 1 }], put })).toEqual({ status: 'conflict' });
    const expectation = [{ key: 'row/8', version: eight?.version }];
    expect(await sleeper.commit({ expect: expectation, put })).toMatchObject({ status: 'committed' });
    expect(await store.read(['row/8'])).toMatchObject([{ value: '2' }]);
  });
});

test('processes that end as soon as they have filled a segment leave few tables, and so does one that finds many', async () => {
  for (let life = 0; life < 60; life++) {
    const store = open();
    await fill(store);
    await store.close();
  }
  expect(tablesOf().length).toBeLessThan(30);
});

/** The disk, and the files that are open on it through this. */
function countedFiles(): { readonly files: Files; readonly held: ReadonlySet<number> } {
  const held = new Set<number>();
  const files: Files = {
    ...nodeFiles,
    open(path, flags) {
      const fd = nodeFiles.open(path, flags);
      held.add(fd);
      return fd;
    },
    close(fd) {
      held.delete(fd);
      nodeFiles.close(fd);
    },
  };
  return { files, held };
}

test.each(['strict', 'relaxed'] as const)('files that were replaced are closed: %s', async (durability) => {
  const { files, held } = countedFiles();
  const store = open({ ...TINY, durability, files });
  await fill(store, 40);
  expect(held.size).toBeLessThan(20);
  await store.close();
  expect(held.size).toBe(0);
});

test.runIf(process.platform === 'linux')('one that only reads closes the files that others replaced', async () => {
  const store = open();
  await fill(store);
  const { files, held } = countedFiles();
  const reader = open({ ...TINY, files });
  const removed = () => [...held].filter((fd) => readlinkSync(`/proc/self/fd/${fd}`).endsWith(' (deleted)'));
  await reader.read(['row/1']);
  await fill(store, 10);
  expect(removed()).not.toEqual([]);
  while (removed().length > 0) await reader.read(['row/1']);
  await fill(store);
  await reader.read(['filler']);
  expect((await reader.read(['filler']))[0]).toEqual((await store.read(['filler']))[0]);
});

/** A disk on which tables wait for their sync until they are let go; commits are synced in place. */
function heldTables() {
  const held: (() => void)[] = [];
  let hold = false;
  const files: Files = {
    ...nodeFiles,
    datasync: (fd, done) => (hold ? void held.push(() => nodeFiles.datasync(fd, done)) : nodeFiles.datasync(fd, done)),
  };
  return {
    files,
    hold: () => {
      hold = true;
    },
    isHolding: () => held.length > 0,
    letGo: () => {
      hold = false;
      for (const go of held.splice(0)) go();
    },
  };
}

describe('what is kept', () => {
  const runs = 6000;
  const segmentBytes = 64 * 1024;

  beforeEach(async () => {
    const store = open({ segmentBytes, durability: 'relaxed' });
    for (let run = 0; run < runs; run += 100) {
      const put = Array.from({ length: 100 }, (_, i) => ({
        key: `entry/${(run + i) * 7919}/1`,
        value: JSON.stringify('v'.repeat(100)),
      }));
      await store.commit({ put });
    }
    const logs = () => readdirSync(directory).filter((name) => name.endsWith('.log'));
    const bytesOf = (name: string) => statSync(join(directory, name)).size;
    do await fill(store);
    while (logs().some((name) => bytesOf(name) > segmentBytes));
    await store.close();
  });

  test('is left on disk when a directory is opened: memory and reading are for what is new', () => {
    const log = new Log(new Directory(directory, nodeFiles));
    try {
      expect(log.rows.resident).toBeLessThan(1000);
      expect(log.stats.bytesRead).toBeLessThan(200_000);
      expect(log.rows.get(`entry/${7919 * 5}/1`)).toBeDefined();
    } finally {
      log.close();
    }
  });

  test('does not make many tables', () => {
    expect(tablesOf().length).toBeGreaterThan(0);
    expect(tablesOf().length).toBeLessThan(12);
  });
});

describe('a damaged table', () => {
  const rows = ['a/1', 'a/2', 'b', 'c/1'];

  beforeEach(async () => {
    const store = open();
    await store.commit({ put: ['gone', ...rows].map((key) => ({ key, value: '{"some":"value"}' })) });
    await fill(store);
    await store.commit({ delete: ['gone'] });
    await fill(store);
    await store.close();
  });

  /** What a reader says once a file is altered: keys, or the code of its refusal. */
  async function readWith(name: string, altered: Buffer): Promise<readonly string[] | string> {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    writeFileSync(path, altered);
    const store = new FileStore(directory, TINY);
    try {
      return (await store.scan({ from: ' ', to: 'd' })).map(({ key }) => key);
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    } finally {
      await store.close();
      writeFileSync(path, bytes);
    }
  }

  // One bit, and one that makes a newline of a tab.
  test.each([1, 3])(
    'with any byte of it or of its catalogue changed by %i, is refused or read whole',
    async (mask) => {
      const names = [...tablesOf(), ...catalogueOf()];
      expect(names.length).toBeGreaterThan(2);
      for (const name of names) {
        const bytes = readFileSync(join(directory, name));
        for (let at = 0; at < bytes.length; at++) {
          const altered = Buffer.from(bytes);
          altered[at] = (bytes[at] as number) ^ mask;
          const seen = await readWith(name, altered);
          if (seen !== 'STORAGE_CORRUPT') expect(seen, `byte ${at} of ${name}`).toEqual(rows);
        }
      }
    },
    180_000,
  );

  test('refuses the row whose bytes changed, and names file and byte', async () => {
    const [name] = tablesOf() as [string];
    const path = join(directory, name);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('some');
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    const store = open();
    const key = bytes.toString('utf8', 0, at).split('"put":[["')[1]?.split('"')[0] as string;
    await expect(store.read([key])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', message: new RegExp(name) });
    await expect(store.commit({ expect: [{ key, version: 1 }], put: [] })).rejects.toMatchObject({
      code: 'STORAGE_CORRUPT',
      message: /damaged at byte \d+/,
    });
  });

  test('cut short is refused', async () => {
    for (const name of tablesOf()) {
      const bytes = readFileSync(join(directory, name));
      expect(await readWith(name, bytes.subarray(0, -1))).toBe('STORAGE_CORRUPT');
    }
  });
});

test('a process killed at any point of making and merging tables leaves a directory that holds what it was told', async () => {
  const template = join(scratch, 'template');
  const rows = Array.from({ length: 8 }, (_, i) => `row/${i}`);
  const before = open(TINY, template);
  await before.commit({ put: rows.map((key) => ({ key, value: '{"n":0}' })) });
  await fill(before, 2);
  await before.close();
  let points = 0;
  for (let isOver = false; !isOver; points++) {
    cpSync(template, directory, { recursive: true });
    let left = points;
    const dying = <A extends readonly unknown[], R>(operation: (...args: A) => R) => {
      return (...args: A): R => {
        if (left-- <= 0) throw Object.assign(new Error('EIO: killed'), { code: 'EIO' });
        return operation(...args);
      };
    };
    const { link, unlink, sync, open: openFile, write } = nodeFiles;
    const files: Files = {
      ...nodeFiles,
      open: dying(openFile),
      write: dying(write),
      sync: dying(sync),
      link: dying(link),
      unlink: dying(unlink),
      datasync: (fd, done) => (left-- <= 0 ? setImmediate(done, new Error('killed')) : nodeFiles.datasync(fd, done)),
    };
    const store = new FileStore(directory, { ...TINY, files });
    const told = new Map(rows.map((key) => [key, '{"n":0}']));
    let unsure: string | undefined;
    for (let i = 0; left > 0 && !isOver; i++) {
      const key = `row/${i % 8}`;
      const value = JSON.stringify({ n: i, filler: 'x'.repeat(400) });
      await store.commit({ put: [{ key, value }] }).then(
        () => told.set(key, value),
        () => {
          unsure = key;
        },
      );
      await new Promise(setImmediate);
      isOver = (store.stats()?.compactions ?? 0) >= 2;
    }
    left = 0;
    await store.close().catch(() => undefined);
    const again = new FileStore(directory, TINY);
    for (const { key, value } of await again.scan({ from: 'row/', to: 'row0' })) {
      if (key !== unsure) expect(value, `${key} after ${points} operations`).toBe(told.get(key));
      told.delete(key);
    }
    expect([...told.keys()]).toEqual([]);
    await fill(again, 1);
    expect((await again.scan({ from: 'row/', to: 'row0' })).length).toBe(8);
    await again.close();
    rmSync(directory, { recursive: true });
  }
  // Or nothing of it was interrupted.
  expect(points).toBeGreaterThan(60);
});
