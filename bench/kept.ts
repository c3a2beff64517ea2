import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Entry, ProcessEngine, type RuntimeStorage, typed, workflow } from 'fuseline';
import { FileStorage, FileStore } from 'fuseline/node';
import { type BenchOptions, clock, type Family, type Figure, type Goal, median, spread } from './figures.ts';
import { doTask, inProcessesOf } from './tasks.ts';
import { shortRuns } from './workflows.ts';

const THIS_FILE = fileURLToPath(import.meta.url);
const inNewProcess = inProcessesOf<typeof TASKS>(THIS_FILE);
const FEW = 10_000;
const MANY = 100_000;
/** Runs that are dispatched together while a directory is filled. */
const BATCH = 500;
/** Read from a store at once. */
const ROWS = 1_000;
/** Opening takes seconds, and its rounds are alike. */
const MOST_OPENINGS = 3;
/** Runs of a round that compares a full directory with an empty one. */
const COMPARED = 100;
const COMPACTION_MS = 30_000;
const LOOK_MS = 50;
/** Runs between two looks. */
const NUDGE = 50;
const MEGABYTE = 1024 * 1024;
/** Removed again: more than the finished runs beside it take. */
const BALLAST_BYTES = 40 * MEGABYTE;
const LARGE = 20;
const OPENING: Goal = { of: 'ratio', at: 'most', limit: 3 };
const UNCHANGED: Goal = { of: 'ratio', at: 'most', limit: 1.2 };

export const keptRuns: Family = {
  name: 'kept',
  about: `what finished runs cost that a directory keeps: to open it, each round a new process, and to work in it`,
  async *measure({ rounds, files }: BenchOptions) {
    const room = await files();
    for (const runs of [FEW, MANY]) {
      const directory = room.path();
      const openings = Math.min(rounds, MOST_OPENINGS);
      await inNewProcess('fill', directory, runs, openings);
      const live = room.path();
      await inNewProcess('distil', directory, live);
      yield* opening(directory, live, runs, openings);
      if (runs === MANY) yield* besideEmpty(await inNewProcess('compare', directory, room.path(), rounds));
    }
    const compacted = room.path();
    const left = await inNewProcess('compact', compacted, FEW);
    yield {
      platform: 'file, relaxed',
      workload: `${kept(left)}, compacted`,
      metric: 'bytes per run',
      unit: 'B',
      ...spread([sizeOf(compacted) / left]),
    };
  },
};

async function* opening(directory: string, live: string, runs: number, openings: number): AsyncGenerator<Figure> {
  const reads: number[] = [];
  const opens: Opened[] = [];
  for (let round = 0; round < openings; round++) {
    reads.push(await inNewProcess('read', live));
    opens.push(await inNewProcess('open', directory, round));
  }
  const about = { platform: 'file, strict', workload: kept(runs) } as const;
  const own = spread(opens.map(({ ms }) => ms));
  const raw = median(reads);
  yield { ...about, metric: 'first claim', unit: 'ms', ...own, raw, ratio: own.value / raw, goal: OPENING };
  yield { ...about, metric: 'RSS', unit: 'MB', ...spread(opens.map(({ rss }) => rss)) };
  yield {
    ...about,
    metric: 'bytes per run',
    unit: 'B',
    ...spread([sizeOf(directory) / runs]),
  };
}

function* besideEmpty({ full, empty }: Compared): Generator<Figure> {
  const about = { platform: 'file, strict', workload: `${kept(MANY)}, against none`, unit: 'µs' } as const;
  for (const metric of ['dispatch', 'step'] as const) {
    const own = spread(full.map((costs) => costs[metric]));
    const raw = median(empty.map((costs) => costs[metric]));
    yield { ...about, metric, ...own, raw, ratio: own.value / raw, goal: UNCHANGED };
  }
}

function kept(runs: number): string {
  return `${runs.toLocaleString('en')} finished runs`;
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

interface Opened {
  readonly ms: number;
  readonly rss: number;
}

/** Microseconds. */
interface Costs {
  readonly dispatch: number;
  readonly step: number;
}

interface Compared {
  readonly full: readonly Costs[];
  readonly empty: readonly Costs[];
}

/** What a child process is for; it answers with what its task returns. */
const TASKS = {
  /** Fills a directory with finished runs, and leaves one that waits for each opening. */
  async fill(directory: string, runs: number, openings: number): Promise<void> {
    const storage = new FileStorage(directory, { durability: 'relaxed' });
    for (let done = 0; done < runs; done += BATCH) await shortRuns(Math.min(BATCH, runs - done)).run(storage);
    for (let round = 0; round < openings; round++) await waiting(round, () => undefined).dispatch(round, { storage });
    await storage.close();
  },

  /** Into one file, what is live in a directory: a line for each row, without what was written over or deleted. */
  async distil(directory: string, file: string): Promise<void> {
    const store = new FileStore(directory);
    const fd = openSync(file, 'w');
    for (let from = '!', rows: readonly Entry[] = []; ; from = `${rows.at(-1)?.key}!`) {
      rows = await store.scan({ from, to: '~', limit: ROWS });
      if (rows.length === 0) break;
      writeSync(fd, rows.map(({ key, value }) => `${key}\t${value}\n`).join(''));
    }
    closeSync(fd);
    await store.close();
  },

  /** The least a program can do that has to know all of it. */
  async read(file: string): Promise<number> {
    return clock(async () => readFileSync(file));
  },

  /** Until the body of the run that waits for this opening is running. */
  async open(directory: string, round: number): Promise<Opened> {
    const since = performance.now();
    let ms = 0;
    const definition = waiting(round, () => {
      ms = performance.now() - since;
    });
    const storage = new FileStorage(directory);
    await new ProcessEngine(definition, storage).work();
    const { rss } = process.memoryUsage();
    await storage.close();
    if (ms === 0) throw new Error(`nobody claimed the run that waited in ${directory}`);
    return { ms, rss: rss / MEGABYTE };
  },

  async compare(full: string, empty: string, rounds: number): Promise<Compared> {
    const compared = { full: [] as Costs[], empty: [] as Costs[] };
    const storage = new FileStorage(full);
    await costsIn(storage);
    // They take turns, so that a busy moment of the disk hits both. The empty one is a new one each time.
    for (let round = 0; round < rounds; round++) {
      const none = new FileStorage(join(empty, String(round)));
      await none.list();
      compared.empty.push(await costsIn(none));
      await none.close();
      compared.full.push(await costsIn(storage));
    }
    await storage.close();
    return compared;
  },

  /** Adds a run of large results and removes it again, so that most is dead; answers how many are left. */
  async compact(directory: string, runs: number): Promise<number> {
    const storage = new FileStorage(directory, { durability: 'relaxed' });
    for (let done = 0; done < runs; done += BATCH) await shortRuns(BATCH).run(storage);
    const { id } = await ballast.dispatch(0, { storage });
    await new ProcessEngine(ballast, storage).work();
    await storage.remove(id);
    // Dead space is returned with the segments that come.
    let left = runs;
    for (const end = performance.now() + COMPACTION_MS; sizeOf(directory) > BALLAST_BYTES; left += NUDGE) {
      if (performance.now() > end) throw new Error(`${directory} was not compacted within ${COMPACTION_MS} ms`);
      await shortRuns(NUDGE).run(storage);
      await sleep(LOOK_MS);
    }
    await storage.close();
    return left;
  },
};

/** A workflow of its own for each opening, so that one takes nothing from the next. */
function waiting(round: number, claimed: () => void) {
  return workflow(`waiting-${round}`, { input: typed<number>() }, ($) =>
    $.step('only', { x: $.input }, ({ x }) => {
      claimed();
      return x;
    }),
  );
}

/** One dispatch after the other, then one step after the other. */
async function costsIn(storage: RuntimeStorage): Promise<Costs> {
  const definition = workflow('compared', { input: typed<number>() }, ($) => {
    const first = $.step('first', { x: $.input }, ({ x }) => x);
    return $.step('second', { x: first }, ({ x }) => x);
  });
  const dispatches = await clock(async () => {
    for (let i = 0; i < COMPARED; i++) await definition.dispatch(i, { storage });
  });
  const work = await clock(() => new ProcessEngine(definition, storage, { concurrency: 1 }).work());
  return { dispatch: (dispatches / COMPARED) * 1000, step: (work / COMPARED / 2) * 1000 };
}

const ballast = workflow('ballast', { input: typed<number>() }, ($) => {
  const large = Array.from({ length: LARGE }, (_, i) =>
    $.step(`large${i}`, { x: $.input }, () => 'x'.repeat(BALLAST_BYTES / LARGE)),
  );
  return $.step('last', Object.fromEntries(large.map((step, i) => [`large${i}`, step])), () => 0);
});

await doTask(THIS_FILE, TASKS);
