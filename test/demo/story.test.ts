import { expect, test } from 'vitest';
import { houseOfThisFile } from './house.ts';
import { figure, RESULTS, untilRecorded, untilSucceeded, visit } from './visit.ts';

const house = houseOfThisFile();

test('a first visit is told a story: two workers, a kill, and how long it took to go on', async () => {
  const { page, complaints } = await visit(house, { motion: 'as usual' });
  await page.getByText('Two workers share one queue').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('#workers li[data-state=working]').length === 2);
  await untilRecorded(page, 3);
  await page.getByRole('button', { name: 'Next' }).click();
  await page.locator('.story').getByRole('button', { name: 'Kill a worker' }).click();
  const told = await page
    .getByText(/was killed in the middle of .* known after \d+ ms, and \d+ ms after the kill attempt \d+ began on/)
    .textContent();
  expect(told).toContain('Nothing was lost');
  // Where the three were over before the button was found, there are three more to be killed at.
  await page.locator('#runs .row:not([data-status=SUCCEEDED])').first().waitFor({ state: 'detached' });
  const runs = await page.locator('#runs .row').count();
  await expect.poll(() => figure(page, 'recorded'), { timeout: 20_000 }).toBe(runs * RESULTS);
  expect([await figure(page, 'lost'), await figure(page, 'twice')]).toEqual([0, 0]);
  expect(await figure(page, 'again')).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
});

test('the whole story can be told by keyboard, and a live region tells what happens', async () => {
  const { page } = await visit(house);
  const press = async (name: RegExp) => {
    await page.locator('.story').getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
  };
  const region = page.locator('#story[aria-live=polite]');
  await region.getByText('Two workers share one queue').waitFor();
  await untilRecorded(page, 3);
  await press(/Next/);
  // Whoever reads slowly sees a step lost all the same.
  await untilSucceeded(page, 3);
  await press(/Kill a worker/);
  await region.getByText(/ms after the kill attempt \d+ began on/).waitFor();
  await untilSucceeded(page, 6);
  await press(/Next/);
  await region.getByText('Reload, or go offline').waitFor();
  // There is something to be seen in every part of it.
  await page.locator('#runs [data-status=RUNNING]').first().waitFor();
  await Promise.all([page.waitForEvent('load'), press(/Reload/)]);
  await region.getByText('Reload, or go offline').waitFor();
  await untilSucceeded(page, 9);
  await press(/Next/);
  await press(/The page is yours/);
  await page.locator('.story').waitFor({ state: 'detached' });
  await page.reload();
  await page.locator('#workers li[data-state=working]').first().waitFor();
  expect(await page.locator('.story').count()).toBe(0);
  await page.keyboard.press('?');
  await region.getByText('Two workers share one queue').waitFor();
}, 120_000);
