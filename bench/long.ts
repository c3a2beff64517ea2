import { MemoryStorage } from 'fuseline';
import { type BenchOptions, clock, type Family, type Figure, type Goal, median, repeat, spread } from './figures.ts';
import { onFile } from './file-room.ts';
import { chain, type Load } from './workflows.ts';

const SHORT = 1000;
const LONG = 100_000;
/** A long run takes long, and its rounds are alike. */
const MOST_ROUNDS = 3;
/** So many short runs for each long one, and as many before the first: both find the code compiled. */
const SHORT_RUNS = 20;
const FLAT: Goal = { of: 'ratio', at: 'most', limit: 1.3 };

type Platform = Exclude<Figure['platform'], 'bundle'>;

export const longRuns: Family = {
  name: 'long',
  about: `what a step of a ${LONG}-step chain costs, beside one of a ${SHORT}-step chain`,
  async *measure({ rounds, files }: BenchOptions) {
    const short = chain(SHORT);
    const long = chain(LONG);
    const room = await files();
    const ways: readonly (readonly [Platform, (load: Load) => Promise<number>])[] = [
      ['memory', (load) => clock(() => load.run(new MemoryStorage()))],
      ['file, relaxed', async (load) => (await onFile(load, room.path(), 'relaxed')).ms],
      ['file, strict', async (load) => (await onFile(load, room.path(), 'strict')).ms],
    ];
    for (const [platform, ms] of ways) yield { platform, ...(await compare(short, long, ms, rounds)) };
  },
};

async function compare(
  short: Load,
  long: Load,
  ms: (load: Load) => Promise<number>,
  rounds: number,
): Promise<Omit<Figure, 'platform'>> {
  const microseconds = async (load: Load) => ((await ms(load)) / load.steps) * 1000;
  await repeat(SHORT_RUNS, () => ms(short));
  const costs = await repeat(Math.min(rounds, MOST_ROUNDS), async () => ({
    short: median(await repeat(SHORT_RUNS, () => microseconds(short))),
    long: await microseconds(long),
  }));
  const own = spread(costs.map(({ long }) => long));
  const raw = median(costs.map(({ short }) => short));
  return { workload: long.name, metric: 'cost per step', unit: 'µs', ...own, raw, ratio: own.value / raw, goal: FLAT };
}
