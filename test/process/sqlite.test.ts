import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FuselineError, ProcessEngine, typed, workflow } from 'fuseline';
import { SqliteStorage, SqliteStore } from 'fuseline/sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fuseline-sqlite-'));
});
afterEach(() => rm(home, { recursive: true }));

const EVERYTHING = { from: '!', to: '~' };
const COMMITS = 60;

/** Writes until it is through, or until it is killed after so many commits; answers what it was told. */
async function writer(path: string, name: string, killedAfter = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
  const script = resolve('test/process/children/sqlite-writer.mjs');
  const child = spawn(process.execPath, ['--no-warnings', script, path, name, String(COMMITS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
    if (said.split('\n').length > killedAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return said.split('\n').slice(0, -1);
}

test('what writers of one file were told is there, each of it once, although they are killed', async () => {
  const path = join(home, 'rows.sqlite');
  const told = await Promise.all([writer(path, 'a'), writer(path, 'b', 20), writer(path, 'c', 35)]);
  const store = new SqliteStore(path);
  const rows = await store.scan(EVERYTHING);
  const done = rows.filter(({ key }) => key.startsWith('done/'));
  for (const [i, lines] of told.entries()) {
    for (const line of lines) {
      const [index, version] = line.split(' ');
      const row = done.find(({ key }) => key === `done/${'abc'[i]}/${index}`);
      expect(row?.version).toBe(Number(version));
    }
  }
  expect(told[0]).toHaveLength(COMMITS);
  for (const [i, least] of [20, 35].entries()) expect(told[i + 1]?.length).toBeGreaterThanOrEqual(least);
  expect(new Set(done.map(({ version }) => version)).size).toBe(done.length);
  // A commit that was killed before its answer is there as a whole, or not at all.
  expect(rows.find(({ key }) => key === 'counter')?.value).toBe(String(done.length));
  await store.close();
});

// SQLite refuses that at once, whatever its busy timeout is.
test('a new file that another process is making ready is waited for', async () => {
  const path = join(home, 'rows.sqlite');
  const holder = new Worker(
    `const { DatabaseSync } = require('node:sqlite');
    const { parentPort, workerData } = require('node:worker_threads');
    const database = new DatabaseSync(workerData);
    database.exec('BEGIN IMMEDIATE');
    parentPort.postMessage('held');
    setTimeout(() => database.close(), 200);`,
    { eval: true, workerData: path, execArgv: ['--no-warnings'] },
  );
  const ended = once(holder, 'exit');
  await once(holder, 'message');
  const store = new SqliteStore(path);
  expect(await store.commit({ put: [{ key: 'a', value: '1' }] })).toMatchObject({ status: 'committed' });
  await store.close();
  await ended;
});

test('a run that one storage dispatches another one of the same file works on', async () => {
  const path = join(home, 'deep', 'runs.sqlite');
  const double = workflow('double', { input: typed<number>() }, ($) =>
    $.step('double', { n: $.input }, ({ n }) => n * 2),
  );
  const [here, there] = [new SqliteStorage(path), new SqliteStorage(path, { durability: 'relaxed' })];
  const engine = new ProcessEngine([double], there);
  await engine.start();
  const run = await double.dispatch(21, { storage: here });
  expect(await run.result()).toBe(42);
  await engine.stop();
  await Promise.all([here.close(), there.close()]);
});

test('a file that is no database is left as it is, and said to be none', async () => {
  const path = join(home, 'notes.txt');
  await writeFile(path, 'no database at all'.repeat(100));
  const error = await new SqliteStore(path).read(['a']).catch((error: FuselineError) => error);
  expect(error).toMatchObject({ code: 'STORAGE_CORRUPT', message: expect.stringContaining(path) });
});

test('what a newer version wrote is refused, and so is the next attempt', async () => {
  const path = join(home, 'rows.sqlite');
  await new SqliteStore(path).read(['a']);
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as unknown as {
    readonly DatabaseSync: new (path: string) => { exec(text: string): void; close(): void };
  };
  const database = new DatabaseSync(path);
  database.exec("UPDATE fuseline_numbers SET value = 99 WHERE name = 'format'");
  database.close();
  const store = new SqliteStore(path);
  for (const key of ['a', 'b']) await expect(store.read([key])).rejects.toMatchObject({ code: 'PROTOCOL_TOO_NEW' });
});

test('a Node without node:sqlite is told what to use instead', () => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  expect(() => new SqliteStorage('runs.sqlite')).toThrow(
    expect.objectContaining({ code: 'STORAGE_UNSUPPORTED', message: expect.stringContaining('FileStorage') }),
  );
  vi.restoreAllMocks();
});
