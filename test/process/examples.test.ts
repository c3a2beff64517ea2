import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { FileStorage } from 'fuseline/node';
import { type JournalLine, testRun } from 'fuseline/testing';
import { describe, expect, test as plain } from 'vitest';
import { agent } from '../../examples/agent.ts';
import { drip } from '../../examples/drip-campaign.ts';
import { importCsv } from '../../examples/import-csv.ts';
import { trip } from '../../examples/trip.ts';

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
  return launch(home, [...node, resolve('examples', example), ...args]);
}

const cli = resolve('dist/cli/main.js');

/** A command, by what it prints. */
async function fuseline(home: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { cwd: home });
  return stdout;
}

function launch(home: string, args: readonly string[]) {
  const child = spawn(process.execPath, args, {
    cwd: home,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, lines, ended, line: (wanted: RegExp) => firstLine(child, reader, lines, wanted) };
}

/** A module that kills its process once that has printed a line that begins so: nobody else is sure to be in time. */
function dyingWhen(doing: string): string {
  const program = `
    const { log } = console;
    console.log = (line) => {
      log(line);
      if (String(line).startsWith('${doing}')) process.kill(process.pid, 'SIGKILL');
    };
  `;
  return `data:text/javascript,${encodeURIComponent(program)}`;
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
    const [, pid] = /pid-(\d+)/.exec(await slow.line(/^count: pid-\d+, part [23] of 6/)) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    expect(await slow.ended).toBe(0);
    // It may have got further before it was killed.
    const takesOver = new RegExp(`takes over from pid-${pid} after part [2-5] of 6`);
    expect(slow.lines.find((line) => takesOver.test(line))).toBeDefined();
    expect(await readFile(join(home, 'reports/a-folder-1.md'), 'utf8')).toMatch(/\| TypeScript \| +3 \| +6 \|/);
    expect(await eventsOf(join(home, 'runs'), 'a-folder-1', 'checkpoint', 'count')).toBe(6);
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
    expect(await eventsOf(join(home, 'runs'), 'a-folder-1', 'checkpoint', 'count')).toBe(6);
  });
});

describe.concurrent('order.ts', () => {
  const steps = ['reserving', 'charging', 'printing', 'sending'];

  test.for(steps)(
    'killed while it is %s, it goes on when it is run again, and records each step once',
    async (doing, { home }) => {
      const killed = launch(home, [...node, '--import', dyingWhen(doing), resolve('examples', 'order.ts')]);
      expect(await killed.ended).toBeNull();
      const again = start(home, 'order.ts');
      expect(await again.ended).toBe(0);
      expect(again.lines.at(-1)).toBe("{ receipt: 'paid 40' }");
      for (const step of ['reserve', 'charge', 'label', 'mail'])
        expect(await eventsOf(join(home, 'runs'), 'order-17', 'succeeded', step)).toBe(1);
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
      expect(await eventsOf(join(home, 'runs'), 'order-17', 'succeeded', step)).toBe(1);
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

describe.concurrent('import-csv.ts', () => {
  const example = resolve('examples/import-csv.ts');
  const ROWS = 8000;
  const IDS = Array.from({ length: ROWS }, (_, id) => id);

  /** A run that is to import a file with line breaks inside quotes, one row that is not valid and one that is too short. */
  const dispatch = async (home: string) => {
    const rows = IDS.map((id) => `${id},"Zoë ""${id}""\nof\r\nHere",p${id}@example.com`);
    const csv = ['id,name,email', ...rows.toSpliced(1500, 0, 'nobody', '17,Ann,nowhere'), ''].join('\r\n');
    await writeFile(join(home, 'people.csv'), `\ufeff${csv}`);
    await fuseline(home, 'dispatch', example, '--input', '{"file":"people.csv"}', '--id', 'people');
  };
  const work = (home: string) => fuseline(home, 'work', example, '--processes', '2', '--concurrency', '2');
  const imported = async (home: string) => {
    const files = await readdir(join(home, 'people'));
    const batches = await Promise.all(files.map((file) => readFile(join(home, 'people', file), 'utf8')));
    return batches.flatMap((batch) => JSON.parse(batch) as { readonly id: number; readonly name: string }[]);
  };

  const isComplete = async (home: string) => {
    const { result, steps } = JSON.parse(await fuseline(home, 'show', 'people', '--json'));
    expect(result).toEqual({
      imported: ROWS,
      rejected: 2,
      first: [
        { row: 1502, why: expect.stringContaining('at email') },
        { row: 1503, why: expect.stringContaining('at email') },
      ],
    });
    expect(steps[1].items).toEqual({ count: 9, active: 0, ended: 9, failed: 0 });
    const people = (await imported(home)).toSorted((one, other) => one.id - other.id);
    expect(people.map(({ id }) => id)).toEqual(IDS);
    expect(people[17]?.name).toBe('Zoë "17"\nof\r\nHere');
    // Each batch, and with the last of them their step.
    expect(await eventsOf(join(home, '.fuseline'), 'people', 'succeeded', 'import')).toBe(9 + 1);
  };

  test('inserts each row that is valid once, although a process is killed, and says which are not', async ({
    home,
  }) => {
    await dispatch(home);
    await mkdir(join(home, 'people'));
    // Inserted, and not recorded yet.
    const inserted = watch(join(home, 'people'))[Symbol.asyncIterator]().next();
    const killed = launch(home, [cli, 'work', example, '--concurrency', '2', '--stay']);
    await inserted;
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBeNull();
    await work(home);
    await isComplete(home);
  });

  test('goes on with the batches that are missing once what stood in the way of one is gone', async ({ home }) => {
    await dispatch(home);
    const inTheWay = join(home, 'people', `${encodeURIComponent('people/import[4]')}.json`);
    await mkdir(inTheWay, { recursive: true });
    await work(home);
    expect(JSON.parse(await fuseline(home, 'show', 'people', '--json')).status).toBe('FAILED');
    await rmdir(inTheWay);
    await fuseline(home, 'retry', 'people');
    await work(home);
    await isComplete(home);
  });

  plain('imports nothing of a file that was changed after it had been cut', async () => {
    const batch = { file: example, mtimeMs: 0, columns: ['id', 'email', 'name'], row: 2, from: 0, to: 1 };
    const run = await testRun(importCsv, { file: example }, { steps: { cut: () => [batch] } });
    await expect(run.result()).rejects.toThrow('was changed after it had been cut');
    expect(run.calls('import')).toHaveLength(1);
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

async function eventsOf(directory: string, run: string, type: string, step: string): Promise<number> {
  const storage = new FileStorage(directory);
  try {
    let count = 0;
    for await (const event of storage.history(run))
      if (event.type === type && 'step' in event && event.step === step) count++;
    return count;
  } finally {
    await storage.close();
  }
}

describe('trip', () => {
  test('is booked by three runs of their own', async () => {
    const run = await testRun(trip, { to: 'Lisbon', nights: 3 });
    expect(await run.result()).toEqual({ booked: ['flight', 'hotel', 'car'], paid: 480 });
    const children = (await run.get()).steps.flatMap(({ child }) => child ?? []);
    expect(new Set(children).size).toBe(3);
  });

  test('is not booked where one of them cannot be had', async () => {
    const run = await testRun(trip, { to: 'Venice', nights: 1 });
    await expect(run.result()).rejects.toThrow(/step "car".*there are no cars in Venice/);
  });
});
