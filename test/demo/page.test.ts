import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { houseOfThisFile } from './house.ts';
import { figure, PIXEL, RESULTS, untilRecorded, untilSucceeded, visit } from './visit.ts';

const house = houseOfThisFile();

test('until the first run is drawn no more than 89 kB come over the line, Workers and service worker included', async () => {
  const { site, files } = house;
  site.asked.clear();
  // What it fetches for later, as soon as there is time, is asked for by nobody yet.
  const { page } = await visit(house, { serviceWorkers: 'block' });
  await page.getByRole('option', { name: /^decode/ }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('#workers li[data-state=working]').length === 2);
  const asked = new Set([...site.asked, '/offline.js']);
  let [brotli, gzip] = [0, 0];
  for (const path of asked) {
    // Nobody asks for an icon by itself, but browsers do.
    if (path === '/favicon.ico') continue;
    const content = await readFile(join(files, path === '/' ? 'index.html' : path));
    brotli += brotliCompressSync(content).length;
    gzip += gzipSync(content, { level: 9 }).length;
  }
  console.log(`measured: ${asked.size} files, ${brotli} B as brotli, ${gzip} B as gzip`);
  expect(brotli).toBeLessThanOrEqual(89_000);
});

test('a reload in the middle loses nothing and records nothing twice', async () => {
  const { page, complaints } = await visit(house, { story: 'told' });
  await page.locator('[data-command=pace]').click();
  await page.locator('[data-command=dispatch]').click();
  await untilRecorded(page, 6);
  await page.reload();
  await page.locator('[data-command=pace]').click();
  await untilSucceeded(page, 10);
  await expect.poll(() => figure(page, 'recorded'), { timeout: 20_000 }).toBe(10 * RESULTS);
  expect([await figure(page, 'lost'), await figure(page, 'twice')]).toEqual([0, 0]);
  expect(complaints).toEqual([]);
});

test('every worker of the page can be killed: a window opened later finishes the work', async () => {
  const { page, context } = await visit(house, { story: 'told' });
  await page.locator('[data-command=pace]').click();
  await page.locator('[data-command=dispatch]').click();
  await untilRecorded(page, 3);
  for (let left = 2; left > 0; left--) await page.locator('#workers button[aria-label^=Kill]').first().click();
  await page.getByText('Nobody works here').waitFor();
  const [second] = await Promise.all([
    context.waitForEvent('page'),
    page.locator('[data-command=open-window]').click(),
  ]);
  await second.locator('[data-command=pace]').click();
  await untilSucceeded(page, 10);
  await expect.poll(() => figure(page, 'recorded'), { timeout: 20_000 }).toBe(10 * RESULTS);
  expect(await page.evaluate(() => opener)).toBeNull();
});

test('without a network the page loads, dispatches and works', async () => {
  const { page, context, complaints } = await visit(house, { story: 'told' });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await page.getByText('offline', { exact: true }).waitFor();
  await page.locator('#files').setInputFiles(PIXEL);
  await untilSucceeded(page, 1);
  expect(complaints).toEqual([]);
});

test('what a photo is called is text, whatever it says', async () => {
  const { page, complaints } = await visit(house, { story: 'told' });
  const name = '<img src=x onerror="document.title=1">.png';
  await page.locator('#files').setInputFiles({ ...PIXEL, name });
  await untilSucceeded(page, 1);
  await page.getByText(name).first().waitFor();
  expect(await page.title()).toBe('Fuseline: tabs are the workers');
  expect(complaints).toEqual([]);
});

test('files that are no pictures are said to be none, and nothing is dispatched', async () => {
  const { page } = await visit(house, { story: 'told' });
  await page
    .locator('#files')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
  await page.getByText('None of that is a picture').waitFor();
  expect(await page.locator('#runs .row').count()).toBe(0);
});

test('a file that says it is a picture and is none fails its run, which can be seen and retried', async () => {
  const { page } = await visit(house, { story: 'told' });
  await page
    .locator('#files')
    .setInputFiles({ name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await page.locator('#runs [data-status=FAILED]').waitFor();
  await page.locator('[data-command=retry]').click();
  await page.locator('#runs [data-status=FAILED]').waitFor();
});

test('an exported run can be dropped onto another browser’s page, which shows it and leaves it alone', async () => {
  const { page } = await visit(house, { story: 'told' });
  await page.locator('#files').setInputFiles(PIXEL);
  await untilSucceeded(page, 1);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-command=export]').click()]);
  const path = await download.path();

  const other = await visit(house, { story: 'told' });
  await drop(other.page, { name: 'kept.json', text: await readFile(path, 'utf8') });
  await other.page.getByText('What kept.json says of a run').waitFor();
  await other.page.getByRole('option', { name: /^contact-sheet succeeded/ }).waitFor();
  await other.page.locator('fuseline-run img').first().waitFor();
  expect(await other.page.locator('[data-command=cancel]').count()).toBe(0);
  expect(await other.page.locator('#runs .row').count()).toBe(0);
  await other.page.locator('[data-command=close-copy]').click();
  await other.page.getByText('Nothing has been dispatched yet').waitFor();
  expect(other.complaints).toEqual([]);
});

test('a file that is no exported run is refused with its name and the reason, and what is shown stays', async () => {
  const { page, complaints } = await visit(house, { story: 'told' });
  await page.locator('#files').setInputFiles(PIXEL);
  await untilSucceeded(page, 1);
  // Playwright hears of what only the page did to its address a moment later.
  const address = await page.evaluate(() => location.href);
  for (const [name, text, reason] of [
    ['package.json', '{"name":"mine"}', 'its format is undefined'],
    ['torn.json', '{"format":"fuseline-run/1","id":"torn","entr', 'JSON'],
    ['empty.json', '{"format":"fuseline-run/1","id":"empty","entries":[],"values":{}}', 'its graph cannot be read'],
  ] as const) {
    await drop(page, { name, text });
    await page
      .getByRole('alert')
      .getByText(new RegExp(`^${name} cannot be shown: .*${reason}`))
      .waitFor();
    expect(await page.evaluate(() => location.href)).toBe(address);
  }
  expect(complaints).toEqual([]);
});

test('the keyboard does everything: dispatch, kill, choose a run, and any command by its name', async () => {
  const { page } = await visit(house, { story: 'told' });
  await page.keyboard.press('d');
  // One of the ten is chosen by the page once all are dispatched, and then by nobody but the keyboard.
  await untilSucceeded(page, 10);
  await page.locator('#runs').focus();
  for (const [key, place] of [
    ['End', 10],
    ['ArrowUp', 9],
    ['Home', 1],
  ] as const) {
    await page.keyboard.press(key);
    await page.locator(`#runs [aria-selected=true][aria-posinset="${place}"]`).waitFor();
  }
  await page.keyboard.press('Control+k');
  await page.keyboard.type('hire');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('#workers li[data-state=working]').length === 3);
  await page.keyboard.press('k');
  await page.waitForFunction(() => document.querySelectorAll('#workers li[data-state=working]').length === 2);
});

test('the address holds the run, and opens it again', async () => {
  const { page, context } = await visit(house, { story: 'told' });
  await page.locator('#files').setInputFiles([PIXEL, PIXEL]);
  await untilSucceeded(page, 2);
  await page.locator('#runs').focus();
  await page.keyboard.press('End');
  const chosen = page.locator('#runs [aria-selected=true][aria-posinset="2"]');
  const option = await chosen.getAttribute('id');
  const address = await page.evaluate(() => location.href);
  expect(`run-${new URL(address).hash.slice('#run='.length)}`).toBe(option);
  const other = await context.newPage();
  await other.goto(address);
  await other.locator(`#runs [aria-selected=true][id="${option}"]`).waitFor();
});

test('on a narrow screen nothing is wider than it', async () => {
  const { page } = await visit(house, { story: 'told', width: 360, height: 740 });
  await page.keyboard.press('d');
  await untilSucceeded(page, 10);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

/** As the browser tells a page of a file somebody lets go of above it. */
async function drop(page: Page, file: { readonly name: string; readonly text: string }): Promise<void> {
  await page.evaluate(({ name, text }) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name, { type: 'application/json' }));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }, file);
}
