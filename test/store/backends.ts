import 'fake-indexeddb/auto';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from 'fuseline';
import { IndexedDBStore } from 'fuseline/indexeddb';
import { FileStore, type FileStoreOptions } from 'fuseline/node';
import { SqliteStore } from 'fuseline/sqlite';
import { type Bracket, bracket } from 'fuseline/testing';

/** Every store this package brings. A line here buys every suite. */
export const backends: Readonly<Record<string, Bracket>> = {
  memory: bracket(() => inMemory()),
  file: bracket(() => inDirectory({})),
  'file, relaxed': bracket(() => inDirectory({ durability: 'relaxed' })),
  'file, in tiny segments': bracket(() => inDirectory({ segmentBytes: 2000 })),
  sqlite: bracket(() => inSqlite()),
  // The real one is tested in a real browser: test/browser/page.
  'indexeddb, imitated': bracket(() => inDatabase()),
};

function inDatabase() {
  const name = randomUUID();
  return { open: () => new IndexedDBStore(name) };
}

function inMemory() {
  const rows = new MemoryStore();
  return { open: () => rows.reopen() };
}

async function inSqlite() {
  const directory = await mkdtemp(join(tmpdir(), 'fuseline-store-'));
  return {
    open: () => new SqliteStore(join(directory, 'data', 'rows.sqlite')),
    remove: () => rm(directory, { recursive: true }),
  };
}

async function inDirectory(options: FileStoreOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'fuseline-store-'));
  return {
    open: () => new FileStore(join(directory, 'data'), options),
    remove: () => rm(directory, { recursive: true }),
  };
}
