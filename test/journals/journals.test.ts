import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessEngine } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { describe, expect, test } from 'vitest';
import { FileStore } from '../../src/adapters/node-file/file-store.ts';
import { FORMAT_VERSION, Lines } from '../../src/adapters/node-file/record.ts';
import { PROTOCOL } from '../../src/core/events.ts';
import { EVENTS } from '../../src/testing/simulation/reachable.ts';
import { bringHere, finishCopy, letGoOn, withCopy } from './finish.ts';
import { flows } from './flows.ts';
import { formatOf } from './format.ts';
import { endsOf, foldOf } from './look.ts';

const HOME = import.meta.dirname;
const JOURNALS = readdirSync(HOME, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort((one, other) => Number(one) - Number(other));
const read = (journal: string, file: string) => JSON.parse(readFileSync(join(HOME, journal, file), 'utf8'));
const data = (journal: string) => join(HOME, journal, 'data');
const newest = JOURNALS.at(-1) as string;

describe.each(JOURNALS)('journal %s', (journal) => {
  test('opens and folds to what it was when it was written', () =>
    withCopy(data(journal), async (copy) => {
      const storage = new FileStorage(copy);
      expect(JSON.parse(JSON.stringify(await foldOf(storage)))).toEqual(read(journal, 'folded.json'));
      await storage.close();
    }));

  test('is finished by an ordinary worker, every run of it, with the right results', async () => {
    expect(JSON.parse(JSON.stringify(await finishCopy(data(journal), endsOf)))).toEqual(read(journal, 'finished.json'));
  });
});

test('what is written today has the events and fields of the newest journal', async () => {
  const home = mkdtempSync(join(tmpdir(), 'fuseline-journal-'));
  try {
    execFileSync(process.execPath, ['--import', './scripts/typescript.mjs', join(HOME, 'write.ts'), home, 'data']);
    const found = await formatOf(join(home, 'data'));
    expect(Object.keys(EVENTS).filter((type) => !found[`event ${type}`])).toEqual([]);
    expect(found, CHANGED).toEqual(read(newest, 'format.json'));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

const CHANGED =
  'The persistent format has changed: add a journal (test/journals/README.md). If an older engine must not decide on a run that has this, raise PROTOCOL; if it must not read such a file, raise FORMAT_VERSION';

test('a directory in a newer format is refused with both numbers, and not touched', () =>
  withCopy(data(newest), async (copy) => {
    const lines = new Lines();
    lines.say({ fuseline: FORMAT_VERSION + 1, next: '00000001-later.log' });
    writeFileSync(join(copy, 'format.json'), lines.buffer.subarray(0, lines.length));
    const before = bytesOf(copy);
    const storage = new FileStorage(copy);
    await expect(storage.list()).rejects.toMatchObject({
      code: 'PROTOCOL_TOO_NEW',
      message: expect.stringMatching(new RegExp(`format ${FORMAT_VERSION + 1}.*format ${FORMAT_VERSION}`)),
    });
    await storage.close();
    expect(bytesOf(copy)).toEqual(before);
  }));

test('runs that a newer version continued are left alone, while the others go on', () =>
  withCopy(data(newest), async (copy) => {
    const store = new FileStore(copy);
    // Queued, claimed by a worker that is gone, and with something due.
    const newer: readonly string[] = ['rerun', 'urgent', 'late', 'falling-back'];
    for (const run of newer) await continueNewer(store, run);
    await bringHere(store);
    const before = new Map(await Promise.all(newer.map(async (run) => [run, await rowsOf(store, run)] as const)));
    const storage = new FileStorage(copy);
    await letGoOn(storage);
    const engine = new ProcessEngine(Object.values(flows(async () => undefined)) as never, storage);
    const errors: string[] = [];
    engine.on('error', ({ error }) => errors.push((error as { code?: string }).code ?? String(error)));
    void engine.start();
    const expected = read(newest, 'finished.json');
    const others = Object.keys(expected).filter((run) => !newer.includes(run));
    for (const run of others) {
      await storage.result(run).catch(() => undefined);
      expect(await storage.status(run), run).toBe(expected[run].status);
    }
    await engine.stop();
    for (const run of newer) {
      await expect(storage.get(run)).rejects.toMatchObject({
        code: 'PROTOCOL_TOO_NEW',
        message: expect.stringContaining(`protocol ${PROTOCOL + 1}, this one knows ${PROTOCOL}`),
      });
      expect(await rowsOf(store, run), run).toEqual(before.get(run));
    }
    expect(new Set(errors)).toEqual(new Set(['PROTOCOL_TOO_NEW']));
    // They are listed all the same: a list reads what every version writes.
    expect((await storage.list()).runs.map(({ id }) => id)).toEqual(expect.arrayContaining([...newer]));
    await storage.close();
    await store.close();
  }));

test('fields a newer version adds without raising the protocol are kept and ignored', () =>
  withCopy(data(newest), async (copy) => {
    const store = new FileStore(copy);
    const added = { addedLater: { by: 'a newer version' } };
    for (const { key, value } of await store.scan({ from: 'entry/', to: 'session0' })) {
      if (!value.startsWith('{')) continue;
      const row = JSON.parse(value);
      const events = row.events?.map((event: object) => ({ ...event, ...added }));
      await store.commit({ put: [{ key, value: JSON.stringify({ ...row, ...(events && { events }), ...added }) }] });
    }
    await store.close();
    const storage = new FileStorage(copy);
    expect(JSON.parse(JSON.stringify(await foldOf(storage)))).toEqual(read(newest, 'folded.json'));
    await storage.close();
    expect(JSON.parse(JSON.stringify(await finishCopy(copy, endsOf)))).toEqual(read(newest, 'finished.json'));
  }));

async function continueNewer(store: FileStore, run: string): Promise<void> {
  const { from, to } = { from: `entry/${run}/`, to: `entry/${run}0` };
  const last = (await store.scan({ from, to })).at(-1);
  if (!last) throw new Error(`there is no run ${run}`);
  await store.commit({
    put: [{ key: last.key, value: JSON.stringify({ ...JSON.parse(last.value), protocol: PROTOCOL + 1 }) }],
  });
}

async function rowsOf(store: FileStore, run: string): Promise<readonly (readonly [string, string])[]> {
  const rows = await store.scan({ from: '!', to: '~' });
  return rows.filter(({ key }) => key.split('/').includes(run)).map(({ key, value }) => [key, value]);
}

function bytesOf(directory: string): readonly (readonly [string, string])[] {
  return readdirSync(directory).map((file) => [file, readFileSync(join(directory, file), 'latin1')]);
}
