import { expect, test } from 'vitest';
import type { Tab } from './browser.ts';
import { houseOfThisFile } from './house.ts';

const house = houseOfThisFile();

/** Each ends a worker that is inside the body of a step, and says when it did. */
const ends: readonly (readonly [name: string, work: readonly unknown[], end: (tab: Tab) => Promise<number>])[] = [
  [
    'whose renderer is killed',
    ['work'],
    async (tab) => {
      const pid = await tab.pid();
      const at = Date.now();
      process.kill(pid, 'SIGKILL');
      return at;
    },
  ],
  [
    'that is closed',
    ['work'],
    async (tab) => {
      const at = Date.now();
      await tab.close();
      return at;
    },
  ],
  [
    'that goes to another page',
    ['work'],
    async (tab) => {
      const at = Date.now();
      await tab.send('Page.navigate', { url: 'about:blank' });
      return at;
    },
  ],
  [
    'that goes to another page, and takes its Worker along',
    ['workIn', 'worker'],
    async (tab) => {
      await tab.evaluate('addEventListener("pagehide", () => tab.terminate("victim"))');
      const at = Date.now();
      await tab.send('Page.navigate', { url: house.site.elsewhere });
      return at;
    },
  ],
  [
    'whose Worker is terminated',
    ['workIn', 'worker'],
    async (tab) => {
      const at = Date.now();
      await tab.call('terminate', 'victim');
      return at;
    },
  ],
];

test.for(ends)('the step of a tab %s is begun again by a tab that is hidden and idle', async ([name, work, end]) => {
  const database = name;
  const [method, ...kind] = work;
  const victim = await house.browser.tab(house.site.address);
  const run = await victim.call<string>('dispatch', database, 'hold', 'done');
  await victim.call(method as string, ...kind, { who: 'victim', database });
  await house.site.noted((note) => note.run === run && note.what === 'begin');

  const heir = await house.browser.tab(house.site.address);
  await heir.call('work', { who: 'heir', database });
  const cover = await house.browser.tab(house.site.address, 'in-front');
  expect(await heir.evaluate('document.visibilityState')).toBe('hidden');

  const endedAt = await end(victim);
  const begun = await house.site.noted((note) => note.run === run && note.attempt === 2);
  expect(begun.who).toBe('heir');
  // A second is the promise; a busy machine gets some more.
  expect(begun.at - endedAt).toBeLessThan(3000);
  expect(await cover.call('result', database, run)).toBe('done by attempt 2');
  expect(await cover.call('recorded', database, run)).toEqual(['hold']);
  await Promise.all([heir.close(), cover.close()]);
});
