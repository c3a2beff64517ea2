import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProcessEngine, typed, workflow } from 'fuseline';
import { FileStorage, FileStore } from 'fuseline/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './fleet.ts';
import { continueByNewer } from './newer.ts';

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

const check = (...args: readonly string[]) => fuseline('check', ...args);

function fuseline(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), ...args], { cwd: project });
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

const KINDS_OLD = `
import { typed, workflow } from 'fuseline';
export const kinds = workflow('kinds', { input: typed<{ id: number }>() }, ($) => {
  const a = $.step('a', { order: $.input }, ({ order }) => order.id);
  const b = $.step('b', {}, () => 1);
  $.step('takes more', { a }, ({ a }) => a);
  $.step('takes less', { a, b }, ({ a }) => a);
  $.step('was a step', { a }, () => 'x');
  $.branch('was a branch', { a }, () => 'x' as const);
  $.step('loses its fallback', { a }, ({ a }) => a, { fallback: () => 0 });
  $.step('from a step', { value: a }, ({ value }) => value);
  return $.step('as before', { a, b }, ({ a, b }) => a + b);
});
`;
const KINDS_NEW = `
import { typed, workflow } from 'fuseline';
export const kinds = workflow('kinds', { input: typed<{ id: number }>() }, ($) => {
  const a = $.step('a', { order: $.input }, ({ order }) => order.id);
  const b = $.step('b', {}, () => 1);
  $.step('takes more', { a, b }, ({ a, b }) => a + b);
  $.step('takes less', { a }, ({ a }) => a);
  $.branch('was a step', { a }, () => 'x' as const);
  $.step('was a branch', { a }, () => 'x');
  $.step('loses its fallback', { a }, ({ a }) => a);
  $.step('from a step', { value: $.any(a, b) }, ({ value }) => value);
  return $.step('as before', { a, b }, ({ a, b }) => a + b);
});
`;

test('check tells every kind of difference, and nothing of a step that is as before', async () => {
  writeFileSync(join(project, 'kinds-old.ts'), KINDS_OLD);
  writeFileSync(join(project, 'kinds-new.ts'), KINDS_NEW);
  const dispatched = await fuseline('dispatch', 'kinds-old.ts', '--input', '{"id":1}', '--storage', 'kinds');
  expect(dispatched.code).toBe(0);
  const { code, stdout } = await check('kinds-new.ts', '--storage', 'kinds', '--json');
  expect(code).toBe(3);
  const [run] = JSON.parse(stdout).runs as {
    readonly findings: readonly { readonly step: string; readonly why: string }[];
  }[];
  expect(run?.findings).toMatchObject([
    {
      effect: 'other-shape',
      step: 'takes more',
      why: expect.stringMatching(/takes "b" now, which the run does not give/),
    },
    { effect: 'other-shape', step: 'takes less', why: expect.stringMatching(/no longer takes "b"/) },
    { effect: 'other-shape', step: 'was a step', why: expect.stringMatching(/hands back a road/) },
    { effect: 'other-shape', step: 'was a branch', why: expect.stringMatching(/chooses none/) },
    { effect: 'stranded', step: 'loses its fallback', why: expect.stringMatching(/no fallback for it any more/) },
    { effect: 'other-shape', step: 'from a step', why: expect.stringMatching(/from any of step "a", step "b" now/) },
  ]);
  expect(run?.findings).toHaveLength(6);
});

test('check leaves live workers alone, judges what they hold, and passes by what a newer version has continued', async () => {
  await withStorage('live', async (storage) => {
    let finish = (_: number): void => undefined;
    const value = new Promise<number>((resolve) => {
      finish = resolve;
    });
    const held = workflow('order', { version: '1', input: typed<{ id: number }>() }, ($) =>
      $.step('reserve', { order: $.input }, () => value),
    );
    await mail.dispatch(undefined, { storage, id: 'newer' });
    const store = new FileStore(join(project, 'live'));
    await continueByNewer(store, 'newer');
    const engine = new ProcessEngine(held, storage);
    await engine.start();
    const run = await held.dispatch({ id: 1 }, { storage, id: 'held' });
    const claimed = () => run.get().then(({ steps }) => steps[0]?.status === 'RUNNING' || undefined);
    await until(claimed, 'the claim');
    const rows = async () =>
      (await store.scan({ from: ' ', to: '~' })).filter(({ key }) => !key.startsWith('session/'));
    const before = await rows();
    const { code, stdout } = await check('new.ts', '--storage', 'live', '--json');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      checked: 2,
      runs: [{ id: 'held', findings: [{ step: 'reserve' }, { step: 'reserve' }, { effect: 'other-version' }] }],
      unjudged: [{ id: 'newer', workflow: 'mail', why: 'newer' }],
    });
    expect(await rows()).toEqual(before);
    finish(5);
    expect(await run.result()).toBe(5);
    await engine.stop();
    await store.close();
    // What has ended is not judged, and what nobody can judge lists no run.
    const after = await check('new.ts', '--storage', 'live');
    expect(after).toMatchObject({ code: 0, stderr: expect.stringMatching(/1 run that a newer version/) });
  });
});

test('check makes no directory, and says so', async () => {
  expect(await check('new.ts', '--storage', 'nowhere')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no storage at "nowhere"/),
  });
  expect(readdirSync(project)).not.toContain('nowhere');
});
