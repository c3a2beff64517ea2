import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProcessEngine, typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { afterAll, beforeAll, expect, test } from 'vitest';

const OLD = `
import { typed, workflow } from 'fuseline';
export const order = workflow('order', { version: '1', input: typed<{ id: number }>() }, ($) => {
  const stock = $.step('reserve', { order: $.input }, ({ order }) => order.id);
  const charge = $.step('charge', { stock }, ({ stock }) => stock, { queue: 'money' });
  const route = $.branch('route', { charge }, () => 'road' as const);
  const receipt = $.step('receipt', { charge }, ({ charge }) => charge);
  return $.step('ship', { receipt }, ({ receipt }) => receipt, { after: route.on('road') });
});
`;
const NEW = `
import { typed, workflow } from 'fuseline';
export const order2 = workflow('order', { version: '2', input: typed<{ id: number }>() }, ($) => {
  const stock = $.step('reserve', { request: $.input }, ({ request }) => request.id);
  const charge = $.step('charge', { stock }, ({ stock }) => stock);
  const route = $.branch('route', { charge }, () => 'rail' as const);
  return $.step('ship', { receipt: charge }, ({ receipt }) => receipt, { after: route.on('rail') });
});
export const mail = workflow('mail', { deadline: '1h' }, ($) => $.step('send', {}, () => 2, { retry: 4 }));
`;

/** What `old.ts` exports, for the dispatches of this process. */
const order = workflow('order', { version: '1', input: typed<{ id: number }>() }, ($) => {
  const stock = $.step('reserve', { order: $.input }, ({ order }) => order.id);
  const charge = $.step('charge', { stock }, ({ stock }) => stock, { queue: 'money' });
  const route = $.branch('route', { charge }, () => 'road' as const);
  const receipt = $.step('receipt', { charge }, ({ charge }) => charge);
  return $.step('ship', { receipt }, ({ receipt }) => receipt, { after: route.on('road') });
});
const mail = workflow('mail', ($) => $.step('send', {}, () => 1));
const gone = workflow('gone', ($) => $.step('send', {}, () => 1));

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'fuseline-check-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(resolve('.'), join(project, 'node_modules/fuseline'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'old.ts'), OLD);
  writeFileSync(join(project, 'new.ts'), NEW);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function check(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), 'check', ...args], { cwd: project });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

async function withStorage<T>(name: string, body: (storage: FileStorage) => Promise<T>): Promise<T> {
  const storage = new FileStorage(join(project, name));
  try {
    return await body(storage);
  } finally {
    await storage.close();
  }
}

function bytesOf(name: string): readonly (readonly [string, string])[] {
  return readdirSync(join(project, name)).map((file) => [file, readFileSync(join(project, name, file), 'latin1')]);
}

test('check lists what new code would strand or feed otherwise, step by step, and writes nothing', async () => {
  await withStorage('changed', async (storage) => {
    await order.dispatch({ id: 1 }, { storage, id: 'begun' });
    // The first step is done, and what is done is not judged.
    await new ProcessEngine(order, storage, { queues: ['default'] }).work('begun');
    await mail.dispatch(undefined, { storage, id: 'mail' });
    await gone.dispatch(undefined, { storage, id: 'gone' });
    const ended = await order.dispatch({ id: 2 }, { storage, id: 'ended' });
    await ended.cancel();
  });
  const before = bytesOf('changed');
  const { code, stdout } = await check('new.ts', '--storage', 'changed', '--json');
  expect(code).toBe(3);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ checked: 3, unjudged: [{ id: 'gone', workflow: 'gone', why: 'no-definition' }] });
  expect(report.runs).toMatchObject([
    { id: 'begun', workflow: 'order', version: '1', todo: expect.stringMatching(/version 1/) },
  ]);
  expect(report.runs[0].findings).toMatchObject([
    { effect: 'stranded', step: 'charge', why: expect.stringMatching(/queue "money"/) },
    { effect: 'other-shape', step: 'route', why: expect.stringMatching(/may choose "rail" now/) },
    { effect: 'other-shape', step: 'route', why: expect.stringMatching(/waits for "road"/) },
    { effect: 'stranded', step: 'receipt', why: expect.stringMatching(/no handler/) },
    {
      effect: 'other-shape',
      step: 'ship',
      why: expect.stringMatching(/"receipt" from step "charge" now.* step "receipt"/),
    },
    { effect: 'other-version', why: expect.stringMatching(/version 1 .* version 2/) },
  ]);
  expect(report.runs[0].findings).toHaveLength(6);
  expect(bytesOf('changed')).toEqual(before);

  const table = await check('new.ts', '--storage', 'changed');
  expect(table.code).toBe(3);
  expect(table.stdout).toMatch(/^RUN +WORKFLOW +VERSION +STEPS\nbegun +order +1 +charge, route, receipt, ship\n/);
  expect(table.stdout).toContain('! "receipt" would be stranded: the definition has no handler for it');
  expect(table.stdout).toContain('→ to do: keep the definition of order version 1');
  expect(table.stderr).toContain('3 unfinished runs: 1 would go on as before, 1 would not');
});

test('check finds nothing where the old definition stays beside the new one', async () => {
  await withStorage('beside', (storage) => order.dispatch({ id: 1 }, { storage }));
  expect(await check('old.ts', 'new.ts', '--storage', 'beside')).toMatchObject({ code: 0, stdout: '' });
  expect((await check('new.ts', '--storage', 'beside')).code).toBe(3);
});

test('check looks at more runs than one page holds', async () => {
  await withStorage('many', (storage) =>
    Promise.all(Array.from({ length: 120 }, (_, i) => order.dispatch({ id: i }, { storage, id: `run-${i}` }))),
  );
  const { stdout } = await check('new.ts', '--storage', 'many', '--json');
  const report: { readonly checked: number; readonly runs: readonly { readonly id: string }[] } = JSON.parse(stdout);
  expect(report.checked).toBe(120);
  expect(new Set(report.runs.map(({ id }) => id)).size).toBe(120);
  expect((await check('new.ts', '--storage', 'many')).stdout).toContain('and 110 more');
});

test('check makes no directory, and says so', async () => {
  expect(await check('new.ts', '--storage', 'nowhere')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no storage at "nowhere"/),
  });
  expect(readdirSync(project)).not.toContain('nowhere');
});
