import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { FileStore } from 'fuseline/node';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { continueByNewer } from './newer.ts';

const MAIN = resolve('dist/cli/main.js');

/** A body waits for a file to appear; steps have the names users should not choose. */
const WORKFLOWS = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { typed, workflow } from 'fuseline';

export const patient = workflow('patient', ($) => {
  const talk = $.step('talk', {}, async (_, { emit, attempt }) => {
    await emit('hello\\nyou');
    await emit({ attempt });
    if (attempt === 1) throw new Error('once more');
  }, { retry: { attempts: 2, base: 1 } });
  const count = $.loop('count', $.step('zero', {}, () => 0), (n) => n + 1, { until: (n) => n === 3 });
  const nap = $.sleep('nap', '3d', { after: [talk, count] });
  $.sleepUntil('years', {}, () => Date.now() + 1e12);
  const answer = $.waitFor('answer', typed<string>(), { signal: 'approved', timeout: '2h', after: count });
  return $.step('end', { answer }, ({ answer }) => answer, { after: nap });
});
export const rests = workflow('rests', ($) => {
  const count = $.loop('count', $.step('zero', {}, () => 0), (n) => n + 1, { until: (n) => n === 2, every: 5 });
  const nap = $.sleep('nap', 5, { after: count });
  return $.waitFor('answer', typed<string>(), { after: nap, timeout: 5, fallback: () => 'none' });
});
const gate = async (file: string, signal: AbortSignal): Promise<void> => {
  while (!existsSync(file)) { signal.throwIfAborted(); await sleep(5); }
};
export const gated = workflow('gated', { input: typed<{ gate: string }>() }, ($) => {
  const open = $.step('open', { wait: $.input }, async ({ wait }, { signal }) => {
    signal.addEventListener('abort', () => console.log('aborted in ' + process.pid));
    await gate(wait.gate, signal);
    return 'opened';
  });
  return $.step('after', { open }, ({ open }) => open);
});
export const striding = workflow('striding', { input: typed<{ gate: string }>() }, ($) =>
  $.step('stride', { wait: $.input }, async ({ wait }, { heartbeat, signal }) => {
    heartbeat({ done: 1, of: 2, text: 'x\\n'.repeat(100) });
    await gate(wait.gate, signal);
  }),
);
export const deaf = workflow('deaf', { input: typed<{ gate: string }>() }, ($) =>
  $.step('waits', { wait: $.input }, async ({ wait }, { signal }) => {
    signal.addEventListener('abort', () => console.log('aborted in ' + process.pid));
    await gate(wait.gate, new AbortController().signal);
  }),
);
export const fragile = workflow('fragile', { input: typed<{ gate: string }>() }, ($) => {
  const safe = $.step('safe', {}, () => 1);
  return $.step('breaks', { safe, wait: $.input }, ({ wait }) => {
    if (!existsSync(wait.gate)) throw new Error('no gate');
    return 'mended';
  });
});
export const wordy = workflow('wordy', ($) =>
  $.step('explains', {}, () => {
    throw new Error('the order cannot be sent, because nobody is there who could pack it, and nothing-of-it-is-broken');
  }),
);
export const forked = workflow('forked', ($) => {
  const pick = $.branch('pick', {}, () => 'left');
  const left = $.step('left\\n"]; x', {}, () => 'l', { after: pick.on('left') });
  const right = $.step('__proto__', {}, () => 'r', { after: pick.on('right') });
  return $.any(left, right);
});
const parcel = workflow('parcel', { input: typed<{ what: string }>() }, ($) =>
  $.waitFor('address', typed<string>(), { after: $.step('pack', { order: $.input }, () => 1) }),
);
export const ordering = workflow('ordering', ($) => {
  const order = $.step('order', {}, () => ({ what: 'book' }));
  return $.run('shipping', parcel, order, { timeout: '3h' });
});
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let project: string;
let storage: string;

function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, {
    cwd: project,
    env: { ...process.env, FUSELINE_STORAGE: storage, DEBUG: '', TERM: 'xterm-256color', NO_COLOR: '' },
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const one of waiting) one();
  };
  child.stdout.on('data', (data) => {
    stdout += data;
    look();
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    look();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
      look();
    });
  });
  const has = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const one = (): void => {
        if ((stdout + stderr).includes(text)) resolve();
        else if (child.exitCode === null) return;
        else reject(new Error(`ended without ${JSON.stringify(text)}:\n${stdout}\n${stderr}`));
        waiting.delete(one);
      };
      waiting.add(one);
      one();
    });
  return { child, ended, has };
}

const fuseline = (...args: readonly string[]) => start(process.execPath, [MAIN, ...args]);
const cli = (...args: readonly string[]): Promise<Ended> => fuseline(...args).ended;
const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse((await cli(...args, '--json')).stdout);
const gateIn = () => {
  const gate = join(storage, 'gate');
  return { open: () => writeFile(gate, ''), input: JSON.stringify({ gate }) };
};

// `script` gives a command a terminal of its own; it is part of util-linux.
const hasScript = spawnSync('script', ['-V']).stdout?.includes('util-linux') ?? false;
const onTerminal = (command: string) => start('script', ['-qec', `stty cols 80 rows 24; exec ${command}`, '/dev/null']);

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'fuseline-cli-'));
  await mkdir(join(project, 'node_modules'));
  await symlink(resolve('.'), join(project, 'node_modules/fuseline'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'all.ts'), WORKFLOWS);
});
beforeEach(async () => {
  storage = await mkdtemp(join(project, 'runs-'));
});
afterAll(() => rm(project, { recursive: true }));

describe('while a worker is at work', () => {
  test('cancel aborts the body in the other process, and a second cancel finds it done', async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'gated', '--input', gateIn().input, '--id', 'c1');
    const worker = fuseline('work', 'all.ts', '--stay');
    await worker.has('RUNNING    c1  open');
    const cancelled = await cli('cancel', 'c1');
    expect(cancelled).toMatchObject({ code: 0, stdout: '⊘ CANCELLED  c1\n' });
    expect(cancelled.stderr).toContain('npx fuseline retry --storage');
    await worker.has(`aborted in ${worker.child.pid}`);
    expect(await json('cancel', 'c1')).toEqual({ id: 'c1', workflow: 'gated', status: 'CANCELLED' });
    expect(await cli('pause', 'c1')).toMatchObject({ code: 2, stderr: expect.stringContaining('(RUN_FINISHED)') });
  });

  test('rm of a run it has just been told is cancelled leaves it quiet', async () => {
    const { open, input } = gateIn();
    await cli('dispatch', 'all.ts', '--workflow', 'deaf', '--input', input, '--id', 'x1');
    const worker = fuseline('work', 'all.ts', '--stay');
    await worker.has('RUNNING    x1  waits');
    await cli('cancel', 'x1');
    await worker.has(`aborted in ${worker.child.pid}`);
    expect((await cli('rm', 'x1')).code).toBe(0);
    await open();
    worker.child.kill('SIGINT');
    const { code, stderr } = await worker.ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/error|no run/i);
  });

  test('a paused run lets what is under way finish and starts nothing more until it is resumed', async () => {
    const { open, input } = gateIn();
    await cli('dispatch', 'all.ts', '--workflow', 'gated', '--input', input, '--id', 'p1');
    const worker = fuseline('work', 'all.ts', '--stay');
    await worker.has('RUNNING    p1  open');
    expect(await cli('pause', 'p1', '--id', 'once')).toMatchObject({ code: 0, stdout: '‖ PAUSED  p1\n' });
    await open();
    await worker.has('SUCCEEDED  p1  open');
    expect(await json('why', 'p1', 'after')).toMatchObject({
      status: 'PENDING',
      explain: 'Step "after" is ready, and waits for its paused run to be resumed.',
    });
    expect((await cli('resume', 'p1')).code).toBe(0);
    await worker.has('SUCCEEDED  p1  after');
    // A command is known by its id: given again, it changes nothing, not even what came after it.
    expect(await json('pause', 'p1', '--id', 'once')).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('retry finishes a failed run, and enqueue runs a step of it again', async () => {
    const { open, input } = gateIn();
    const failed = await cli('run', 'all.ts', '--workflow', 'fragile', '--input', input, '--id', 'r1');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/npx fuseline retry --storage \S+ r1 && npx fuseline run all.ts/);
    const worker = fuseline('work', 'all.ts', '--stay');
    await open();
    expect((await cli('retry', 'r1')).code).toBe(0);
    await worker.has('SUCCEEDED  r1  breaks');
    expect(await cli('retry', 'r1')).toMatchObject({ code: 2, stderr: expect.stringContaining('(NOTHING_FAILED)') });
    expect((await cli('enqueue', 'r1', 'safe')).code).toBe(0);
    await worker.has('SUCCEEDED  r1  safe');
    const watched = await cli('show', 'r1', '--watch');
    expect(watched.code).toBe(0);
    expect(await json('show', 'r1')).toMatchObject({
      status: 'SUCCEEDED',
      steps: [{ generation: 1 }, { generation: 2 }],
    });
  });

  test('a signal is recorded with its payload, once for its id', async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'gated', '--input', gateIn().input, '--id', 's1');
    for (const _ of [1, 2]) await cli('signal', 's1', 'approved by', '{"who":"me"}', '--id', 'mail-1');
    expect(await json('show', 's1')).toMatchObject({ signals: [{ name: 'approved by' }] });
    const { stdout } = await cli('history', 's1');
    expect(stdout.match(/signal .*approved by \{"who":"me"\}/g)).toHaveLength(1);
    expect(await cli('signal', 's1', 'x', '{no')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the payload is not JSON'),
    });
  });
});

describe('a run that waits for another', () => {
  const begun = async (): Promise<string> => {
    await cli('dispatch', 'all.ts', '--workflow', 'ordering', '--id', 'o1');
    const { stderr } = await cli('work', 'all.ts');
    return /o1::\S+/.exec(stderr)?.[0] ?? '';
  };

  test('show names the run of each step, while it runs and afterwards, and its parent; ls for which step it is', async () => {
    const child = await begun();
    expect((await cli('ls')).stdout).toMatch(/FOR STEP.*\no1::\S+ +parcel +shipping +● RUNNING.*\no1 +ordering +● /s);
    expect((await cli('show', 'o1')).stdout).toContain(`  has workflow "parcel" run as run ${child}, and waits for`);
    expect((await cli('show', child)).stdout).toMatch(/^parent {3}step shipping of run o1$/m);
    const called = (await cli('history', 'o1', '--json')).stdout.split('\n').find((line) => line.includes('"called"'));
    expect(JSON.parse(called ?? '')).toMatchObject({ step: 'shipping', child, input: { what: 'book' } });
    await cli('signal', child, 'address', '"Paris"');
    const { stdout, stderr } = await cli('run', 'all.ts', '--workflow', 'ordering', '--id', 'o1');
    expect([stdout, stderr]).toEqual(['"Paris"\n', expect.stringMatching(/✓ SUCCEEDED +shipping/)]);
    expect((await cli('show', 'o1')).stdout).toMatch(new RegExp(`shipping +✓ SUCCEEDED .*\n {2}ran as ${child}$`, 'm'));
  });

  test.skipIf(!hasScript)('on a terminal it is said what runs, and for how long', async () => {
    await begun();
    const watching = onTerminal(`${process.execPath} ${MAIN} show o1 --watch`);
    await watching.has('runs parcel, 2 h 59 m');
    const run = onTerminal(`${process.execPath} ${MAIN} run all.ts --workflow ordering --id o2`);
    await run.has('shipping  runs parcel as run o2::');
  });
});

describe('a run that sleeps and waits', () => {
  const begun = async (): Promise<void> => {
    await cli('dispatch', 'all.ts', '--workflow', 'patient', '--id', 'p1');
    const { code, stderr } = await cli('work', 'all.ts');
    expect(code).toBe(0);
    expect(stderr).toMatch(/PENDING +p1 {2}count {2}.*a round ended/);
    expect(stderr.match(/FAILED/g)).toHaveLength(1);
  };

  test('ls names the signal, show and why say until when, and what the steps emitted and went through', async () => {
    await begun();
    expect((await cli('ls')).stdout).toMatch(
      /^ {2}Step "answer" waits for signal "approved", and for no longer than 1 h/m,
    );
    const { stdout } = await cli('show', 'p1');
    expect(stdout).toMatch(/nap +○ PENDING\n {2}sleeps for another 2 d 23 h\./);
    expect(stdout).toMatch(/count .*\n {2}3 rounds/);
    expect(stdout).toMatch(/talk .*\n {2}4 parts emitted; "stream" prints them/);
    expect((await cli('why', 'p1', 'nap')).stdout).toMatch(/^Step "nap" sleeps for another 2 d 23 h\.$/m);
  });

  test('stream prints what a step emits, from a position on, and goes with the step', async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'patient', '--id', 'p1');
    const live = fuseline('stream', 'p1', 'talk');
    await cli('work', 'all.ts');
    const text = 'hello\nyou\n';
    expect(await live.ended).toEqual({
      code: 0,
      stdout: `${text}{"attempt":1}\n${text}{"attempt":2}\n`,
      stderr: 'attempt 2\n',
    });
    expect((await cli('stream', 'p1', 'talk', '--from', '3', '--json')).stdout).toBe(
      '{"position":3,"attempt":2,"value":{"attempt":2}}\n',
    );
    expect(await cli('stream', 'p1', 'nobody')).toMatchObject({ code: 2 });
    const waits = fuseline('stream', 'p1', 'end');
    await cli('cancel', 'p1');
    expect((await waits.ended).code).toBe(1);
  });

  test('run tells of rounds, of sleeps and of signals that are waited for', async () => {
    const { code, stdout, stderr } = await cli('run', 'all.ts', '--workflow', 'rests');
    expect([code, stdout]).toEqual([0, '"none"\n']);
    expect(stderr).toMatch(/○ PENDING +count {2}a round ended, again in 5 ms\n/);
    expect(stderr).toMatch(/○ PENDING +nap {2}waits until \d/);
    expect(stderr).toMatch(/○ PENDING +answer {2}waits for signal answer, until \d/);
    expect(stderr).not.toContain('FAILED');
  });

  test('a signal says whether somebody waits for it', async () => {
    await begun();
    const signal = async (...args: readonly string[]) => (await cli('signal', 'p1', ...args)).stderr;
    expect(await signal('approve')).toContain(
      'No step of the run\'s workflow waits for signal "approve": it is recorded, and kept; its steps wait for "approved".',
    );
    expect(await signal('approved', '"yes"')).not.toContain('kept');
    expect(await signal('approved', '"no"')).toContain('Nobody waits for signal "approved" any longer');
    expect(await json('show', 'p1')).toMatchObject({
      steps: expect.arrayContaining([expect.objectContaining({ name: 'answer', status: 'SUCCEEDED' })]),
    });
    await cli('dispatch', 'all.ts', '--workflow', 'patient', '--id', 'p2');
    expect((await cli('signal', 'p2', 'approved', '"early"')).stderr).toContain('yet: it is kept for step "answer"');
  });

  test.skipIf(!hasScript)('on a terminal of 80 columns it fits, live too', async () => {
    await begun();
    const { stdout } = await onTerminal(`${process.execPath} ${MAIN} show p1`).ended;
    const watching = onTerminal(`${process.execPath} ${MAIN} show p1 --watch`);
    await watching.has('sleeps 2 d 23 h');
    await watching.has('waits for approved, 1 h');
    await cli('cancel', 'p1');
    for (const shown of [stdout, (await watching.ended).stdout])
      for (const line of stripVTControlCharacters(shown).split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('a run that has ended', () => {
  test('a step of a road not taken runs only with --force', async () => {
    await cli('run', 'all.ts', '--workflow', 'forked', '--id', 'f1');
    const refused = await cli('enqueue', 'f1', '__proto__');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('(STEP_NOT_TAKEN)')]);
    expect((await cli('enqueue', 'f1', '__proto__', '--force')).code).toBe(0);
    expect((await cli('work', 'all.ts')).code).toBe(0);
    expect(await json('why', 'f1', '__proto__')).toMatchObject({ status: 'SUCCEEDED' });
    const unknown = await cli('enqueue', 'f1', 'left');
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringMatching(/\(UNKNOWN_STEP\)\nIts steps: npx fuseline show/),
    ]);
  });

  test('history tells what happened: a line each, or with --json an event each with its values', async () => {
    await cli('run', 'all.ts', '--workflow', 'forked', '--id', 'h1');
    const { stdout } = await cli('history', 'h1');
    expect(stdout).toMatch(/ succeeded {5}pick {2}chose left, "left"\n/);
    expect(stdout).toMatch(/ claimed {7}left\\u000a"\]; x {2}attempt 1 by pid-\d+\n/);
    expect(stdout).toMatch(/ ended {9}SUCCEEDED\n$/);
    const events = (await cli('history', 'h1', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ seq: 0, index: 0, type: 'created', workflow: 'forked' });
    expect(events.find(({ type }) => type === 'succeeded')).toMatchObject({
      step: 'pick',
      road: 'left',
      value: 'left',
    });
    expect(events).toHaveLength(stdout.trim().split('\n').length);
  });

  test('rm deletes what has ended, leaves the rest alone and says so', async () => {
    for (const id of ['d1', '-d2']) await cli('run', 'all.ts', '--workflow', 'forked', '--id', id);
    await cli('dispatch', 'all.ts', '--workflow', 'forked', '--id', 'd3');
    expect(await json('rm', 'd1', 'd3', 'nope')).toMatchObject({
      removed: ['d1'],
      refused: [
        { id: 'd3', code: 'RUN_NOT_FINISHED' },
        { id: 'nope', code: 'UNKNOWN_RUN' },
      ],
    });
    expect(await cli('rm', '--', '-d2')).toMatchObject({ code: 0, stdout: '-d2\n' });
    const { runs } = (await json('ls')) as { runs: { id: string }[] };
    expect(runs.map(({ id }) => id)).toEqual(['d3']);
  });

  test('a run that is not there is bad usage, and the answer says where to look', async () => {
    for (const args of [['why'], ['history'], ['cancel'], ['retry'], ['show', '--watch'], ['rm'], ['pause']]) {
      const { code, stderr } = await cli(...args, 'no-such');
      expect([args, code, stderr]).toEqual([args, 2, expect.stringContaining('(UNKNOWN_RUN)')]);
      expect(stderr).toContain('npx fuseline ls --storage');
      expect(stderr).toMatch(/^fuseline: /);
    }
    expect(await cli('why', '../x\u001b[2J')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('(INVALID_ID)'),
    });
  });
});

test('work names the runs that failed and what to do about them', async () => {
  await cli('dispatch', 'all.ts', '--workflow', 'fragile', '--input', gateIn().input, '--id', '-w');
  const { stderr } = await cli('work', 'all.ts');
  expect(stderr).toMatch(
    /FAILED {5}-w\n.*npx fuseline why --storage \S+ -- -w\n.*npx fuseline retry --storage \S+ -- -w\n/,
  );
});

test.skipIf(!hasScript)(
  'on a terminal work breaks what a failed step says between words, whatever its length',
  async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'wordy', '--id', 'w1');
    const { stdout } = await onTerminal(`${process.execPath} ${MAIN} work all.ts`).ended;
    // A command to paste stays in one piece.
    const lines = stripVTControlCharacters(stdout).replaceAll('\r', '').split('\n');
    const said = lines.filter((line) => !line.includes('npx fuseline'));
    expect(Math.max(...said.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(said.find((line) => line.includes('nothing-of-it-is-broken'))).toMatch(/^ {13}\S/);
  },
);

test('a step on a road that was not taken is enqueued with the flag the answer names', async () => {
  await cli('run', 'all.ts', '--workflow', 'forked', '--id', 'e1');
  const refused = await cli('enqueue', 'e1', '__proto__');
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/enqueue --force --storage \S+ e1 __proto__/),
  });
  expect((await cli('enqueue', '--force', 'e1', '__proto__')).code).toBe(0);
});

test('work ends with 0 beside a run that a newer version has continued, whatever is due there', async () => {
  await cli('dispatch', 'all.ts', '--workflow', 'forked', '--start-at', '1h', '--id', 'n1');
  const store = new FileStore(storage);
  await continueByNewer(store, 'n1');
  await store.close();
  await cli('dispatch', 'all.ts', '--workflow', 'forked', '--id', 'n2');
  expect(await cli('work', 'all.ts')).toMatchObject({ code: 0, stderr: expect.stringContaining('done: 2 attempts') });
});

describe('show --watch', () => {
  test('without a terminal it tells one event per line until the run has failed, and ends with 1', async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'fragile', '--input', gateIn().input, '--id', 'w1');
    const watching = fuseline('show', 'w1', '--watch');
    const asJson = fuseline('show', 'w1', '--watch', '--json');
    await watching.has('created');
    await cli('work', 'all.ts');
    const { code, stdout } = await watching.ended;
    expect([code, stdout]).toEqual([1, (await cli('history', 'w1')).stdout]);
    expect((await asJson.ended).stdout).toBe((await cli('history', 'w1', '--json')).stdout);
  });

  test.skipIf(!hasScript)('how far a step says it is stands below it, live and afterwards', async () => {
    const { open, input } = gateIn();
    await cli('dispatch', 'all.ts', '--workflow', 'striding', '--input', input, '--id', 'f1');
    const watching = onTerminal(`${process.execPath} ${MAIN} show f1 --watch`);
    const worker = fuseline('work', 'all.ts');
    await watching.has('  {"done":1,"of":2,');
    await open();
    await worker.ended;
    const { stdout } = await watching.ended;
    for (const shown of [stdout, (await cli('show', 'f1')).stdout])
      expect(shown).toContain('  progress {"done":1,"of":2,');
    for (const line of stripVTControlCharacters(stdout).split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(80);
    expect(await json('show', 'f1')).toMatchObject({ steps: [{ progress: { done: 1, of: 2 } }] });
  });

  const ERASE = '\u001b[J';
  test.skipIf(!hasScript)('on a terminal it draws over itself and ends with the final picture', async () => {
    const { open, input } = gateIn();
    await cli('dispatch', 'all.ts', '--workflow', 'gated', '--input', input, '--id', 't1');
    const watching = onTerminal(`${process.execPath} ${MAIN} show t1 --watch`);
    await watching.has('no worker is running');
    const worker = fuseline('work', 'all.ts');
    await watching.has('▓');
    expect((await cli('show', 't1')).stdout).toMatch(/^started .* ago$/m);
    await open();
    await worker.ended;
    const { code, stdout } = await watching.ended;
    expect(code).toBe(0);
    // What stands below the last time the live picture was erased.
    const final = stdout.split(ERASE).at(-1) ?? '';
    expect(stripVTControlCharacters(final)).toMatch(/^t1 .*SUCCEEDED[\s\S]*RESULT\r\n"opened"\r\n$/);
    const widths = stdout.split('\r\n').map((line) => stripVTControlCharacters(line).replaceAll('\r', '').length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    // The cursor was never hidden, and no other screen was used.
    expect(stdout).not.toContain('\u001b[?');
  });

  test.skipIf(!hasScript)('Ctrl-C leaves the run alone and the picture as it is, with 130', async () => {
    await cli('dispatch', 'all.ts', '--workflow', 'gated', '--input', gateIn().input, '--id', 't2');
    const watching = onTerminal(`${process.execPath} ${MAIN} show t2 --watch`);
    await watching.has('no worker is running');
    watching.child.stdin.write('\u0003');
    const ended = await watching.ended;
    expect(ended.code).toBe(130);
    expect(stripVTControlCharacters(ended.stdout.split(ERASE).at(-1) ?? '')).toMatch(
      /^t2 {2}○ PENDING\r\nworkflow gated/,
    );
    expect(await json('show', 't2')).toMatchObject({ status: 'PENDING' });
  });
});

describe('graph', () => {
  test('prints a Mermaid flowchart in which names are nothing but text', async () => {
    expect((await cli('graph', 'all.ts', '--workflow', 'forked')).stdout).toBe(
      [
        'flowchart TD',
        '  s0{"pick"}',
        '  s1["left#92;u000a#34;#93;#59; x"]',
        '  s2["#95;#95;proto#95;#95;"]',
        '  result(["result"])',
        '  any0(("any"))',
        '  s0 -.->|"left"| s1',
        '  s0 -.->|"right"| s2',
        '  s1 --> any0',
        '  s2 --> any0',
        '  any0 --> result',
        '',
      ].join('\n'),
    );
    const { stdout } = await cli('graph', 'all.ts');
    expect(stdout).toContain('subgraph w1["forked"]');
    expect(stdout).toMatch(/^ {4}w3s0 --> w3s1$/m);
  });

  test('steps that sleep, wait or loop have shapes of their own', async () => {
    const { stdout } = await cli('graph', 'all.ts', '--workflow', 'patient');
    expect(stdout).toContain(
      '  s2[["count"]]\n  s3{{"nap (3 d 0 h)"}}\n  s4{{"years"}}\n  s5>"answer (signal approved, at most 2 h 0 m)"]\n',
    );
  });

  test('prints the graph as data, one per line', async () => {
    const { stdout } = await cli('graph', 'all.ts', '--workflow', 'forked', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'forked',
      steps: [{ kind: 'branch' }, {}, { name: '__proto__' }],
    });
    expect((await cli('graph', 'all.ts', '--format', 'json')).stdout.trim().split('\n')).toHaveLength(9);
  });
});
