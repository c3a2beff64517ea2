import { FuselineError, type HistoryEvent, ProcessEngine } from 'fuseline';
import { HttpStorage } from 'fuseline/http';
import { IndexedDBStorage, IndexedDBStore } from 'fuseline/indexeddb';
import { type Flows, flows, note } from './flows.ts';
import * as raw from './raw.ts';
import { type Storm, storm } from './storm.ts';
import { type Job, work } from './work.ts';

const storages = new Map<string, IndexedDBStorage>();
const workers = new Map<string, Worker>();
const engines = new Map<string, ProcessEngine>();

function open(database: string): IndexedDBStorage {
  const storage = storages.get(database) ?? new IndexedDBStorage(database);
  storages.set(database, storage);
  return storage;
}

const stores = new Map<string, IndexedDBStore>();

/** The rows under a storage, without its rules. */
function rowsOf(database: string): IndexedDBStore {
  const store = stores.get(database) ?? new IndexedDBStore(raw.nameOf(database));
  stores.set(database, store);
  return store;
}

type Row = readonly [key: string, value: string];

/** What became of a commit: its status, or the code of its error. */
async function put(database: string, rows: readonly Row[]): Promise<string> {
  const batch = { put: rows.map(([key, value]) => ({ key, value })) };
  try {
    return (await rowsOf(database).commit(batch)).status;
  } catch (error) {
    if (error instanceof FuselineError) return error.code;
    throw error;
  }
}

/** What the tests call. */
const tab = {
  ...raw,
  put,

  putAtOnce(database: string, batches: readonly (readonly Row[])[]): Promise<readonly string[]> {
    return Promise.all(batches.map((rows) => put(database, rows)));
  },

  /** Writes on until the storage is given up; answers what the refusals said. */
  async putUntilGone(database: string): Promise<readonly string[]> {
    const refusals: string[] = [];
    for (let n = 0; refusals.at(-1) !== 'STORAGE_CLOSED'; n++) {
      const said = await put(database, [[`row ${n}`, 'x']]);
      if (said !== 'committed') refusals.push(said);
      if (n === 0) note({ who: database, what: 'writing' });
    }
    return refusals;
  },

  async keys(database: string): Promise<readonly string[]> {
    return (await rowsOf(database).scan({ from: ' ', to: '~~' })).map(({ key }) => key);
  },

  /** In a frame that has no origin. */
  async putInSandbox(database: string): Promise<string> {
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    const script = await (await fetch('/page.js')).text();
    const said = new Promise<string>((resolve) =>
      addEventListener('message', ({ data }) => resolve(data), { once: true }),
    );
    const report = `tab.put(${JSON.stringify(database)}, [['a', '1']]).then((code) => parent.postMessage(code, '*'))`;
    frame.srcdoc = `<script type="module">${script.replaceAll('</', '<\\/')};${report}</script>`;
    document.body.append(frame);
    return said;
  },

  async work(job: Job): Promise<void> {
    engines.set(job.who, await work(job));
  },

  /** Works for a service that is not of this site. */
  async workAfar(who: string, address: string, token: string): Promise<void> {
    const engine = new ProcessEngine(Object.values(flows(who)), new HttpStorage(address, { token }), { name: who });
    engines.set(who, engine);
    await engine.start();
    note({ who, what: 'ready' });
  },

  async leave(who: string): Promise<void> {
    await engines.get(who)?.stop();
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

  async dispatchStorm(database: string, size: Storm): Promise<string> {
    return (await storm('dispatcher', size).dispatch(undefined, { storage: open(database) })).id;
  },

  async result(database: string, run: string): Promise<unknown> {
    const status = await tab.ended(database, run);
    if (status === 'SUCCEEDED') return open(database).result(run);
    throw new Error(`run ${run} is ${status}`);
  },

  /** How a run ended, once it has. */
  async ended(database: string, run: string): Promise<string> {
    for (;;) {
      const { status } = await open(database).get(run);
      if (status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED') return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },

  async history(database: string, run: string): Promise<readonly HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for await (const event of open(database).history(run)) events.push(event);
    return events;
  },

  /** How many steps are in each status. */
  async census(database: string, run: string): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { status } of (await open(database).get(run)).steps) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  },

  /** The steps whose results were recorded, once for every time. */
  async recorded(database: string, run: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const event of open(database).history(run)) if (event.type === 'succeeded') found.push(event.step);
    return found;
  },
};

Object.assign(globalThis, { tab });
