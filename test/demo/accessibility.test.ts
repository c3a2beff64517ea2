import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closeHouse, type House, leave, openHouse, untilSucceeded, visit } from './visit.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterEach(() => leave(house));
afterAll(() => closeHouse(house));

/** What a page looks like when it is judged. */
const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  empty: (page) => page.getByText('Nothing has been dispatched yet').waitFor(),
  running: async (page) => {
    await page.keyboard.press('s');
    await page.keyboard.press('d');
    await page.waitForFunction(() => document.querySelectorAll('#runs [data-status=RUNNING]').length > 1);
  },
  'a failed run': async (page) => {
    const file = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
    await page.locator('#files').setInputFiles(file);
    await page.locator('#runs [data-status=FAILED]').waitFor();
  },
  'a failed step open': async (page) => {
    await STATES['a failed run']?.(page);
    await page.evaluate(() => {
      location.hash += '&step=decode';
    });
    await page.getByText('could not be decoded').first().waitFor();
  },
  offline: async (page) => {
    await page.keyboard.press('d');
    await untilSucceeded(page, 10);
    await page.context().setOffline(true);
    await page.getByText('offline', { exact: true }).waitFor();
  },
  'commands open': async (page) => {
    await page.keyboard.press('Control+k');
    await page.locator('dialog[open]').waitFor();
  },
};

const LOOKS = [
  { colorScheme: 'light', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'active' },
] as const;

describe.each(Object.entries(STATES))('axe finds nothing: %s', (_, bring) => {
  test.each([360, 1440])('%d pixels wide, in light, dark and forced colours', async (width) => {
    const { page } = await visit(house, { story: 'told', width });
    await bring(page);
    for (const look of LOOKS) {
      await page.emulateMedia(look);
      expect(await violations(page), JSON.stringify(look)).toEqual([]);
    }
  });
});

/** Which rule, and where. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${target.join(' ')} (${any.map(({ message }) => message).join('; ')})`),
  );
}
