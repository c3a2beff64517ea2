import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

import { type ServedPage, servePage } from '../../demo/serve.ts';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';

/** The page as `npm run demo` serves it, and a browser. */
export interface House {
  readonly site: ServedPage;
  readonly browser: Browser;
}

/** Ends the visits of a test. */
export async function leave({ browser }: House): Promise<void> {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

export async function openHouse(): Promise<House> {
  const [site, browser] = await Promise.all([
    servePage(0),
    chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] }),
  ]);
  return { site, browser };
}

export async function closeHouse({ site, browser }: House): Promise<void> {
  await browser.close();
  await site.stop();
}

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: errors of the page, refusals of its policy. */
  readonly complaints: readonly string[];
}

/** A visitor's first look, in a profile of its own. `story`: whether it was told before. */
export async function visit(
  { site, browser }: House,
  options: { readonly story?: 'told'; readonly width?: number; readonly height?: number } = {},
): Promise<Visit> {
  const { width = 1440, height = 900 } = options;
  const context = await browser.newContext({ viewport: { width, height } });
  if (options.story === 'told') {
    await context.addInitScript(() => {
      // Not every document may remember; the one a tab begins with may not.
      if (origin !== 'null' && localStorage.getItem('fuseline-demo') === null)
        localStorage.setItem('fuseline-demo', JSON.stringify({ story: 'seen' }));
    });
  }
  const complaints: string[] = [];
  const listen = (page: Page): void => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
  };
  context.on('page', listen);
  const page = await context.newPage();
  await page.goto(site.address);
  return { context, page, complaints };
}

/** One number of the scoreboard. */
export async function figure(page: Page, name: 'recorded' | 'lost' | 'twice' | 'again'): Promise<number> {
  return Number(await page.locator(`[data-figure=${name}] dd`).textContent());
}

/** Waits until so many results are recorded: the workers are at work then. */
export async function untilRecorded(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (count) => Number(document.querySelector('[data-figure=recorded] dd')?.textContent) >= count,
    count,
  );
}

/** Waits until so many runs of the list have succeeded. */
export async function untilSucceeded(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (count) => document.querySelectorAll('#runs [data-status=SUCCEEDED]').length >= count,
    count,
  );
}
