// `npm run edge`, as the README tells its reader: started by npm, asked by the lines that it prints, ended by Ctrl-C.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumArgs, findChromium } from '../../../scripts/chromium.ts';
import { freePort } from './workerd.ts';

/** What a clone has after its build. It is worked on in a copy, because the build of its page takes the old one away. */
const CLONE = ['.tsbuild', 'demo', 'dist', 'package.json', 'scripts', 'src', 'wrangler.toml'];
const TERMS = ['tsconfig.base.json', 'tsconfig.build.json'];

let clone: string;
let address: string;
let edge: ChildProcess;
let browser: Browser;
let printed = '';

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'fuseline-clone-'));
  for (const name of [...CLONE, ...TERMS]) {
    await cp(resolve(name), join(clone, name), { recursive: true, preserveTimestamps: true });
  }
  await symlink(resolve('node_modules'), join(clone, 'node_modules'), 'junction');
  const port = await freePort();
  address = `http://localhost:${port}`;
  // In a group of its own, as a shell would start it, so that all of it hears Ctrl-C.
  const line = ['run', 'edge', '--', '--port', String(port)];
  edge = spawn('npm', line, {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  browser = await chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] });
  for await (const text of edge.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    printed += text;
    if (printed.includes('curl -X DELETE')) break;
  }
  edge.stdout?.resume();
}, 180_000);

afterAll(async () => {
  if (isRunning()) signal('SIGKILL');
  await browser.close();
  await rm(clone, { recursive: true, force: true });
});

function isRunning(): boolean {
  return edge.exitCode === null && edge.signalCode === null;
}

function signal(name: NodeJS.Signals): void {
  if (edge.pid !== undefined) process.kill(-edge.pid, name);
}

test('what it prints to try does what it says, as it is printed', async () => {
  const lines = printed.split('\n').filter((line) => /^(TOKEN=|curl )/.test(line));
  expect(lines.length).toBeGreaterThan(5);
  const script = lines.map((line) => line.replace(/^curl /, "curl -sS -w '\\n%{http_code}\\n' ")).join('\n');
  const { stdout } = await promisify(execFile)('sh', ['-ec', script]);
  expect(stdout).toContain('"name":"checkout"');
  expect(stdout).toContain('"type":"ended","status":"SUCCEEDED"');
  expect(stdout).toContain('{"status":"SUCCEEDED","value":"order 17 is paid, and sent with label 17"}');
  const statuses = stdout.split('\n').filter((line) => /^\d{3}$/.test(line));
  expect(statuses).toEqual(['200', '202', '200', '200', '200', '204']);
});

test('the page of the demo is there, with all it asks for', async () => {
  const page = await (await fetch(address)).text();
  expect(page).toContain('Fuseline');
  const files = [...page.matchAll(/(?:src|href)="\.?\/?([\w./-]+)"/g)].map(([, file]) => file);
  expect(files).toContain('page.js');
  for (const file of files) expect((await fetch(`${address}/${file}`)).status, file).toBe(200);
});

test('a page dispatches to it, and works for it: the run has steps in its object and a step in the tab', async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(/http\S+#token=\S+/.exec(printed)?.[0] ?? '');
  await page.getByRole('button', { name: 'Order a gift' }).click();
  const run = page.locator('fuseline-run');
  await run.getByRole('option', { name: /^charge succeeded/ }).waitFor();
  await page.getByRole('button', { name: 'Work for the edge' }).click();
  await run.getByRole('option', { name: /^send succeeded/ }).waitFor();
  await run.locator('header').getByText('succeeded', { exact: true }).waitFor();
  const tab = /tab-\d+/.exec((await page.getByRole('status').first().textContent()) ?? '')?.[0] ?? 'none';
  await run.locator('fuseline-timeline').getByText(tab).first().waitFor();
  expect(page.url()).not.toContain('token');
  expect(complaints).toEqual([]);
});

test('Ctrl-C ends all of it', async () => {
  const ended = once(edge, 'close');
  signal('SIGINT');
  await ended;
  await expect(fetch(address)).rejects.toThrow();
});
