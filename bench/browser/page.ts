import { ProcessEngine, typed, workflow } from 'fuseline';
import { IndexedDBStorage, IndexedDBStore } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { chain, fan, shortRuns } from '../workflows.ts';
import { rawRows } from './raw-rows.ts';

type Durability = 'strict' | 'relaxed';

export interface OnDatabase {
  readonly name: string;
  readonly steps: number;
  readonly ms: number;
  /** Those that write, and those that only read. */
  readonly transactions: number;
  readonly reads: number;
  /** Characters of a journal entry, on average. */
  readonly length: number;
}

const loads = { chain: chain(1000), fan: fan(1000, 64), runs: shortRuns(500) } as const;

/** Steps that wait for one and only compute, each `turns` turns. */
const busy = workflow('busy', { input: typed<{ readonly turns: number }>() }, ($) => {
  const first = $.step('first', { given: $.input }, ({ given }) => given);
  const all = Array.from({ length: 100 }, (_, i) => [`m${i}`, $.step(`m${i}`, { first }, compute)] as const);
  return $.step('last', Object.fromEntries(all), (found) => Object.keys(found).length);
});

const begin = workflow('begin', ($) => $.step('begin', {}, () => performance.timeOrigin + performance.now()));

function compute({ first: { turns } }: { readonly first: { readonly turns: number } }): number {
  let x = turns;
  for (let i = 0; i < turns; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
  return x;
}

let names = 0;

/** What the bench calls. */
const tab = {
  /** One load in a database of its own, which is open and knows the engine's code before the clock starts. */
  async run(load: keyof typeof loads, durability: Durability): Promise<OnDatabase> {
    const { name, steps, run } = loads[load];
    const database = `bench-${names++}`;
    const storage = new IndexedDBStorage(database, { durability });
    await chain(20).run(storage);
    const before = storage.stats();
    const since = performance.now();
    await run(storage);
    const ms = performance.now() - since;
    const after = storage.stats();
    await storage.close();
    const length = await meanEntry(`fuseline/${database}`);
    await deleteDB(`fuseline/${database}`);
    const transactions = after.transactions - before.transactions;
    return { name, steps, ms, transactions, reads: after.reads - before.reads, length };
  },

  async raw(rows: number, length: number, durability: Durability): Promise<number> {
    const name = `raw-${names++}`;
    const ms = await rawRows(name, { rows, length, durability });
    await deleteDB(name);
    return ms;
  },

  async work(database: string): Promise<void> {
    await new ProcessEngine([busy, begin], new IndexedDBStorage(database), { concurrency: 1 }).start();
  },

  /** How many turns take so long on this machine. */
  turnsOf(ms: number): number {
    for (let turns = 1000; ; turns *= 2) {
      const since = performance.now();
      compute({ first: { turns } });
      const took = performance.now() - since;
      if (took > 50) return Math.round((turns * ms) / took);
    }
  },

  /** Milliseconds for steps that compute, by whoever is at work. */
  async compute(database: string, turns: number): Promise<number> {
    const storage = new IndexedDBStorage(database);
    const since = performance.now();
    const run = await busy.dispatch({ turns }, { storage });
    await run.result();
    const ms = performance.now() - since;
    await storage.close();
    return ms;
  },

  /** Milliseconds until a step begins in whichever tab is at work. */
  async begin(database: string): Promise<number> {
    const storage = new IndexedDBStorage(database);
    await storage.list();
    const since = performance.timeOrigin + performance.now();
    const run = await begin.dispatch(undefined, { storage });
    const at = await run.result();
    await storage.close();
    return at - since;
  },
};

async function meanEntry(database: string): Promise<number> {
  const store = new IndexedDBStore(database);
  const entries = await store.scan({ from: 'entry/', to: 'entry0' });
  await store.close();
  return Math.round(entries.reduce((sum, { value }) => sum + value.length, 0) / entries.length);
}

Object.assign(globalThis, { tab });
