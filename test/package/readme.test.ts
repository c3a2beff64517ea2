// The README as its reader has it: its snippets and commands, beside the installed package.
import { exec, execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { bring } from './brought.ts';
import { nodes, shell } from './nodes.ts';

const project = inject('project');
const bin = join(project, 'node_modules/.bin');
const root = resolve(import.meta.dirname, '../..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);
const snippets = blocks('ts');
const [order = '', workers = '', page = '', edge = '', far = '', everything = ''] = snippets;

/** Commands about a clone of the repository: a user of the package has none. */
const aboutTheRepository = /^(npm ci|npx wrangler)\b/;
const commands = blocks('sh')
  .flatMap((block) => block.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''))
  .filter((line) => !aboutTheRepository.test(line));

const handlers = `
const scan = async (path: string, signal: AbortSignal) => (signal.throwIfAborted(), [path, path]);
const countLines = (files: string[]) => files.length;
const hashAll = ({ files }: { files: string[] }) => files.map((file) => file.length);
const detail = ({ lines, hashes }: { lines: number; hashes: number[] }) => \`\${lines} \${hashes.length}\`;`;
const programs = {
  'order.ts': order,
  'workers.ts': `import { ProcessEngine } from 'fuseline';\n${order}\n${workers}`,
  'everything.ts': `import { typed, workflow } from 'fuseline';\n${handlers}\n${everything}\nconsole.log(await report.run({ path: 'x' }));`,
  'page.ts': page,
  'far.ts': `import { workflow } from 'fuseline';\nimport { z } from 'zod';\n${/const checkout[\s\S]*?\n}\);/.exec(edge)?.[0]}\n${far}`,
  // "a file that exports the workflow above and runs nothing itself"
  'orders.ts': order.replace(/^const receipt[\s\S]*?console\.log\(receipt\);\n/m, ''),
};

async function folder(name: string) {
  const path = join(project, name);
  await rm(path, { recursive: true, force: true });
  await mkdir(path);
  for (const [file, code] of Object.entries(programs)) await writeFile(join(path, file), code);
  return path;
}

test('the first example is the file among the examples', async () => {
  expect(order).toBe(await readFile(join(root, 'examples/order.ts'), 'utf8'));
});

test('every snippet compiles in a project of its own', async () => {
  expect(snippets).toHaveLength(6);
  const path = await folder('readme-types');
  await bring('zod', path);
  const terms = { target: 'es2023', module: 'nodenext', strict: true, noEmit: true };
  const compile = async (name: string, compilerOptions: object, files: readonly string[]) => {
    await writeFile(join(path, name), JSON.stringify({ compilerOptions: { ...terms, ...compilerOptions }, files }));
    await promisify(execFile)(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(path, name),
    ]);
  };
  const typeRoots = [join(root, 'node_modules/@types'), join(root, 'node_modules/@cloudflare')];
  await compile('tsconfig.json', { types: ['node'], typeRoots }, Object.keys(programs));
  await writeFile(join(path, 'worker.ts'), edge);
  await compile('tsconfig.worker.json', { types: ['workers-types'], typeRoots, lib: ['ES2023'] }, ['worker.ts']);
});

describe.concurrent.each(nodes)('on Node $version', (node) => {
  const command = node.typescript ? 'node' : 'node --import fuseline/typescript';
  const run = (line: string, cwd: string) =>
    promisify(exec)(line, { cwd, env: shell(node, { FUSELINE_STORAGE: join(cwd, '.fuseline') }) });

  test('the snippets run, and run again the first hands back what it recorded', async ({ expect }) => {
    expect(readme).toContain(`\`${command} order.ts\``);
    const path = await folder(`readme-${node.version}`);
    const first = await run(`${command} order.ts`, path);
    expect(first.stdout).toContain('charging 40');
    expect(first.stdout).toContain("{ receipt: 'paid 40' }");
    expect((await run(`${command} order.ts`, path)).stdout.trim()).toBe("{ receipt: 'paid 40' }");
    expect((await run(`${command} workers.ts`, path)).stdout).toContain("{ receipt: 'paid 9' }");
    expect((await run(`${command} everything.ts`, path)).stdout.trim()).toBe('2 lines');
  });

  test('every command works', async ({ expect }) => {
    expect(commands.length).toBeGreaterThanOrEqual(5);
    const path = await folder(`readme-commands-${node.version}`);
    const printed: string[] = [];
    // What npx does is the same on every Node, and takes longer than the command.
    const short = (line: string) => (node === nodes[0] ? line : line.replace(/^npx (?=fuseline )/, `${bin}/`));
    for (const line of commands) printed.push((await run(short(line), path)).stdout);
    // What the steps print comes first.
    expect(printed[0]).toMatch(/\{\s*"receipt": ?"paid 40"\s*\}\n$/);
    expect(printed[commands.findIndex((line) => line.includes(' show '))]).toContain('SUCCEEDED');
    expect(printed.at(-1)).toBe('order-17\norder-18\n');
  });
});
