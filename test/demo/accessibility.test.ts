import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { violations } from '../violations.ts';
import { houseOfThisFile } from './house.ts';
import { clearSite, holdDatabase, PIXEL, renewPage, see, setQuota, untilSucceeded, visit } from './visit.ts';

const house = houseOfThisFile();

/** What a page looks like when it is judged. */
const STATES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  empty: (page) => page.getByText('Nothing has been dispatched yet').waitFor(),
  running: async (page) => {
    await page.keyboard.press('s');
    await page.keyboard.press('d');
    await see(page, 'Runs');
    await page.waitForFunction(() => document.querySelectorAll('#runs [data-status=RUNNING]').length > 1);
    await see(page, 'Run');
  },
  'a failed step open': async (page) => {
    const file = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
    await page.locator('#files').setInputFiles(file);
    await see(page, 'Runs');
    await page.locator('#runs [data-status=FAILED]').waitFor();
    await page.evaluate(() => {
      location.hash += '&step=decode';
    });
    await see(page, 'Run');
    // Its tabs are there once it has seen how narrow it is.
    await page.getByRole('tab', { name: 'Step', exact: true }).click();
    await page.getByText('could not be decoded').first().waitFor();
  },
  offline: async (page) => {
    await page.locator('#files').setInputFiles(PIXEL);
    await untilSucceeded(page, 1);
    await page.context().setOffline(true);
    await page.getByText('offline', { exact: true }).waitFor();
  },
  'commands open': async (page) => {
    await page.keyboard.press('Control+k');
    await page.locator('dialog[open]').waitFor();
  },
  'a full disk': async (page) => {
    const address = page.url();
    await page.goto('about:blank');
    await clearSite(page, address);
    await setQuota(page, 1, address);
    await page.goto(address);
    await page.getByRole('alert').getByText('no more room').waitFor();
  },
  'a browser that keeps nothing': async (page) => {
    await page.addInitScript(() => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }));
    await page.reload();
    await page.getByRole('alert').getByText('The browser keeps nothing').waitFor();
  },
  loading: async (page) => {
    await holdDatabase(page);
    const late = await page.context().newPage();
    return late.goto(page.url());
  },
  'a newer version': async (page) => {
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await renewPage(house, page);
    await page.getByText('There is a newer version of this page').waitFor();
  },
};

/** What is little more than a sentence is judged once. */
const SENTENCES = [
  'empty',
  'commands open',
  'a full disk',
  'a browser that keeps nothing',
  'loading',
  'a newer version',
];

const LOOKS = [
  { colorScheme: 'light', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'active' },
] as const;

test.each(Object.entries(STATES))(
  'axe finds nothing, narrow or wide, in light, dark and forced colours: %s',
  async (state, bring) => {
    const looks = SENTENCES.includes(state) ? LOOKS.slice(0, 1) : LOOKS;
    const { page: first, context } = await visit(house, { story: 'told', width: 360 });
    await bring(first);
    const page = context.pages().at(-1) ?? first;
    for (const width of [360, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      for (const [i, look] of looks.entries()) {
        await page.emulateMedia(look);
        expect(await violations(page, i === 0 ? 'all' : 'colours'), `${width} pixels, ${JSON.stringify(look)}`).toEqual(
          [],
        );
      }
    }
  },
  180_000,
);

test('axe finds nothing under any of the tabs of a narrow page', async () => {
  const { page } = await visit(house, { story: 'told', width: 360 });
  await STATES.running?.(page);
  for (const tab of await page.locator('#tabs [role=tab]').all()) {
    await tab.click();
    expect(await violations(page), (await tab.textContent()) ?? '').toEqual([]);
  }
});
