import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const loader = join(root, 'scripts/typescript.mjs');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const [order = '', workers = '', everything = ''] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code,
);

// Inside the package, so that 'fuseline' means the built package itself.
let folder: string;
beforeAll(async () => {
  await mkdir(join(root, '.tsbuild'), { recursive: true });
  folder = await mkdtemp(join(root, '.tsbuild/readme-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = async (name: string, code: string) => {
  await writeFile(join(folder, name), code);
  return promisify(execFile)(process.execPath, ['--import', loader, name], { cwd: folder });
};

test('the first example runs when pasted, and run again hands back what it recorded', async () => {
  const first = await run('order.ts', order);
  expect(first.stdout).toContain('charging 40');
  expect(first.stdout).toContain("{ receipt: 'paid 40' }");
  const again = await run('order.ts', order);
  expect(again.stdout.trim()).toBe("{ receipt: 'paid 40' }");
});

test('the first example is the file among the examples', async () => {
  expect(order).toBe(await readFile(join(root, 'examples/order.ts'), 'utf8'));
});

test('the example with workers of their own runs behind the first', async () => {
  const { stdout } = await run('workers.ts', `import { ProcessEngine } from 'fuseline';\n${order}\n${workers}`);
  expect(stdout).toContain("{ receipt: 'paid 9' }");
});

test('the graph with everything runs', async () => {
  const handlers = `
const scan = async (path: string, signal: AbortSignal) => (signal.throwIfAborted(), [path, path]);
const countLines = (files: string[]) => files.length;
const hashAll = ({ files }: { files: string[] }) => files.map((file) => file.length);
const detail = ({ lines, hashes }: { lines: number; hashes: number[] }) => \`\${lines} \${hashes.length}\`;`;
  const { stdout } = await run(
    'everything.ts',
    `import { typed, workflow } from 'fuseline';\n${handlers}\n${everything}\nconsole.log(await report.run({ path: 'x' }));`,
  );
  expect(stdout.trim()).toBe('2 lines');
});
