import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProcessEngine, typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { Hono } from 'hono';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';
import { violations } from '../violations.ts';

const MAIN = resolve('dist/cli/main.js');
const TOKENS = { FUSELINE_CLIENT_TOKEN: 'client-0123456789', FUSELINE_ADMIN_TOKEN: 'admin-0123456789' };

const order = workflow('order', ($) => {
  const charge = $.step('charge', {}, (_, { runId }) => {
    if (runId.startsWith('bad')) throw new Error(`<img src=x onerror=alert(1)> ${runId}`);
    return { paid: 12 };
  });
  return $.step('mail', { charge }, () => 'sent');
});
const endless = workflow('endless', ($) =>
  $.step('wait', {}, (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject))),
);

const approval = workflow('approval', ($) => {
  const draft = $.step('draft', {}, async (_, { emit }) => {
    await emit('<i>dear</i> Ann');
    await emit({ draft: 2 });
  });
  const nap = $.sleep('nap', '3d', { after: draft });
  const answer = $.waitFor('answer', typed<unknown>(), { after: draft });
  $.loop('polish', answer, () => 'done', { until: () => true, every: '1h' });
  return $.any(answer, nap);
});

let home: string;
let directory: string;
let storage: FileStorage;
let engine: ProcessEngine;
let browser: Browser;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'fuseline-ui-'));
  directory = join(home, 'runs');
  storage = new FileStorage(directory);
  for (const id of ['good-1', 'good-2', 'good-3', 'bad-1', 'bad-2']) await order.dispatch(undefined, { storage, id });
  engine = new ProcessEngine([order, endless, approval], storage, { name: 'worker-a' });
  await engine.work();
  await endless.dispatch(undefined, { storage, id: 'under-way' });
  await engine.start();
  browser = await chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs] });
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  for (const child of children) child.kill('SIGKILL');
});
afterAll(async () => {
  await browser.close();
  await engine.stop();
  await storage.close();
  await rm(home, { recursive: true, force: true });
});

/** A command that listens, and where. */
async function started(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args, '--port', '0', '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const ended = once(child, 'exit').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  const [line] = await once(child.stdout, 'data');
  return { child, ended, address: (JSON.parse(String(line)) as { readonly address: string }).address };
}

interface Look {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, refusals of its policy. */
  readonly complaints: readonly string[];
}

async function look(address: string, width = 1440): Promise<Look> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  await context.addInitScript(countShifts);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('dialog', () => complaints.push('a dialog'));
  await page.goto(address);
  return { page, context, complaints };
}

interface Counting {
  shifted: number;
}

/** Sums up how far what was on the page moved, without anybody having done anything. */
function countShifts(): void {
  const counting = globalThis as unknown as Counting;
  counting.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
      if (!entry.hadRecentInput) counting.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}

const LOOKS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'dark', forcedColors: 'active' },
} as const;

async function expectNoViolations(page: Page, ...looks: readonly (keyof typeof LOOKS)[]): Promise<void> {
  for (const [i, look] of looks.entries()) {
    await page.emulateMedia(LOOKS[look]);
    expect(await violations(page, i === 0 ? 'all' : 'colours'), look).toEqual([]);
  }
}

test('a directory: its runs are listed, filtered, looked into and cancelled by keyboard', async () => {
  const { address, child, ended } = await started(['ui', directory]);
  const { page, complaints } = await look(address);
  await page.getByText('6 runs, newest first.').waitFor();
  expect(await page.getByRole('option').locator('.name').allTextContents()).toContain('under-way');

  await page.getByLabel('Status').selectOption('succeeded');
  await page.getByText('3 runs, newest first.').waitFor();
  await page.getByRole('option', { name: 'good-2' }).click();
  await page.locator('fuseline-graph').getByText('mail').first().waitFor();
  await page.locator('fuseline-timeline').getByText('worker-a').first().waitFor();
  await page.locator('fuseline-run').getByText('Run good-2 succeeded.').waitFor();
  expect(await page.evaluate(() => location.hash)).toBe('#run=good-2&status=SUCCEEDED');
  expect(await page.evaluate(() => (globalThis as unknown as Counting).shifted)).toBe(0);
  await expectNoViolations(page, 'light', 'dark');

  await page.getByLabel('Status').selectOption('any status');
  await page.keyboard.press('Escape');
  await page.locator('#runs').focus();
  await page.keyboard.press('/');
  await page.keyboard.type('under');
  await page.getByText('1 run, newest first.').waitFor();
  for (const key of ['Tab', 'Tab', 'Tab', 'ArrowDown']) await page.keyboard.press(key);
  await page.locator('fuseline-run').getByRole('heading', { name: 'under-way' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('cancel');
  await page.keyboard.press('Enter');
  await page.locator('fuseline-run header').getByText('cancelled', { exact: true }).waitFor();
  expect(await storage.status('under-way')).toBe('CANCELLED');

  expect(complaints).toEqual([]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('failed runs are grouped by what they failed of, and what that says is text', async () => {
  const { address } = await started(['ui', directory]);
  const { page, complaints } = await look(`${address}#view=failures`);
  await page.locator('#failures summary').click();
  expect(await page.locator('#failures summary').textContent()).toMatch(
    /2.*charge.*<img src=x onerror=alert\(1\)> bad-2/s,
  );
  await page.locator('#failures').getByRole('button', { name: 'bad-1' }).click();
  await page.locator('fuseline-run').getByText('Run bad-1 failed').waitFor();
  await expectNoViolations(page, 'dark', 'forced', 'light');
  expect(complaints).toEqual([]);
});

test('on a narrow screen a run takes the place of the list, and Back leads to it again', async () => {
  const { address } = await started(['ui', directory]);
  const { page, complaints } = await look(address, 360);
  await page.getByRole('option', { name: 'good-1' }).click();
  await page.getByRole('tab', { name: 'Journal' }).click();
  expect(await page.locator('#runs').isVisible()).toBe(false);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await expectNoViolations(page, 'light');
  await page.goBack();
  await page.getByRole('option', { name: 'good-1' }).waitFor();
  await expectNoViolations(page, 'dark');
  expect(complaints).toEqual([]);
});

test('a service: the page asks for a token, only looks with a client’s, and commands with an admin’s', async () => {
  const flows = resolve('test/routes/flows.ts');
  const service = await started(['serve', directory, flows, '--no-work'], TOKENS);
  const { address } = await started(['ui', service.address]);
  const { page } = await look(address);
  const enter = async (token: string) => {
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
  };
  const fromElsewhere = { headers: { origin: 'https://elsewhere.example' } };
  expect((await fetch(new URL('/runs', address), fromElsewhere)).status).toBe(401);
  await page.getByText('wants to know who looks').waitFor();
  await expectNoViolations(page, 'forced');
  await enter('client-0000000000');
  await page.getByText('does not know this token').waitFor();
  await enter(TOKENS.FUSELINE_CLIENT_TOKEN);
  await page.getByRole('option', { name: 'good-1' }).click();
  await page.locator('fuseline-run').getByText('Run good-1 succeeded.').waitFor();
  await page.getByText('Read only: a client token only looks here').waitFor();
  expect(await page.locator('[data-command=rerun]').isDisabled()).toBe(true);

  const open = await started(['ui', service.address, '--token', TOKENS.FUSELINE_ADMIN_TOKEN]);
  await page.goto(`${open.address}#run=bad-1`);
  await page.locator('[data-command=retry]:enabled').click();
  await expect
    .poll(async () => (await storage.export('bad-1')).entries.flatMap(({ events }) => events.map(({ type }) => type)), {
      timeout: 20_000,
    })
    .toContain('rerun');
  service.child.kill('SIGKILL');
  await service.ended;
  const away = await fetch(new URL('/runs', address));
  expect(away.status).toBe(503);
  expect(await away.json()).toMatchObject({
    error: { code: 'UNAVAILABLE', message: expect.stringContaining(service.address) },
  });
});

test('the page stands wherever it is mounted, may ask nobody but the routes, and what it is called is text', async () => {
  const { ui } = (await import(resolve('dist/ui/index.js'))) as typeof import('fuseline/ui');
  const app = new Hono().route('/deep/ui', ui({ runs: 'https://edge.example/api', title: '<b>"runs"</b>' }));
  expect((await app.request('/deep/ui')).headers.get('location')).toBe('/deep/ui/');
  const page = await app.request('/deep/ui/');
  expect(await page.text()).toContain('content="&#60;b&#62;&#34;runs&#34;&#60;/b&#62;"');
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self';.* connect-src 'self' https:\/\/edge.example;.* require-trusted-types-for 'script'/,
  );
  expect((await app.request('/deep/ui/page.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  for (const name of ['constructor', 'nothing.js']) expect((await app.request(`/deep/ui/${name}`)).status).toBe(404);
});

test('a step that waits for a signal is sent one from its form, where keys are no commands', async () => {
  await approval.dispatch(undefined, { storage, id: 'waits-1' });
  const { address } = await started(['ui', directory]);
  const { page, complaints } = await look(`${address}#run=waits-1&step=answer`);
  await page.getByText('It waits for signal answer.').waitFor();
  await page.getByRole('option', { name: /^answer waits for a signal awaiting signal answer/ }).waitFor();
  await page.getByRole('option', { name: /^nap sleep sleeping until \d/ }).waitFor();
  await expectNoViolations(page, 'light', 'dark', 'forced');
  const payload = page.getByLabel('What it brings, as JSON');
  await payload.pressSequentially('"fr/l');
  await page.getByRole('button', { name: 'Send signal answer' }).click();
  await page.getByText('This is not JSON').waitFor();
  expect(await page.evaluate(() => location.hash)).toBe('#run=waits-1&step=answer');
  await payload.press('End');
  await payload.pressSequentially('"');
  await page.getByRole('button', { name: 'Send signal answer' }).click();
  await page.locator('.step').getByText('succeeded', { exact: true }).first().waitFor();
  expect(await storage.stepResult('waits-1', 'answer')).toBe('fr/l');
  await page.getByRole('option', { name: /^draft/ }).click();
  await page.getByRole('group', { name: 'Emitted' }).getByText('<i>dear</i> Ann').waitFor();
  await expectNoViolations(page, 'light', 'dark', 'forced');
  expect(complaints).toEqual([]);
});
