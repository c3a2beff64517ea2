import { IndexedDBStorage } from 'fuseline/indexeddb';
import { type Flows, flows } from './flows.ts';
import { type Job, work } from './work.ts';

const storages = new Map<string, IndexedDBStorage>();
const workers = new Map<string, Worker>();

function open(database: string): IndexedDBStorage {
  const storage = storages.get(database) ?? new IndexedDBStorage(database);
  storages.set(database, storage);
  return storage;
}

/** What the tests call. */
const tab = {
  async work(job: Job): Promise<void> {
    await work(job);
  },

  workIn(kind: 'worker' | 'shared-worker', job: Job): void {
    if (kind === 'worker') {
      const worker = new Worker('/worker.js', { type: 'module' });
      workers.set(job.who, worker);
      worker.postMessage(job);
    } else new SharedWorker('/shared-worker.js', { type: 'module' }).port.postMessage(job);
  },

  async workInServiceWorker(job: Job): Promise<void> {
    await navigator.serviceWorker.register('/service-worker.js', { type: 'module' });
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage(job);
  },

  terminate(who: string): void {
    workers.get(who)?.terminate();
  },

  async dispatch(database: string, flow: keyof Flows, input: unknown): Promise<string> {
    const { id } = await flows('dispatcher')[flow].dispatch(input as never, { storage: open(database) });
    return id;
  },

  async result(database: string, run: string): Promise<unknown> {
    for (;;) {
      const { status } = await open(database).get(run);
      if (status === 'SUCCEEDED') return open(database).result(run);
      if (status === 'FAILED' || status === 'CANCELLED') throw new Error(`run ${run} is ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },

  /** The steps whose results were recorded, once for every time. */
  async recorded(database: string, run: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const event of open(database).history(run)) if (event.type === 'succeeded') found.push(event.step);
    return found;
  },
};

Object.assign(globalThis, { tab });
