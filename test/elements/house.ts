import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { build } from 'esbuild';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';

/** Neither inline styles nor scripts, no string that becomes code or markup, and no policy that would allow one. */
const POLICY =
  "default-src 'self'; style-src 'self'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
const STYLES = ':root { color-scheme: light dark } .swatches { color: rgb(1, 2, 3) }';
const DOCUMENT =
  '<!doctype html><html lang="en"><title>elements</title><link rel="stylesheet" href="/page.css"><main><h1>Elements</h1></main><script type="module" src="/page.js"></script>';

export interface House {
  readonly address: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** A strict page with the elements on it, and a browser. */
export async function openHouse(): Promise<House> {
  const { outputFiles } = await build({
    entryPoints: [resolve('test/elements/web/page.ts')],
    bundle: true,
    format: 'esm',
    splitting: true,
    target: 'es2023',
    outdir: 'site',
    write: false,
    alias: { fuseline: resolve('src/index.ts'), 'fuseline/elements': resolve('src/elements/index.ts') },
  });
  const files = new Map(outputFiles.map(({ path, text }) => [`/${basename(path)}`, text]));
  const server = createServer(({ url = '' }, response) => {
    const script = files.get(url);
    const type = script !== undefined ? 'text/javascript' : url === '/page.css' ? 'text/css' : 'text/html';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
    response.end(script ?? (url === '/page.css' ? STYLES : DOCUMENT));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    browser,
    async close() {
      await browser.close();
      await new Promise((done) => server.close(done));
    },
  };
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained about: errors of the page, refusals of its policy. */
  readonly complaints: readonly string[];
}

export async function visit({ address, browser }: House, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    // What runs is drawn once a second then, instead of in every frame.
    reducedMotion: 'reduce',
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints };
}

/** The run at its end: one attempt failed, one was lost with its worker. */
export async function play(page: Page): Promise<void> {
  await page.evaluate(() => window.asked.begin());
  await page.getByRole('option', { name: /^resize-small succeeded attempt 2/ }).waitFor();
  await page.evaluate(() => window.asked.takeOver());
  await page.getByText('Run photo-1 succeeded.', { exact: true }).waitFor();
  await page.getByRole('option', { name: /^sheet succeeded/ }).waitFor();
}
