import { pbkdf2Sync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ProcessEngine, typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { type BenchOptions, clock, type Family, type Goal, median, repeat, spread } from './figures.ts';
import { doTask, inProcessesOf } from './tasks.ts';

const THIS_FILE = fileURLToPath(import.meta.url);
const inNewProcess = inProcessesOf<typeof TASKS>(THIS_FILE);
const ITEMS = 300;
const ITEM_MS = 20;
/** The items, the step before them, and the look at how many there are. */
const ATTEMPTS = ITEMS + 2;
/** For work that keeps its thread one sets the first; the other is what comes of it where nobody sets any. */
const CONCURRENCIES = [1, 64];
const MOST_ROUNDS = 3;
const AT_1: Goal = { of: 'ratio', at: 'least', limit: 1.7 };

export const lists: Family = {
  name: 'list',
  about: `two processes beside one, on one list of ${ITEMS} items that compute for ${ITEM_MS} ms each: from the start of the processes to their end`,
  async *measure({ rounds, files }: BenchOptions) {
    const room = await files();
    const hashes = await hashesIn(ITEM_MS);
    const times = Math.min(rounds, MOST_ROUNDS);
    const about = { metric: 'speed of two', unit: 'items/s' } as const;
    const control = await compare(times, (n) => apart(n, hashes));
    yield { ...about, platform: 'memory', workload: `${ITEMS} items that nobody shares`, ...control };
    for (const concurrency of CONCURRENCIES) {
      const figures = await compare(times, (n) => together(n, room.path(), hashes, concurrency));
      const workload = `${ITEMS} items, each process at ${concurrency}`;
      yield { ...about, platform: 'file, strict', workload, ...figures, ...(concurrency === 1 && { goal: AT_1 }) };
    }
  },
};

/** Two processes and one take turns. */
async function compare(rounds: number, ms: (processes: number) => Promise<number>) {
  const speed = async (processes: number) => (ITEMS / (await ms(processes))) * 1000;
  const speeds = await repeat(rounds, async () => ({ one: await speed(1), two: await speed(2) }));
  const own = spread(speeds.map(({ two }) => two));
  const raw = median(speeds.map(({ one }) => one));
  return { ...own, raw, ratio: own.value / raw };
}

const list = workflow('list', { input: typed<number>() }, ($) => {
  const items = $.step('items', { hashes: $.input }, ({ hashes }) => Array.from({ length: ITEMS }, () => hashes));
  return $.each('hash', items, (hashes) => hash(hashes));
});

const TASKS = {
  compute(hashes: number, items: number): void {
    for (let item = 0; item < items; item++) hash(hashes);
  },

  async work(directory: string, run: string, concurrency: number): Promise<number> {
    const storage = new FileStorage(directory);
    const { attempts } = await new ProcessEngine(list, storage, { concurrency }).work(run);
    await storage.close();
    return attempts;
  },
};

/** What this machine makes of two processes that share nothing. */
function apart(processes: number, hashes: number): Promise<number> {
  return clock(() =>
    Promise.all(Array.from({ length: processes }, () => inNewProcess('compute', hashes, ITEMS / processes))),
  );
}

async function together(processes: number, directory: string, hashes: number, concurrency: number): Promise<number> {
  const storage = new FileStorage(directory);
  const { id } = await list.dispatch(hashes, { storage });
  await storage.close();
  const counts: number[] = [];
  const work = async () => void counts.push(await inNewProcess('work', directory, id, concurrency));
  const ms = await clock(() => Promise.all(Array.from({ length: processes }, work)));
  const attempts = counts.reduce((sum, count) => sum + count, 0);
  if (attempts !== ATTEMPTS) throw new Error(`${attempts} attempts were made instead of ${ATTEMPTS}`);
  return ms;
}

function hash(iterations: number): string {
  return pbkdf2Sync('', '', iterations, 32, 'sha256').toString('hex');
}

/** The same work for everybody: measured by the clock, two processes on one processor would be as fast as on two. */
async function hashesIn(ms: number): Promise<number> {
  const sample = 10_000;
  // The fastest is the least disturbed.
  const fastest = Math.min(...(await repeat(25, () => clock(async () => hash(sample)))));
  return Math.round((sample * ms) / fastest);
}

await doTask(THIS_FILE, TASKS);
