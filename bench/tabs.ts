import { Browser, type Tab } from '../test/browser/tabs/browser.ts';
import type { House } from '../test/browser/tabs/house.ts';
import { Site } from '../test/browser/tabs/site.ts';
import { ENDS, type End, takeOver } from '../test/browser/tabs/take-over.ts';
import { type BenchOptions, type Family, type Figure, type Goal, spread } from './figures.ts';
import { PAGE } from './page.ts';

const LOSSES = 20;
const DISPATCHES = 20;
const STEP_MS = 20;
const MEDIAN: Goal = { of: 'value', at: 'most', limit: 150 };
const WORST: Goal = { of: 'value', at: 'most', limit: 1000 };
const HEARD: Goal = { of: 'value', at: 'most', limit: 20 };
const TWO: Goal = { of: 'ratio', at: 'least', limit: 1.6 };
const IN_TABS = { platform: 'IndexedDB, relaxed', unit: 'ms' } as const;

export const tabs: Family = {
  name: 'tabs',
  about: `between tabs of Chromium: news, work shared, and ${LOSSES} workers lost in each way`,
  async *measure({ rounds }: BenchOptions) {
    const browser = await Browser.start();
    const site = await Site.serve(PAGE);
    try {
      yield await news(browser, site);
      yield await shared(browser, site, rounds);
    } finally {
      site.close();
    }
    const house = await Site.serve();
    try {
      for (const way of ENDS) yield* losses({ browser, site: house }, way);
    } finally {
      house.close();
      await browser.close();
    }
  },
};

/** From the dispatch in one tab to the start of the step in another. */
async function news(browser: Browser, site: Site): Promise<Figure> {
  const [front, worker] = [await browser.tab(site.address), await browser.tab(site.address)];
  await worker.call('work', 'news');
  const ms: number[] = [];
  for (let i = 0; i < DISPATCHES; i++) ms.push(await front.call<number>('begin', 'news'));
  await Promise.all([front.close(), worker.close()]);
  return { ...IN_TABS, workload: 'one step, another tab', metric: 'dispatch to start', ...spread(ms), goal: HEARD };
}

/** One tab against two, each with a process of its own. */
async function shared(browser: Browser, site: Site, rounds: number): Promise<Figure> {
  const front = await browser.tab(site.address);
  const turns = await front.call<number>('turnsOf', STEP_MS);
  const workers: Tab[] = [];
  const addWorker = async (database: string) => {
    const tab = await browser.tab(site.address);
    await tab.call('work', database);
    workers.push(tab);
  };
  const measured: number[][] = [];
  for (const count of [1, 2]) {
    const database = `shared by ${count}`;
    while (workers.length > 0) await workers.pop()?.close();
    for (let i = 0; i < count; i++) await addWorker(database);
    const pids = new Set(await inTurn(workers, (tab) => tab.pid()));
    if (pids.size !== count) throw new Error(`${count} tabs share a process`);
    const ms: number[] = [];
    for (let round = 0; round < rounds; round++) ms.push(await front.call<number>('compute', database, turns));
    measured.push(ms);
  }
  await Promise.all([front, ...workers].map((tab) => tab.close()));
  const [one = [], two = []] = measured;
  const alone = spread(one).value;
  const figures = spread(two);
  return {
    ...IN_TABS,
    workload: `100 steps of ${STEP_MS} ms, two tabs`,
    metric: 'time',
    ...figures,
    raw: alone,
    ratio: alone / figures.value,
    goal: TWO,
  };
}

/** From the end of a worker inside a body to the start of the next attempt in a tab that is hidden and idle. */
async function* losses(house: House, way: End): AsyncGenerator<Figure> {
  const ms: number[] = [];
  for (let loss = 0; loss < LOSSES; loss++) {
    const { ms: took, heir, cover } = await takeOver(house, `${way.name} ${loss}`, way);
    ms.push(took);
    await Promise.all([heir.close(), cover.close()]);
  }
  const figures = spread(ms);
  const about = { ...IN_TABS, workload: `a tab ${way.name}` } as const;
  yield { ...about, metric: 'take-over', ...figures, goal: MEDIAN };
  yield { ...about, metric: 'worst take-over', ...figures, value: figures.max, goal: WORST };
}

async function inTurn<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const found: U[] = [];
  for (const item of items) found.push(await work(item));
  return found;
}
