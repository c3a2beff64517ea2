import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { FileStorage } from 'fuseline/node';
import { type JournalLine, testRun } from 'fuseline/testing';
import { describe, expect, test as plain } from 'vitest';
import { agent } from '../../examples/agent.ts';
import { drip } from '../../examples/drip-campaign.ts';

const node = ['--import', resolve('scripts/typescript.mjs')];

/** Each test has a folder of its own, so that they can wait beside each other: waiting is most of what they do. */
const test = plain.extend<{ home: string; folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: a fixture names what it needs, and this one needs none
  home: async ({}, use) => {
    const home = await mkdtemp(join(tmpdir(), 'fuseline-examples-'));
    await use(home);
    await rm(home, { recursive: true, maxRetries: 5 });
  },
  folder: async ({ home }, use) => use(await folderIn(home)),
});

/** An example as a person starts it. */
function start(home: string, example: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [...node, resolve('examples', example), ...args], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, lines, ended, line: (wanted: RegExp) => firstLine(child, reader, lines, wanted) };
}

/** The first line that fits, however early it came; an error if the example ends without it. */
function firstLine(
  child: ChildProcess,
  reader: NodeJS.EventEmitter,
  lines: readonly string[],
  wanted: RegExp,
): Promise<string> {
  return new Promise((found, missing) => {
    const look = () => {
      const line = lines.find((one) => wanted.test(one));
      if (line !== undefined) found(line);
    };
    look();
    reader.on('line', look);
    child.once('close', () => missing(new Error(`no line like ${wanted} in:\n${lines.join('\n')}`)));
  });
}

describe.concurrent('folder-report', () => {
  test('counts what is there, once, and names what it left out', async ({ home, folder }) => {
    const { ended, lines } = start(home, 'folder-report/start.ts', folder);
    expect(await ended).toBe(0);
    expect(lines).toContain('6 files, 9 lines of text, 112 bytes.');
    const report = await readFile(join(home, 'reports/a-folder-1.md'), 'utf8');
    expect(report).toMatch(/\| TypeScript \| +3 \| +6 \| +67 % \|/);
    expect(report).toMatch(/\| Markdown +\| +1 \| +3 \|/);
    expect(report).toMatch(/\| +2 \| +26 bytes \| `src\/one.ts`, `src\/deep\/same.ts` \|/);
    expect(report).toContain('`` odd \\| `name`.md ``');
    expect(report).toContain('## Every file');
    expect(report).toContain('- `node_modules`: not looked into');
    expect(report).toContain('- 1 symbolic link: not followed');
    expect(report).toContain('- 1 binary file (6 bytes): no lines to count');
  });

  test('takes the other road for a large folder, and a new run every time', async ({ home, folder }) => {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => writeFile(join(folder, `src/${i}.css`), `a {}\n`.repeat(i + 1))),
    );
    expect(await start(home, 'folder-report/start.ts', folder).ended).toBe(0);
    expect(await start(home, 'folder-report/start.ts', folder).ended).toBe(0);
    const report = await readFile(join(home, 'reports/a-folder-2.md'), 'utf8');
    expect(report).toContain('## Where the weight lies');
    expect(report).toMatch(/\| CSS +\| +100 \| +5,050 \|/);
  });

  test('says so where there is nothing to report about', async ({ home, folder }) => {
    const nothing = start(home, 'folder-report/start.ts', join(folder, 'empty'));
    expect(await nothing.ended).toBe(0);
    expect(nothing.lines).toContain('There are no files in it.');
    expect(await start(home, 'folder-report/start.ts', join(folder, 'nothing.txt')).ended).toBe(1);
  });

  test('goes on when one of its two processes is killed, with the part that is missing', async ({ home, folder }) => {
    const slow = start(home, 'folder-report/start.ts', folder, '--slow');
    const [, pid] = /pid-(\d+)/.exec(await slow.line(/^count: pid-\d+, part 2 of 6/)) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    expect(await slow.ended).toBe(0);
    expect(slow.lines.find((line) => line.includes(`takes over from pid-${pid} after part 2 of 6`))).toBeDefined();
    expect(await readFile(join(home, 'reports/a-folder-1.md'), 'utf8')).toMatch(/\| TypeScript \| +3 \| +6 \|/);
    expect(await eventsOf(home, 'a-folder-1', 'checkpoint', 'count')).toBe(6);
  });

  test('tells of files that vanished or could not be read after the scan, and counts the others', async ({
    home,
    folder,
  }) => {
    const slow = start(home, 'folder-report/start.ts', folder, '--slow');
    await slow.line(/^count: pid-\d+, part 1 of 6/);
    await rm(join(folder, 'src/deep/same.ts'));
    await rm(join(folder, 'src/deep/other.ts'));
    await mkdir(join(folder, 'src/deep/other.ts'));
    expect(await slow.ended).toBe(0);
    const report = await readFile(join(home, 'reports/a-folder-1.md'), 'utf8');
    expect(report).toMatch(/\| TypeScript \| +1 \| +2 \|/);
    expect(report).toContain('- 1 file vanished between the scan and the count');
    expect(report).toContain('- could not be read: `src/deep/other.ts` (EISDIR)');
  });

  test('stops when it is interrupted, and the same command goes on with the same run', async ({ home, folder }) => {
    const first = start(home, 'folder-report/start.ts', folder, '--slow');
    await first.line(/^count: pid-\d+, part 1 of 6/);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(130);
    const second = start(home, 'folder-report/start.ts', folder);
    expect(await second.ended).toBe(0);
    expect(second.lines[0]).toContain('Going on with a-folder-1');
    expect(await eventsOf(home, 'a-folder-1', 'checkpoint', 'count')).toBe(6);
  });
});

describe.concurrent('order.ts', () => {
  const steps = ['reserving', 'charging', 'printing', 'sending'];

  test.for(steps)(
    'killed while it is %s, it goes on when it is run again, and records each step once',
    async (doing, { home }) => {
      const killed = start(home, 'order.ts');
      await killed.line(new RegExp(`^${doing}`));
      killed.child.kill('SIGKILL');
      expect(await killed.ended).toBeNull();
      const again = start(home, 'order.ts');
      expect(await again.ended).toBe(0);
      expect(again.lines.at(-1)).toBe("{ receipt: 'paid 40' }");
      for (const step of ['reserve', 'charge', 'label', 'mail'])
        expect(await eventsOf(home, 'order-17', 'succeeded', step)).toBe(1);
      if (doing === 'sending') expect(again.lines).toEqual(['sending mail', "{ receipt: 'paid 40' }"]);
    },
  );

  test('killed at any moment, again and again, it ends', async ({ home }) => {
    for (const afterMs of [100, 400, 1300, 300, 2000]) {
      const { child, ended } = start(home, 'order.ts');
      const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
      await ended;
      clearTimeout(timer);
    }
    const last = start(home, 'order.ts');
    expect(await last.ended).toBe(0);
    for (const step of ['reserve', 'charge', 'label', 'mail'])
      expect(await eventsOf(home, 'order-17', 'succeeded', step)).toBe(1);
  });

  test('once it has ended, it hands back what it recorded and does nothing', async ({ home }) => {
    expect(await start(home, 'order.ts').ended).toBe(0);
    const again = start(home, 'order.ts');
    expect(await again.ended).toBe(0);
    expect(again.lines).toEqual(["{ receipt: 'paid 40' }"]);
  });
});

describe('drip-campaign.ts', () => {
  const DAY_MS = 86_400_000;
  const sentAt = (journal: readonly JournalLine[]) =>
    journal.flatMap(({ type, step, after }) =>
      type === 'succeeded' && ['welcome', 'tips', 'offer'].includes(String(step)) ? [[step, after / DAY_MS]] : [],
    );
  const HOUR = 1 / 24;

  plain('sends a mail after an hour, three days and a week', async () => {
    const run = await testRun(drip, { to: 'ann' });
    const letters = { welcome: 'welcome sent to ann', tips: 'tips sent to ann', offer: 'offer sent to ann' };
    expect(await run.result()).toEqual(letters);
    expect(sentAt(await run.journal())).toEqual([
      ['welcome', HOUR],
      ['tips', expect.closeTo(3 + HOUR)],
      ['offer', expect.closeTo(10 + HOUR)],
    ]);
  });

  plain('sends no mail to somebody who has unsubscribed, and ends at once', async () => {
    const run = await testRun(drip, { to: 'ann' });
    await run.advance('5d');
    await run.signal('unsubscribed', { reason: 'too many' });
    expect(await run.result()).toEqual({ welcome: 'welcome sent to ann', tips: 'tips sent to ann' });
    expect(run.now - Date.UTC(2020, 0, 1)).toBe(5 * DAY_MS);
  });
});

describe.concurrent('agent.ts', () => {
  const fuseline = async (home: string, ...args: readonly string[]) => {
    const options = { cwd: home };
    const { stdout } = await promisify(execFile)(process.execPath, [resolve('dist/cli/main.js'), ...args], options);
    return stdout;
  };
  const example = resolve('examples/agent.ts');

  test.for([
    ['{"approved":true,"by":"ann"}', 'paid 40, by key case-1/pay'],
    ['{"approved":false,"by":"ann"}', 'not paid: declined by ann'],
  ] as const)(
    'thinks in rounds, waits for a person without a worker, and does what %s says',
    async ([answer, result], { home }) => {
      await fuseline(home, 'dispatch', example, '--input', '{"question":"order 17"}', '--id', 'case-1');
      await fuseline(home, 'work', example);
      expect(await fuseline(home, 'why', 'case-1')).toContain('Step "decision" waits for signal "decision"');
      const moves = (await fuseline(home, 'stream', 'case-1', 'think')).trim().split('\n');
      expect(moves.map((line) => JSON.parse(line))).toEqual([
        { tool: 'findOrder', about: 'order 17' },
        { tool: 'readPolicy', about: 'lost parcels' },
        { refund: 40 },
      ]);
      await fuseline(home, 'signal', 'case-1', 'decision', '{"approved":"perhaps"}');
      await fuseline(home, 'work', example);
      await fuseline(home, 'signal', 'case-1', 'decision', answer);
      await fuseline(home, 'work', example);
      expect(JSON.parse(await fuseline(home, 'show', 'case-1', '--json'))).toMatchObject({
        status: 'SUCCEEDED',
        result,
      });
    },
  );

  plain('asks for two days, and leaves it then', async () => {
    const run = await testRun(agent, { question: 'order 17' });
    expect(await run.result()).toBe('not paid: declined by nobody within two days');
    expect(run.now - Date.UTC(2020, 0, 1)).toBeGreaterThanOrEqual(2 * 86_400_000);
  });
});

async function folderIn(home: string): Promise<string> {
  const folder = join(home, 'a folder');
  await mkdir(join(folder, 'src/deep'), { recursive: true });
  await mkdir(join(folder, 'node_modules/other'), { recursive: true });
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'src/one.ts'), 'const a = 1;\nconst b = 2;\n');
  await writeFile(join(folder, 'src/deep/same.ts'), 'const a = 1;\nconst b = 2;\n');
  await writeFile(join(folder, 'src/deep/other.ts'), 'const c = 1;\nconst d = 2;\n');
  await writeFile(join(folder, 'odd | `name`.md'), '# One\n\nno newline at the end');
  await writeFile(join(folder, 'nothing.txt'), '');
  await writeFile(join(folder, 'picture.bin'), Buffer.from([1, 0, 10, 10, 10, 10]));
  await writeFile(join(folder, 'node_modules/other/index.js'), 'not ours\n');
  await symlink(folder, join(folder, 'src/round'));
  return folder;
}

async function eventsOf(home: string, run: string, type: string, step: string): Promise<number> {
  const storage = new FileStorage(join(home, 'runs'));
  try {
    let count = 0;
    for await (const event of storage.history(run))
      if (event.type === type && 'step' in event && event.step === step) count++;
    return count;
  } finally {
    await storage.close();
  }
}
