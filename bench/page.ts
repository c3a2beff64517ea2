import { Browser } from '../test/browser/tabs/browser.ts';
import { Site } from '../test/browser/tabs/site.ts';
import type { OnDatabase } from './browser/page.ts';
import { type BenchOptions, type Family, type Figure, type Goal, median, spread } from './figures.ts';

export const PAGE = { page: 'bench/browser/page.ts', 'clock-worker': 'dist/adapters/indexeddb/clock-worker.js' };

const LOADS: Readonly<Record<string, Goal>> = {
  chain: { of: 'ratio', at: 'least', limit: 0.8 },
  fan: { of: 'ratio', at: 'least', limit: 25 },
  runs: { of: 'ratio', at: 'least', limit: 2 },
};
/** Beside one for each step of a chain. */
const SPARE_TRANSACTIONS = 6;

export const page: Family = {
  name: 'page',
  about: 'in one page of Chromium, against a loop in the same page that adds an equal row in a transaction of its own',
  async *measure({ rounds }: BenchOptions) {
    const [site, browser] = await Promise.all([Site.serve(PAGE), Browser.start()]);
    try {
      const tab = await browser.tab(site.address);
      for (const durability of ['relaxed', 'strict'] as const) {
        for (const [load, goal] of Object.entries(LOADS)) {
          const engine: OnDatabase[] = [];
          const raw: number[] = [];
          for (let round = 0; round < rounds; round++) {
            const run = await tab.call<OnDatabase>('run', load, durability);
            engine.push(run);
            raw.push(await tab.call<number>('raw', run.steps, run.length, durability));
          }
          yield* figures(`IndexedDB, ${durability}`, engine, raw, goal);
        }
      }
    } finally {
      site.close();
      await browser.close();
    }
  },
};

function* figures(
  platform: Figure['platform'],
  engine: readonly OnDatabase[],
  raw: readonly number[],
  goal: Goal,
): Generator<Figure> {
  const { name: workload, steps } = engine[0] as OnDatabase;
  const perSecond = (ms: number) => (steps / ms) * 1000;
  const compared = median(raw.map(perSecond));
  const speed = spread(engine.map(({ ms }) => perSecond(ms)));
  yield {
    platform,
    workload,
    metric: 'speed',
    unit: 'steps/s',
    ...speed,
    raw: compared,
    ratio: speed.value / compared,
    goal,
  };
  const transactions = spread(engine.map((run) => run.transactions));
  const most: Goal = { of: 'value', at: 'most', limit: steps + SPARE_TRANSACTIONS };
  yield {
    platform,
    workload,
    metric: 'transactions',
    unit: '',
    ...transactions,
    ...(workload.startsWith('chain') && { goal: most }),
  };
  yield { platform, workload, metric: 'reads', unit: '', ...spread(engine.map(({ reads }) => reads)) };
}
