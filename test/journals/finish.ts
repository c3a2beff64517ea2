import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webHost } from '../../src/adapters/host.ts';
import { processLiveness } from '../../src/adapters/node/liveness.ts';
import { FileStore } from '../../src/adapters/node-file/file-store.ts';
import { ProcessEngine } from '../../src/core/process-engine.ts';
import { RuntimeStorage } from '../../src/core/storage.ts';
import { flows } from './flows.ts';

/** More than any system hands out. */
const NO_PID = 2 ** 30;

/** Hands out a copy of a directory, gone afterwards. */
export async function withCopy<T>(directory: string, body: (copy: string) => Promise<T>): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'fuseline-journal-'));
  try {
    cpSync(directory, copy, { recursive: true });
    return await body(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The workers of a kept journal lived on another machine: here they are processes of this one that are gone. */
export async function bringHere(store: FileStore): Promise<void> {
  const evidence = JSON.stringify({ ...JSON.parse(processLiveness().evidence), pid: NO_PID });
  const sessions = await store.scan({ from: 'session/', to: 'session0' });
  await store.commit({
    put: sessions.map(({ key, value }) => ({ key, value: JSON.stringify({ ...JSON.parse(value), evidence }) })),
  });
}

/** What somebody has to say before all runs of a journal can end. */
export async function letGoOn(storage: RuntimeStorage): Promise<void> {
  await storage.resume('paused');
  // Older journals have no run that waits to be told.
  await storage.signal('patient', 'answer', 'yes', { id: 'yes' }).catch(() => undefined);
}

/** Works on a copy of a journal as an ordinary worker would, and hands back what `read` finds then. */
export function finishCopy<T>(directory: string, read: (storage: RuntimeStorage) => Promise<T>): Promise<T> {
  return withCopy(directory, async (copy) => {
    const store = new FileStore(copy);
    const storage = new RuntimeStorage({ store, host: webHost, liveness: processLiveness() });
    await bringHere(store);
    await letGoOn(storage);
    const engine = new ProcessEngine(Object.values(flows(async () => undefined)) as never, storage, {
      concurrency: 16,
    });
    void engine.start();
    const { runs } = await storage.list({ limit: 1000 });
    await Promise.all(runs.map(({ id }) => storage.result(id).catch(() => undefined)));
    await engine.stop();
    const found = await read(storage);
    await storage.close();
    return found;
  });
}
