import type { HistoryEvent } from 'fuseline';
import { expect, test } from 'vitest';
import { stepsOf } from '../../storm-graph.ts';
import type { Tab } from './browser.ts';
import { houseOfThisFile } from './house.ts';
import { contradictions } from './testimony.ts';
import type { Storm } from './web/storm.ts';

const STORM: Storm = { lanes: 3, rounds: 1, bodyMs: 50 };
const CONCURRENCY = 2;

const house = houseOfThisFile();

/** What a page does to the messages it sends. */
const CHANNELS = {
  lost: '() => undefined',
  'lost, doubled and late, each in turn': `
    [
      () => undefined,
      (message) => [message, message].forEach(super.postMessage, this),
      (message) => setTimeout(super.postMessage.bind(this, message), 300),
    ][sent++ % 3]`,
};

const channel = (post: string): string => `{
  let sent = 0;
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    postMessage(message) { (${post})(message); }
  };
}`;

/** A page's clock that is set, again and again if need be. */
const clock = (aheadMs: number): string => `{
  const now = Date.now;
  globalThis.aheadMs = ${aheadMs};
  Date.now = () => now() + globalThis.aheadMs;
}`;
const HOUR_MS = 3_600_000;

/** A tab in which a script has run before anything else. */
async function disturbed(script: string): Promise<Tab> {
  const tab = await house.browser.tab(house.site.address);
  await tab.send('Page.enable');
  await tab.send('Page.addScriptToEvaluateOnNewDocument', { source: script });
  await tab.goto(`${house.site.address}?disturbed`);
  return tab;
}

/** The tabs work on a run to its end, and one is closed with a step of another in its hands. */
async function workTogether(
  database: string,
  tabs: readonly [Tab, Tab, Tab],
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const { site } = house;
  const [first, heir, other] = tabs;
  const run = await first.call<string>('dispatchStorm', database, STORM);
  await Promise.all(
    tabs.map((tab, i) =>
      tab.call('work', { who: `${database} ${i}`, database, storm: { ...STORM, concurrency: CONCURRENCY } }),
    ),
  );
  await site.noted(({ run: of, what }) => of === run && what === 'end');
  await meanwhile();
  expect(await first.call('ended', database, run)).toBe('SUCCEEDED');
  expect(await first.call('census', database, run)).toEqual({ SUCCEEDED: stepsOf(STORM) });
  const history = await first.call<readonly HistoryEvent[]>('history', database, run);
  const notes = site.notes.filter((note) => note.run === run);
  expect(contradictions(run, history, notes, []).join('\n')).toBe('');
  expect(new Set(notes.map(({ who }) => who)).size, 'one did it all').toBeGreaterThan(1);
  expect(notes.filter(({ what }) => what === 'begin').length).toBe(stepsOf(STORM));

  await first.call('work', { who: `${database} holder`, database: `${database} held` });
  const held = await first.call<string>('dispatch', `${database} held`, 'hold', 'done');
  await site.noted((note) => note.run === held && note.what === 'begin');
  await Promise.all(
    [heir, other].map((tab, i) => tab.call('work', { who: `heir ${i}`, database: `${database} held` })),
  );
  const closedAt = Date.now();
  await first.close();
  const begun = await site.noted((note) => note.run === held && note.attempt === 2);
  // Silence alone would tell after half a minute, a clock after an hour.
  expect(begun.at - closedAt).toBeLessThan(10_000);
  expect(await heir.call('result', `${database} held`, held)).toBe('done by attempt 2');
  expect(await heir.call('recorded', `${database} held`, held)).toEqual(['hold']);

  await heir.call('work', { who: `${database} idle`, database: `${database} later` });
  const later = await other.call<string>('dispatch', `${database} later`, 'chain', 1);
  expect(await other.call('result', `${database} later`, later)).toBe(20);
  await Promise.all([heir.close(), other.close()]);
}

test.each(Object.entries(CHANNELS))('messages between tabs are no more than hints: %s', async (how, post) => {
  await workTogether(how, await three(channel(post), channel(post), channel(post)));
});

test('pages whose clocks are an hour ahead and an hour behind, and are set in the middle of it, work with others as if they were not', async () => {
  const tabs = await three(clock(HOUR_MS), clock(-HOUR_MS), '');
  const [ahead, behind] = tabs;
  await workTogether('clocks', tabs, () =>
    Promise.all([ahead, behind].map((tab) => tab.evaluate('globalThis.aheadMs = -globalThis.aheadMs'))),
  );
});

function three(...scripts: readonly [string, string, string]): Promise<[Tab, Tab, Tab]> {
  const [a, b, c] = scripts;
  return Promise.all([disturbed(a), disturbed(b), disturbed(c)]);
}
