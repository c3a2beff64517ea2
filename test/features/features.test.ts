import 'fake-indexeddb/auto';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStorage, MemoryStore, ProcessEngine, type RuntimeStorage } from 'fuseline';
import { HttpStorage } from 'fuseline/http';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { FileStorage } from 'fuseline/node';
import { SqliteStorage } from 'fuseline/sqlite';
import { describe, test } from 'vitest';
import { runsApp } from '../../src/http/app.ts';
import { serviceOf } from '../../src/http/service-of.ts';
import type { Ground } from './cases/ground.ts';
import { features, workflows } from './cases/index.ts';

type Around = (body: (ground: Ground) => Promise<void>) => Promise<void>;

const grounds: Readonly<Record<string, Around>> = {
  memory: (body) => {
    const store = new MemoryStore();
    return body({ open: () => new MemoryStorage({ store: store.reopen() }) });
  },
  file: inDirectory((directory) => new FileStorage(directory)),
  sqlite: inDirectory((directory) => new SqliteStorage(join(directory, 'runs.sqlite'))),
  // The real one is tested in a real browser.
  'indexeddb, imitated': (body) => {
    const name = randomUUID();
    return body({ open: () => new IndexedDBStorage(name) });
  },
  http: async (body) => {
    const behind = new MemoryStorage();
    const app = runsApp({ service: () => serviceOf(workflows, behind), workflows });
    // It runs no step, and sees to what is due and to the dead.
    const engine = new ProcessEngine(workflows, behind, { queues: [] });
    await engine.start();
    try {
      await body({
        open: () => new HttpStorage('http://localhost', { fetch: async (url, init) => app.request(url, init) }),
      });
    } finally {
      await engine.stop();
    }
  },
};

describe.each(Object.entries(grounds))('on %s', (_, around) => {
  test.each(features)('$name', ({ run }) => around(run));
});

function inDirectory(open: (directory: string) => RuntimeStorage): Around {
  return async (body) => {
    const directory = await mkdtemp(join(tmpdir(), 'fuseline-features-'));
    await body({ open: () => open(directory) });
    await rm(directory, { recursive: true });
  };
}
