// The page that is deployed with a Worker, in a browser, before the objects of a real runtime.
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumArgs, findChromium } from '../../../scripts/chromium.ts';
import { TOKEN, type Workerd, workerd } from './workerd.ts';

let runtime: Workerd;
let browser: Browser;
beforeAll(async () => {
  runtime = await workerd('test/workers/served.ts');
  await runtime.start();
  browser = await chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] });
});
afterAll(async () => {
  await browser.close();
  await runtime.remove();
});

test('a page mounted in a Worker shows its runs for a client’s token, and only looks', async () => {
  const input = { witness: `${runtime.url}/status` };
  const { id } = await runtime.ask<{ id: string }>('/workflows/witnessed/runs', { id: 'seen', input });
  const page = await browser.newPage();
  const commands: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET' && !/\/rows\/(read|scan|news)$/.test(request.url())) commands.push(request.url());
  });
  await page.goto(`${runtime.url}/ui`);
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: id }).click();
  await page.locator('fuseline-run').getByText(`Run ${id} succeeded.`).waitFor();
  await page.getByText('Read only: a client token only looks here').waitFor();
  const offered = await page
    .locator('[data-command]:enabled')
    .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('data-command')));
  expect(offered).toEqual(['palette', 'export']);
  expect(commands).toEqual([]);
});
