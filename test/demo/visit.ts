import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type ServedPage, servePage } from '../../demo/serve.ts';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';

/** Unless told, Playwright looks with every frame, which makes the page draw them all. */
const POLL_MS = 50;

/** Steps of the demo's workflow, of which one lies on the road not taken. */
export const RESULTS = 10;

/** The page as `npm run demo` serves it, and a browser. */
export interface House {
  readonly site: ServedPage;
  /** Where the page's files are. */
  readonly files: string;
  readonly browser: Browser;
}

/** Ends the visits of a test. */
export async function leave({ browser }: House): Promise<void> {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

export async function openHouse(): Promise<House> {
  // Several houses are built at once.
  const files = await mkdtemp(join(tmpdir(), 'fuseline-demo-'));
  const [site, browser] = await Promise.all([
    servePage(0, files),
    chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] }),
  ]);
  return { site, files, browser };
}

export async function closeHouse({ site, files, browser }: House): Promise<void> {
  await browser.close();
  await site.stop();
  await rm(files, { recursive: true });
}

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: errors of the page, refusals of its policy. */
  readonly complaints: readonly string[];
}

/** A visitor's first look, in a profile of its own. `story`: whether it was told before; `quota`: bytes it may keep. */
export async function visit(
  { site, browser }: House,
  options: {
    readonly story?: 'told';
    readonly quota?: number;
    readonly width?: number;
    readonly height?: number;
    readonly serviceWorkers?: 'block';
    readonly motion?: 'as usual';
  } = {},
): Promise<Visit> {
  const { width = 1440, height = 900, serviceWorkers = 'allow', motion } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    serviceWorkers,
    // Half of what the page costs is to draw every frame of what grows.
    reducedMotion: motion === 'as usual' ? 'no-preference' : 'reduce',
  });
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
  if (options.quota !== undefined) await setQuota(page, options.quota, site.address);
  await page.goto(site.address);
  return { context, page, complaints };
}

/** The smallest picture there is: a run that costs next to nothing. */
export const PIXEL = {
  name: 'pixel.png',
  mimeType: 'image/png',
  buffer: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
};

/** One number of the scoreboard. */
export async function figure(page: Page, name: 'recorded' | 'lost' | 'twice' | 'again'): Promise<number> {
  return Number(await page.locator(`[data-figure=${name}] dd`).textContent());
}

/** Waits until so many results are recorded: the workers are at work then. */
export async function untilRecorded(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (count) => Number(document.querySelector('[data-figure=recorded] dd')?.textContent) >= count,
    count,
    { polling: POLL_MS },
  );
}

/** Brings a part of the page into view, where it is under a tab. Only rows of the list that are in view are in the page. */
export async function see(page: Page, title: 'Run' | 'Runs'): Promise<void> {
  const tab = page.getByRole('tab', { name: title, exact: true });
  if (await tab.isVisible()) await tab.click();
}

/** Waits until so many runs of the list have succeeded. */
export async function untilSucceeded(page: Page, count: number): Promise<void> {
  await see(page, 'Runs');
  await page.waitForFunction(
    (count) => document.querySelectorAll('#runs [data-status=SUCCEEDED]').length >= count,
    count,
    { polling: POLL_MS },
  );
}

/** Gives the page's site so much room, in bytes; `undefined`: as much as there is. */
export async function setQuota(page: Page, quotaSize: number | undefined, address: string = page.url()): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(address);
  await session.send('Storage.overrideQuotaForOrigin', { origin, ...(quotaSize !== undefined && { quotaSize }) });
}

/** Forgets what a site kept. */
export async function clearSite(page: Page, address: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: new URL(address).origin, storageTypes: 'indexeddb' });
}

/** Lets another build of the page be served, and its visitor hear of it. */
export async function renewPage({ files }: House, page: Page): Promise<void> {
  const script = join(files, 'offline.js');
  const text = await readFile(script, 'utf8');
  await writeFile(
    script,
    text.replace(/[0-9a-f]{12}/, (build) => [...build].reverse().join('')),
  );
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
}

/** Keeps the database from being opened by anybody else: it is to be deleted, and this page does not let go of it. */
export async function holdDatabase(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((held) => {
        const name = 'fuseline/fuseline-demo';
        const opening = indexedDB.open(name);
        opening.onsuccess = () => {
          const deleting = indexedDB.deleteDatabase(name);
          deleting.onblocked = () => held();
        };
      }),
  );
}
