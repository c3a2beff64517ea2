import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import * as vite from 'vite';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import webpack from 'webpack';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';
import { nodes } from './nodes.ts';

const run = promisify(execFile);
const project = join(inject('project'), 'wild');

const POLICY = { 'content-security-policy': "default-src 'self'; worker-src 'self'" };

let browser: Browser;
beforeAll(async () => {
  await cp(join(import.meta.dirname, 'wild'), project, { recursive: true });
  await writeFile(join(project, 'index.html'), await rendered(process.execPath));
  browser = await chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] });
});
afterAll(() => browser.close());

test.each(nodes)('a page is rendered by Node $version, which is no browser and is taken for none', async ({ path }) => {
  expect(await rendered(path)).toContain('<output>loading</output>');
});

interface Site {
  readonly address: string;
  close(): Promise<unknown>;
}

/** How a project of others makes a site of its page. */
const SITES: Readonly<Record<string, () => Promise<Site>>> = {
  async 'the server of Vite'() {
    const server = await vite.createServer({ ...VITE, server: { headers: POLICY, host: '127.0.0.1', port: 0 } });
    await server.listen();
    return { address: server.resolvedUrls?.local[0] ?? '', close: () => server.close() };
  },

  async Vite() {
    await vite.build({ ...VITE, build: { outDir: 'by-vite', target: 'es2023' } });
    return served('by-vite');
  },

  async webpack() {
    const path = join(project, 'by-webpack');
    const compiler = webpack({
      mode: 'production',
      context: project,
      entry: './client.js',
      output: { path, filename: 'client.js', module: true },
      experiments: { outputModule: true },
      // Takes most of the time, and finds nothing.
      optimization: { minimize: false },
    });
    await new Promise<void>((done, failed) => {
      compiler.run((error, stats) => (error || stats?.hasErrors() ? failed(error ?? stats?.toString()) : done()));
    });
    await cp(join(project, 'index.html'), join(path, 'index.html'));
    return served('by-webpack');
  },
};

test.each(Object.keys(SITES))('built by %s, a page works and its Worker keeps the time', async (builder) => {
  const site = await SITES[builder]?.();
  if (!site) throw new Error(`nobody is called ${builder}`);
  onTestFinished(() => void site.close());
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  // As in a page that is hidden for long, only that its own timers do not even fire once a minute.
  await page.addInitScript(`
    Object.defineProperty(document, 'hidden', { value: true });
    Object.defineProperty(globalThis, 'setTimeout', { value: () => 0 });
  `);
  await page.goto(site.address);
  await expect.poll(() => page.locator('output').textContent(), { timeout: 10_000 }).toBe('42');
  expect(page.workers().map((worker) => new URL(worker.url()).origin)).toEqual([new URL(site.address).origin]);
  expect(complaints).toEqual([]);
});

const VITE: vite.InlineConfig = {
  root: project,
  configFile: false,
  logLevel: 'warn',
  // Beside the installed packages, whose size another test looks at.
  cacheDir: 'cache',
};

async function rendered(node: string): Promise<string> {
  const { stdout, stderr } = await run(node, ['server.js'], { cwd: project });
  expect(stderr).toBe('');
  return stdout;
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** As any host of static files does. */
async function served(folder: string): Promise<Site> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = url === '/' ? '/index.html' : url;
    try {
      const content = await readFile(join(project, folder, path));
      response.writeHead(200, { ...POLICY, 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((done) => server.close(done)),
  };
}
