import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';
import { houseOfThisFile } from './house.ts';
import { figure, holdDatabase, renewPage, setQuota, untilSucceeded, visit } from './visit.ts';

const house = houseOfThisFile();

test('a full disk is said, nothing is lost by it, and the work goes on once there is room', async () => {
  // Enough for the photos, and not for what is made of them.
  const { page } = await visit(house, { story: 'told', quota: 1_200_000 });
  await page.locator('[data-command=dispatch]').click();
  await page.locator('#workers [data-state=failed]').first().waitFor();
  await page.getByRole('alert').getByText('The browser has no more room for this page').waitFor();
  await setQuota(page, undefined);
  await untilSucceeded(page, 10);
  await page.getByRole('alert').waitFor({ state: 'detached' });

  expect([await figure(page, 'lost'), await figure(page, 'twice')]).toEqual([0, 0]);
});

test('where the browser keeps nothing for a site, as its user wants it, the page says so', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'fuseline-keeps-nothing-'));
  await mkdir(join(profile, 'Default'));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium() ?? '',
    args: [...chromiumArgs],
  });
  try {
    const page = await context.newPage();
    await page.goto(house.site.address);
    await page.getByRole('alert').getByText('The browser keeps nothing for this page').waitFor();
    await page.getByText('Nobody works here').waitFor();
  } finally {
    await context.close();
    await rm(profile, { recursive: true, maxRetries: 10 });
  }
});

test('a database that another tab does not let go of is waited for, and then said to be so', async () => {
  const { page, context } = await visit(house, { story: 'told' });
  await page.getByText('Nothing has been dispatched yet').waitFor();
  const late = await context.newPage();
  await late.clock.install();
  await holdDatabase(page);
  await late.goto(house.site.address);
  await late.getByText('Opening the database…').waitFor();
  await late.clock.fastForward(10_000);
  await late.getByRole('alert').getByText('close the other tabs of this site').waitFor();
  await page.close();
  await late.getByRole('button', { name: 'Try again' }).click();
  await late.getByText('Nothing has been dispatched yet').waitFor();
});

test('a newer version of the page is offered, and taken when the visitor says so', async () => {
  const { page } = await visit(house, { story: 'told' });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  const before = await page.evaluate(() => caches.keys());
  await renewPage(house, page);
  await page.getByRole('status').getByText('There is a newer version of this page').waitFor();
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Load it' }).click()]);
  await page.getByText('Nothing has been dispatched yet').waitFor();
  await expect.poll(() => page.evaluate(() => caches.keys()), { timeout: 10_000 }).toHaveLength(1);
  expect(await page.evaluate(() => caches.keys())).not.toEqual(before);
});

test('where there is no room the parts of the page are seen one at a time, and a run that is chosen comes into view', async () => {
  const { page } = await visit(house, { story: 'told', width: 360, height: 740 });
  await page.keyboard.press('d');
  const seen = () =>
    page
      .locator('#run-panel, #runs-panel, #workers')
      .filter({ visible: true })
      .evaluateAll((all) => all.map(({ id }) => id));
  expect(await seen()).toEqual(['run-panel']);
  await page.getByRole('tab', { name: 'Run', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  expect(await seen()).toEqual(['runs-panel']);
  await page.keyboard.press('End');
  expect(await seen()).toEqual(['workers']);
  await page.keyboard.press('ArrowLeft');
  await page.locator('#runs .row').nth(3).click();
  expect(await seen()).toEqual(['run-panel']);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});
