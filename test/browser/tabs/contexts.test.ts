import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

let site: Site;
let browser: Browser;

beforeAll(async () => {
  [site, browser] = await Promise.all([Site.serve(), Browser.start()]);
});
afterAll(async () => {
  site.close();
  await browser.close();
});

describe('a worker works', () => {
  const places = [
    ['a page', (job: object) => ['work', job]],
    ['a dedicated Worker', (job: object) => ['workIn', 'worker', job]],
    ['a SharedWorker', (job: object) => ['workIn', 'shared-worker', job]],
    ['a service worker', (job: object) => ['workInServiceWorker', job]],
  ] as const;

  test.for(places)('in %s', async ([place, order]) => {
    const tab = await browser.tab(site.address);
    const [who, database] = [place, place];
    const [method, ...args] = order({ who, database }) as [string, ...unknown[]];
    await tab.call(method, ...args);
    await site.noted((note) => note.who === who && note.what === 'ready');

    const other = await browser.tab(site.address);
    const run = await other.call<string>('dispatch', database, 'chain', 1);
    expect(await other.call('result', database, run)).toBe(20);
    await Promise.all([tab.close(), other.close()]);
  });
});
