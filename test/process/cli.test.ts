import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const MAIN = resolve('dist/cli/main.js');

/** Steps wait for a file to appear, so that a test decides how long they take. */
const WORKFLOWS = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { typed, workflow } from 'fuseline';

const gate = async (file: string): Promise<void> => { while (!existsSync(file)) await sleep(5); };

export const order = workflow('order', { input: typed<{ id: number }>() }, ($) => {
  const stock = $.step('reserve', { order: $.input }, ({ order }) => { console.log('printed by a step'); return order.id; });
  return $.step('charge', { stock }, ({ stock }, { attempt }) => {
    if (attempt === 1) throw new Error('card\\u001b[31m declined');
    return { stock, at: new Date(0) };
  }, { retry: { attempts: 2, base: 300, jitter: 'none' } });
});
export const gated = workflow('gated', { input: typed<{ gate: string }>() }, ($) => {
  const open = $.step('open', { wait: $.input }, async ({ wait }) => { await gate(wait.gate); return process.pid; });
  return $.step('after\\u001b[2J', { open }, ({ open }) => open);
});
export const failing = workflow('failing', ($) => $.step('boom', {}, () => { throw new Error('no luck'); }));
export const elsewhere = workflow('elsewhere', ($) => $.step('far', {}, () => 1, { queue: 'far' }));
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once stdout or stderr has the text. */
  has(text: string): Promise<void>;
}

let project: string;
let storage: string;
const running = new Set<ChildProcess>();

function start(args: readonly string[], { stdin }: { readonly stdin?: string } = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: project,
    env: { ...process.env, FUSELINE_STORAGE: storage, DEBUG: '' },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const look = (): void => waiting.forEach((one) => one());
  child.stdout.on('data', (data) => {
    stdout += data;
    look();
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    look();
  });
  child.stdin.end(stdin);
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
      look();
    }),
  );
  return {
    child,
    ended,
    has: (text) =>
      new Promise((resolve, reject) => {
        const one = (): void => {
          if ((stdout + stderr).includes(text)) resolve();
          else if (running.has(child)) return;
          else reject(new Error(`ended without ${JSON.stringify(text)}:\n${stdout}\n${stderr}`));
          waiting.delete(one);
        };
        waiting.add(one);
        one();
      }),
  };
}

const cli = (...args: readonly string[]): Promise<Ended> => start(args).ended;
const readJson = ({ stdout }: Ended): never => JSON.parse(stdout) as never;
const readLines = ({ stdout }: Ended): { event: string; worker: string; step?: string; attempts?: number }[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'fuseline-cli-'));
  await mkdir(join(project, 'node_modules'));
  await symlink(resolve('.'), join(project, 'node_modules/fuseline'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'all.ts'), WORKFLOWS);
  await writeFile(join(project, 'order.ts'), `export { order } from './all.ts';`);
  await writeFile(join(project, 'gated.ts'), `export { gated } from './all.ts';`);
  await writeFile(join(project, 'failing.ts'), `export { failing } from './all.ts';`);
  await writeFile(join(project, 'elsewhere.ts'), `export { elsewhere } from './all.ts';`);
  await writeFile(
    join(project, 'renamed.ts'),
    `import { workflow } from 'fuseline';
     export const elsewhere = workflow('elsewhere', ($) => $.step('near', {}, () => 1, { queue: 'far' }));`,
  );
  await writeFile(join(project, 'none.ts'), 'export const nothing = 1;');
  await writeFile(join(project, 'broken.ts'), `throw new Error('top level');`);
});
beforeEach(async () => {
  storage = await mkdtemp(join(project, 'runs-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => rm(project, { recursive: true }));

describe('fuseline run', () => {
  test('prints the result alone on stdout, what happened on stderr, and ends with 0', async () => {
    const { code, stdout, stderr } = await cli('run', 'order.ts', '--input', '{"id":17}', '--id', 'o1');
    expect(code).toBe(0);
    expect(stdout).toBe('printed by a step\n{"stock":17,"at":"1970-01-01T00:00:00.000Z"}\n');
    expect(stderr).toMatch(/SUCCEEDED {2}reserve/);
    expect(stderr).toMatch(/SUCCEEDED {2}charge .*attempt 2/);
  });

  test('with --json keeps stdout to one document, whatever the steps print', async () => {
    expect(readJson(await cli('run', 'order.ts', '--input', '{"id":1}', '--id', 'o1', '--json'))).toEqual({
      id: 'o1',
      workflow: 'order',
      status: 'SUCCEEDED',
      result: { stock: 1, at: '1970-01-01T00:00:00.000Z' },
    });
  });

  test('takes its input from a file and from stdin', async () => {
    await writeFile(join(project, 'input.json'), '{"id":2}');
    expect(readJson(await cli('run', 'order.ts', '--input', '@input.json', '--json'))).toMatchObject({
      result: { stock: 2 },
    });
    const piped = start(['run', 'order.ts', '--input', '-', '--json'], { stdin: '{"id":3}' });
    expect(readJson(await piped.ended)).toMatchObject({ result: { stock: 3 } });
  });

  test('hands back the recorded result when the same id is run again, with or without the input', async () => {
    const first = await cli('run', 'order.ts', '--input', '{"id":4}', '--id', 'o4', '--json');
    const again = await cli('run', 'order.ts', '--id', 'o4', '--json');
    expect(again.stdout).toBe(first.stdout);
    expect(again.stderr).not.toContain('printed by a step');
  });

  test('refuses another input for the same id with 2', async () => {
    await cli('run', 'order.ts', '--input', '{"id":4}', '--id', 'o4');
    const { code, stderr } = await cli('run', 'order.ts', '--input', '{"id":5}', '--id', 'o4');
    expect([code, stderr]).toEqual([2, expect.stringContaining('(INPUT_MISMATCH)')]);
  });

  test('ends with 1 when the run failed, and names the step', async () => {
    const { code, stderr } = await cli('run', 'failing.ts', '--id', 'f1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('run f1 failed: step "boom", attempt 1: no luck')]);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect((await cli('run', 'failing.ts', '--id', 'f1', '--verbose')).stderr).toMatch(/^\s+at .*all\.ts/m);
    expect(readJson(await cli('run', 'failing.ts', '--id', 'f1', '--json'))).toMatchObject({
      id: 'f1',
      status: 'FAILED',
      error: { code: 'RUN_FAILED', failures: [{ step: 'boom', attempt: 1, error: { message: 'no luck' } }] },
    });
  });

  test.for([
    ['a file that is not there', ['run', 'missing.ts'], 'there is no file "missing.ts"'],
    ['a file without a workflow', ['run', 'none.ts'], 'exports no workflow'],
    ['a file that throws', ['run', 'broken.ts'], 'Error: top level'],
    ['several workflows and no --workflow', ['run', 'all.ts'], 'choose one with --workflow'],
    ['a workflow that is not there', ['run', 'all.ts', '--workflow', 'nope'], 'no workflow "nope"'],
    ['input that is not JSON', ['run', 'order.ts', '--input', '{id'], 'is not JSON'],
    ['an id that cannot be one', ['run', 'order.ts', '--input', '{}', '--id', 'a b'], '(INVALID_ID)'],
    ['an option that does not exist', ['run', 'order.ts', '--nope'], "unknown option '--nope'"],
    ['a command that does not exist', ['nope'], "unknown command 'nope'"],
    ['a run that is not there', ['show', 'nope'], '(UNKNOWN_RUN)'],
    ['a storage that is not there', ['ls', '--storage', 'nowhere'], 'there is no storage at "nowhere"'],
  ] as const)('%s is bad usage: 2, one sentence, no stack', async ([, args, sentence]) => {
    const { code, stderr } = await cli(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('an error is one JSON document where --json was asked for', async () => {
    expect(readJson(await cli('show', 'nope', '--json'))).toMatchObject({ error: { code: 'UNKNOWN_RUN' } });
  });

  test('a storage that cannot be used is 4', async () => {
    await writeFile(join(project, 'a-file'), '');
    const { code, stderr } = await cli('run', 'failing.ts', '--storage', 'a-file');
    expect([code, stderr]).toEqual([4, expect.stringMatching(/\(STORAGE_\w+\)/)]);
  });

  test('a step that no live worker can handle is stranded: 3, and the sentence names it', async () => {
    await cli('dispatch', 'elsewhere.ts', '--id', 'e1');
    const worked = await cli('work', 'renamed.ts');
    expect([worked.code, worked.stderr]).toEqual([
      3,
      expect.stringMatching(/STRANDED {2}e1: Step "far" is ready, but/),
    ]);
    expect(readLines(await cli('work', 'renamed.ts', '--json')).at(-1)).toMatchObject({
      event: 'done',
      stranded: [{ run: 'e1', step: 'far' }],
    });
    const run = await cli('run', 'renamed.ts', '--id', 'e1');
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('Step "far" is ready, but')]);
    expect((await cli('work', 'elsewhere.ts')).code).toBe(0);
  });

  test('Ctrl-C once lets the step under way finish, ends with 130 and says how to go on', async () => {
    const gate = join(storage, 'gate');
    const args = ['run', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'g1'];
    const first = start(args);
    await first.has('RUNNING    open');
    first.child.kill('SIGINT');
    await first.has('draining');
    await writeFile(gate, '');
    const { code, stderr } = await first.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/SUCCEEDED {2}open/);
    expect(stderr).toContain('npx fuseline run gated.ts --id g1');
    const again = await cli('run', 'gated.ts', '--id', 'g1', '--json');
    expect(readJson(again)).toMatchObject({ status: 'SUCCEEDED', result: first.child.pid });
  });

  test('Ctrl-C twice leaves at once with 130, and the next run takes the step over', async () => {
    const gate = join(storage, 'gate');
    const first = start(['run', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'g2']);
    await first.has('RUNNING    open');
    const pressing = setInterval(() => first.child.kill('SIGINT'), 50);
    const { code, stderr } = await first.ended;
    clearInterval(pressing);
    expect(code).toBe(130);
    expect(stderr).toContain('To go on: npx fuseline run gated.ts --id g2');
    await writeFile(gate, '');
    const again = start(['run', 'gated.ts', '--id', 'g2', '--json']);
    expect(readJson(await again.ended)).toMatchObject({ status: 'SUCCEEDED', result: again.child.pid });
  });

  test('one press of Ctrl-C that arrives twice drains all the same', async () => {
    const gate = join(storage, 'gate');
    const one = start(['run', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'g3']);
    await one.has('RUNNING    open');
    one.child.kill('SIGINT');
    one.child.kill('SIGTERM');
    await one.has('draining');
    await writeFile(gate, '');
    expect((await one.ended).stderr).toMatch(/SUCCEEDED {2}open/);
  });
});

describe('fuseline dispatch and work', () => {
  test('dispatch prints the id and executes nothing; the same id again finds the run there is', async () => {
    const args = ['dispatch', 'order.ts', '--input', '{"id":7}', '--id', 'd1', '--label', 'shop=a'];
    expect(await cli(...args)).toMatchObject({ code: 0, stdout: 'd1\n' });
    expect(readJson(await cli(...args, '--json'))).toEqual({ id: 'd1', workflow: 'order', status: 'PENDING' });
  });

  test('dispatch makes an id where none is given', async () => {
    const { stdout } = await cli('dispatch', 'failing.ts');
    expect(readJson(await cli('show', stdout.trim(), '--json'))).toMatchObject({ workflow: 'failing' });
  });

  test('work ends with 0 when nothing is left, retries included', async () => {
    await cli('dispatch', 'order.ts', '--input', '{"id":7}', '--id', 'd1');
    const ended = await cli('work', 'all.ts', '--json');
    expect(ended.code).toBe(0);
    const lines = readLines(ended);
    expect(lines.at(-1)).toMatchObject({ event: 'done', attempts: 3, stranded: [] });
    expect(lines.filter(({ event }) => event === 'finished')).toHaveLength(3);
    expect(readJson(await cli('show', 'd1', '--json'))).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a killed worker loses its step to another process', async () => {
    const gate = join(storage, 'gate');
    await cli('dispatch', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'k1');
    const first = start(['work', 'gated.ts']);
    await first.has('RUNNING    k1  open');
    const second = start(['work', 'gated.ts', '--stay']);
    first.child.kill('SIGKILL');
    await second.has('RUNNING    k1  open');
    await writeFile(gate, '');
    await second.has('SUCCEEDED  k1  after');
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(readJson(await cli('show', 'k1', '--json'))).toMatchObject({ result: second.child.pid });
  });

  test('--processes starts workers of their own, and one that dies is started again', async () => {
    const gate = join(storage, 'gate');
    await cli('dispatch', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'p1');
    const all = start(['work', 'gated.ts', '--processes', '2']);
    await all.has('RUNNING    p1  open');
    const view = readJson(await cli('show', 'p1', '--json')) as { steps: { workerName: string }[] };
    const pid = Number(view.steps[0]?.workerName.replace('pid-', ''));
    expect(pid).not.toBe(all.child.pid);
    process.kill(pid, 'SIGKILL');
    await all.has(`worker pid-${pid} died (SIGKILL); another one starts`);
    await writeFile(gate, '');
    expect((await all.ended).code).toBe(0);
    const after = readJson(await cli('show', 'p1', '--json')) as { status: string; result: number };
    expect(after.status).toBe('SUCCEEDED');
    expect([pid, all.child.pid]).not.toContain(after.result);
  });

  test('Ctrl-C reaches the workers of a supervisor: once drains them, twice leaves none behind', async () => {
    const gate = join(storage, 'gate');
    await cli('dispatch', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'p2');
    const args = ['work', 'gated.ts', '--processes', '2'];
    const twice = start(args);
    await twice.has('RUNNING    p2  open');
    const pressing = setInterval(() => twice.child.kill('SIGINT'), 50);
    // It has ended when nobody, its workers included, holds its output any more.
    expect((await twice.ended).code).toBe(130);
    clearInterval(pressing);

    const once = start(args);
    await once.has('RUNNING    p2  open');
    once.child.kill('SIGINT');
    await once.has('draining');
    await once.has('every worker has heard it: nothing new begins');
    await writeFile(gate, '');
    const { code, stderr } = await once.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('SUCCEEDED  p2  open');
    expect(stderr).not.toContain('SUCCEEDED  p2  after');
  });
});

describe('fuseline ls and show', () => {
  test('ls lists newest first, and filters', async () => {
    await cli('dispatch', 'order.ts', '--input', '{"id":1}', '--id', 'first', '--label', 'shop=a');
    await cli('run', 'failing.ts', '--id', 'second');
    const ids = async (...args: readonly string[]): Promise<readonly string[]> =>
      (readJson(await cli('ls', '--json', ...args)) as { runs: { id: string }[] }).runs.map(({ id }) => id);
    expect(await ids()).toEqual(['second', 'first']);
    expect(await ids('--limit', '1')).toEqual(['second']);
    expect(await ids('--workflow', 'order')).toEqual(['first']);
    expect(await ids('--status', 'FAILED', 'CANCELLED')).toEqual(['second']);
    expect(await ids('--label', 'shop=a')).toEqual(['first']);
    expect(await ids('--label', 'shop=b')).toEqual([]);
    const { stdout } = await cli('ls');
    expect(stdout).toMatch(
      /^ID .*\nsecond .*✗ FAILED.*\nfirst .*○ PENDING.*\n.*waits for a worker; none is running\n$/,
    );
    expect(stdout).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  });

  test('show says of every step how it is, who has it and what it waits for', async () => {
    const gate = join(storage, 'gate');
    const worker = start(['run', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 's1']);
    await worker.has('RUNNING    open');
    const { stdout } = await cli('show', 's1');
    expect(stdout).toMatch(/open +● RUNNING +1 +.* +pid-\d+/);
    expect(stdout).toContain('waits for step "open" (running)');
    await writeFile(gate, '');
    await worker.ended;
    const after = (await cli('show', 's1')).stdout;
    expect(after).toMatch(/open +✓ SUCCEEDED +1/);
    expect(after).toMatch(new RegExp(`RESULT\\n${worker.child.pid}\\n$`));
  });

  test('names and errors cannot reach the terminal with control characters', async () => {
    const gate = join(storage, 'gate');
    await writeFile(gate, '');
    const shown = [
      await cli('run', 'gated.ts', '--input', JSON.stringify({ gate }), '--id', 'c1'),
      await cli('run', 'order.ts', '--input', '{"id":1}', '--id', 'c2'),
      await cli('show', 'c1'),
      await cli('show', 'c1', '--json'),
      await cli('show', 'c2'),
      await cli('ls'),
    ];
    for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toContain('\u001b');
    expect(shown[2]?.stdout).toContain('after\\u001b[2J');
    expect(shown[1]?.stderr).toContain('card\\u001b[31m declined');
  });
});

test('every command explains its exit codes, in 80 columns', async () => {
  const names = (await cli('--help')).stdout.match(/(?<=^ {2})[a-z]+\b/gm) ?? [];
  expect(names).toEqual(expect.arrayContaining(['run', 'work', 'show', 'enqueue', 'graph']));
  const helps = await Promise.all([cli('--help'), ...names.map((name) => cli(name, '--help'))]);
  for (const { code, stdout } of helps) {
    expect(code).toBe(0);
    for (const exit of [0, 1, 2, 3, 4, 130]) expect(stdout).toMatch(new RegExp(`^ {2}${exit} +\\w`, 'm'));
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  }
});
