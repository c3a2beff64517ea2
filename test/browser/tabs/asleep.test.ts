import type { HistoryEvent } from 'fuseline';
import { expect, test } from 'vitest';
import type { Tab } from './browser.ts';
import { houseOfThisFile } from './house.ts';

const house = houseOfThisFile();

/** A tab inside the body of a step, which would go on for ever. */
async function holding(database: string): Promise<{ readonly tab: Tab; readonly run: string }> {
  const tab = await house.browser.tab(house.site.address);
  const run = await tab.call<string>('dispatch', database, 'hold', 'done');
  await tab.call('work', { who: 'first', database });
  await house.site.noted((note) => note.run === run && note.what === 'begin');
  return { tab, run };
}

async function heirOf(database: string): Promise<Tab> {
  const heir = await house.browser.tab(house.site.address);
  await heir.call('work', { who: 'heir', database });
  return heir;
}

test('a tab that is frozen, and one that hangs, are given up once they were silent for half a minute', async () => {
  const frozen = await holding('frozen');
  await house.browser.tab(house.site.address, 'in-front');
  const hung = await holding('hung');
  const heirs = { frozen: await heirOf('frozen'), hung: await heirOf('hung') };
  const at = Date.now();
  await frozen.tab.send('Page.setWebLifecycleState', { state: 'frozen' });
  await hung.tab.call('hang', house.site.unanswered);
  for (const [database, { run }] of Object.entries({ frozen, hung })) {
    const begun = await house.site.noted((note) => note.run === run && note.attempt === 2);
    expect(begun.who, database).toBe('heir');
    // Not sooner: a step may well keep its page busy for a while.
    expect(begun.at - at, database).toBeGreaterThan(20_000);
  }

  // What wakes up finds out before it claims anything more, and works on as another.
  await frozen.tab.send('Page.setWebLifecycleState', { state: 'active' });
  await house.site.noted((note) => note.run === frozen.run && note.what === 'aborted');
  expect(await heirs.frozen.call('recorded', 'frozen', frozen.run)).toEqual(['hold']);
  expect(await heirs.hung.call('recorded', 'hung', hung.run)).toEqual(['hold']);
  await Promise.all(Object.values(heirs).map((heir) => heir.close()));
}, 120_000);

test('what is due in a hidden page is done in time', async () => {
  const tab = await house.browser.tab(house.site.address);
  await house.browser.tab(house.site.address, 'in-front');
  expect(await tab.evaluate('document.visibilityState')).toBe('hidden');
  await tab.call('work', { who: 'hidden', database: 'hidden' });
  const run = await tab.call<string>('dispatch', 'hidden', 'again', 'done');
  expect(await tab.call('ended', 'hidden', run)).toBe('SUCCEEDED');
  const events = await tab.call<readonly HistoryEvent[]>('history', 'hidden', run);
  const begun = events.filter(({ type }) => type === 'claimed').map(({ at }) => at);
  expect(begun).toHaveLength(8);
  // Seven waits of 100 ms; a hidden page by itself would take a second for each.
  expect((begun.at(-1) ?? 0) - (begun[0] ?? 0)).toBeLessThan(5000);
  await tab.close();
});

test('a page that is put aside for the back button, with nobody else at work, goes on with its step when it comes back', async () => {
  const { tab, run } = await holding('aside');
  await tab.evaluate('globalThis.kept = "kept"');
  await tab.goto(house.site.elsewhere);
  await tab.back();
  expect(await tab.evaluate('globalThis.kept'), 'the page was made anew').toBe('kept');
  const heir = await heirOf('aside');
  // What another tab finds dead it hands out again before it looks for anything else.
  const later = await heir.call<string>('dispatch', 'aside', 'chain', 1);
  expect(await heir.call('result', 'aside', later)).toBe(20);
  expect(house.site.notes.filter((note) => note.run === run).map(({ attempt }) => attempt)).toEqual([1]);
  await Promise.all([tab.close(), heir.close()]);
});
