import type { Tab } from './browser.ts';
import type { House } from './house.ts';

/** A way for a tab to end while its worker is inside the body of a step. */
export interface End {
  /** What becomes of the tab. */
  readonly name: string;
  readonly place: 'page' | 'Worker';
  /** Does it, and says when, in epoch milliseconds. */
  readonly end: (tab: Tab, house: House) => Promise<number>;
}

export const ENDS: readonly End[] = [
  {
    name: 'whose renderer is killed',
    place: 'page',
    async end(tab) {
      const pid = await tab.pid();
      const at = Date.now();
      process.kill(pid, 'SIGKILL');
      return at;
    },
  },
  {
    name: 'that is closed',
    place: 'page',
    async end(tab) {
      const at = Date.now();
      await tab.close();
      return at;
    },
  },
  {
    name: 'that goes to another page',
    place: 'page',
    end: (tab, house) => leave(tab, house, 'about:blank'),
  },
  {
    name: 'that goes elsewhere, its Worker along',
    place: 'Worker',
    async end(tab, house) {
      await tab.evaluate('addEventListener("pagehide", () => tab.terminate("victim"))');
      return leave(tab, house, house.site.elsewhere);
    },
  },
  {
    name: 'whose Worker is terminated',
    place: 'Worker',
    async end(tab) {
      const at = Date.now();
      await tab.call('terminate', 'victim');
      return at;
    },
  },
];

/** Until the browser has a process for the next page this one is there, and at work: it says itself when it goes. */
async function leave(tab: Tab, { site }: House, url: string): Promise<number> {
  await tab.evaluate(`addEventListener('pagehide', () => {
    const at = performance.timeOrigin + performance.now();
    navigator.sendBeacon('/note', JSON.stringify({ who: '${tab.target}', what: 'left', at }));
  })`);
  await tab.send('Page.navigate', { url });
  const { at } = await site.noted(({ who, what }) => who === tab.target && what === 'left');
  return at;
}

export interface TakenOver {
  readonly run: string;
  /** Who began the next attempt, and how long after the end. */
  readonly by: string;
  readonly ms: number;
  /** The idle one that is hidden, and the tab that hides it. */
  readonly heir: Tab;
  readonly cover: Tab;
}

/** Ends a tab that is inside the body of a step while another one, hidden, has nothing to do. */
export async function takeOver(house: House, database: string, { place, end }: End): Promise<TakenOver> {
  const { site, browser } = house;
  const victim = await browser.tab(site.address);
  const run = await victim.call<string>('dispatch', database, 'hold', 'done');
  const job = { who: 'victim', database };
  if (place === 'page') await victim.call('work', job);
  else await victim.call('workIn', 'worker', job);
  await site.noted((note) => note.run === run && note.what === 'begin');

  const heir = await browser.tab(site.address);
  await heir.call('work', { who: 'heir', database });
  const cover = await browser.tab(site.address, 'in-front');
  if ((await heir.evaluate('document.visibilityState')) !== 'hidden') throw new Error('the heir is in view');
  const at = await end(victim, house);
  const begun = await site.noted((note) => note.run === run && note.attempt === 2);
  return { run, by: begun.who, ms: begun.at - at, heir, cover };
}
