import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ProcessEngine, type RuntimeStorage, typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { type BenchOptions, type Family, type Figure, type Goal, median, spread } from './figures.ts';
import { doTask, inProcessesOf } from './tasks.ts';

const THIS_FILE = fileURLToPath(import.meta.url);
const inNewProcess = inProcessesOf<typeof TASKS>(THIS_FILE);
const SLEEPING = 100_000;
/** Runs that are dispatched together. */
const BATCH = 500;
const TIMERS = 500;
const SPREAD_MS = 10_000;
/** Until the first timer: long enough to begin all of them, and to be a process anew. */
const LEAD_MS = 10_000;
/** After its start a worker reads; once its directory does not change for so long, there is nothing left to put in order. */
const SETTLE_MS = 5_000;
const LOOK_MS = 100;
const IDLE_MS = 10_000;
/** Each takes as long as its timers. */
const MOST_ROUNDS = 3;
const MEGABYTE = 1024 * 1024;
const most = (limit: number): Goal => ({ of: 'value', at: 'most', limit });
const BESIDE = `beside ${SLEEPING.toLocaleString('en')} sleeping runs`;

export const timers: Family = {
  name: 'timers',
  about: `${TIMERS} runs that sleep until moments within ${SPREAD_MS / 1000} s: how late their next steps begin; and what runs cost that only sleep`,
  async *measure({ rounds, files }: BenchOptions) {
    const room = await files();
    const [empty, full] = [room.path(), room.path()];
    await inNewProcess('fill', full);
    await inNewProcess('settle', full);
    const times = Math.min(rounds, MOST_ROUNDS);
    yield* idle(full, empty, times);
    const late: (readonly number[])[] = [];
    const lateAnew: (readonly number[])[] = [];
    for (let round = 0; round < times; round++) {
      late.push(await inNewProcess('dispatchAndWake', full));
      await inNewProcess('dispatchAndDie', full);
      lateAnew.push(await inNewProcess('wake', full));
    }
    yield* lateness(`${TIMERS} timers, ${BESIDE}`, late);
    yield* lateness(`${TIMERS} timers, after a restart`, lateAnew);
  },
};

async function* idle(full: string, empty: string, rounds: number): AsyncGenerator<Figure> {
  const own: Idle[] = [];
  const none: Idle[] = [];
  for (let round = 0; round < rounds; round++) {
    none.push(await inNewProcess('idle', empty));
    own.push(await inNewProcess('idle', full));
  }
  const about = { platform: 'file, strict', workload: `an idle worker ${BESIDE}` } as const;
  const cpu = spread(own.map(({ share }) => share));
  const raw = median(none.map(({ share }) => share));
  yield { ...about, metric: 'processor', unit: '%', ...cpu, raw, goal: most(0.5) };
  const without = median(none.map(({ rss }) => rss));
  const more = spread(own.map(({ rss }) => rss - without));
  yield { ...about, metric: 'RSS, beyond none', unit: 'MB', ...more, goal: most(64) };
}

function* lateness(workload: string, rounds: readonly (readonly number[])[]): Generator<Figure> {
  const about = { platform: 'file, strict', workload, unit: 'ms' } as const;
  yield { ...about, metric: 'late, median', ...spread(rounds.map((late) => median(late))), goal: most(50) };
  const p99 = rounds.map((late) => late.toSorted((a, b) => a - b)[Math.ceil(late.length * 0.99) - 1] as number);
  yield { ...about, metric: 'late, p99', ...spread(p99), goal: most(200) };
}

interface Idle {
  /** Of one processor, in percent. */
  readonly share: number;
  /** Megabytes. */
  readonly rss: number;
}

const sleeper = workflow('sleeper', ($) => $.sleep('sleep', '30d'));

/** Says when it goes on, and when it should have. */
const timer = (goesOn: (lateMs: number) => void) =>
  workflow('timer', { input: typed<number>() }, ($) => {
    const slept = $.sleepUntil('sleep', { at: $.input }, ({ at }) => at);
    return $.step('goes on', { at: $.input }, ({ at }) => goesOn(Date.now() - at), { after: [slept] });
  });

const TASKS = {
  async fill(directory: string): Promise<void> {
    const storage = new FileStorage(directory, { durability: 'relaxed' });
    for (let done = 0; done < SLEEPING; done += BATCH)
      await Promise.all(Array.from({ length: BATCH }, () => sleeper.dispatch(undefined, { storage })));
    await storage.close();
  },

  async settle(directory: string): Promise<void> {
    await new ProcessEngine(sleeper, new FileStorage(directory)).start();
    for (let known = '', since = performance.now(); performance.now() - since < SETTLE_MS; await sleep(LOOK_MS)) {
      const now = readdirSync(directory)
        .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.size}`)
        .join();
      if (now === known) continue;
      known = now;
      since = performance.now();
    }
  },

  async idle(directory: string): Promise<Idle> {
    await new ProcessEngine(sleeper, new FileStorage(directory)).start();
    await sleep(SETTLE_MS);
    const before = process.cpuUsage();
    await sleep(IDLE_MS);
    const { user, system } = process.cpuUsage(before);
    return { share: ((user + system) / 1000 / IDLE_MS) * 100, rss: process.memoryUsage().rss / MEGABYTE };
  },

  async dispatchAndWake(directory: string): Promise<readonly number[]> {
    const storage = new FileStorage(directory);
    const late = wakes(storage);
    await dispatchAll(storage);
    return late;
  },

  /** Begins all of them, and ends as a process does that is killed. */
  async dispatchAndDie(directory: string): Promise<void> {
    const storage = new FileStorage(directory);
    const first = await dispatchAll(storage);
    await new ProcessEngine(timer(tooEarly), storage).work();
    if (Date.now() > first) throw new Error(`${TIMERS} timers were not begun within ${LEAD_MS} ms`);
  },

  async wake(directory: string): Promise<readonly number[]> {
    return wakes(new FileStorage(directory));
  },
};

/** How late each of the timers that sleep was, once all have gone on. */
async function wakes(storage: RuntimeStorage): Promise<readonly number[]> {
  const late: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const definition = timer((ms) => {
      late.push(ms);
      if (late.length === TIMERS) resolve();
    });
    new ProcessEngine(definition, storage).start().catch(reject);
  });
  return late;
}

/** Answers when the first is due. */
async function dispatchAll(storage: RuntimeStorage): Promise<number> {
  const first = Date.now() + LEAD_MS;
  const moments = Array.from({ length: TIMERS }, (_, i) => first + Math.round((i * SPREAD_MS) / TIMERS));
  await Promise.all(moments.map((at) => timer(tooEarly).dispatch(at, { storage })));
  return first;
}

function tooEarly(): void {
  throw new Error('a timer went on in the process that only began it');
}

await doTask(THIS_FILE, TASKS);
