import { describe, expect, test } from 'vitest';
import { houseOfThisFile } from './house.ts';

const house = houseOfThisFile();

describe('a worker works', () => {
  const places = [
    ['a page', (job: object) => ['work', job]],
    ['a dedicated Worker', (job: object) => ['workIn', 'worker', job]],
    ['a SharedWorker', (job: object) => ['workIn', 'shared-worker', job]],
    ['a service worker', (job: object) => ['workInServiceWorker', job]],
  ] as const;

  test.for(places)('in %s', async ([place, order]) => {
    const tab = await house.browser.tab(house.site.address);
    const [who, database] = [place, place];
    const [method, ...args] = order({ who, database }) as [string, ...unknown[]];
    await tab.call(method, ...args);
    await house.site.noted((note) => note.who === who && note.what === 'ready');

    const other = await house.browser.tab(house.site.address);
    const run = await other.call<string>('dispatch', database, 'chain', 1);
    expect(await other.call('result', database, run)).toBe(20);
    await Promise.all([tab.close(), other.close()]);
  });
});
