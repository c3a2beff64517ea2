import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { modern, nodes, oldest } from './nodes.ts';

const project = inject('project');
const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

const javascript = `
import { workflow } from 'fuseline';
import { layoutGraph } from 'fuseline/elements';
import { FileStorage } from 'fuseline/node';
import { MortalStore, storeContract } from 'fuseline/testing';

const double = workflow('double', {}, ($) => $.step('double', { n: $.input }, ({ n }) => n * 2));
const storage = new FileStorage(process.argv[2]);
const first = await double.run(21, { storage, id: 'answer' });
const again = await double.get('answer', { storage }).result();
await storage.close();
const { nodes } = await layoutGraph({ nodes: 2, edges: [[0, 1]], size: { width: 9, height: 9 }, direction: 'right' });
console.log(JSON.stringify({ first, again, drawn: nodes.length, contract: storeContract.length > 0, mortal: typeof MortalStore }));
`;

const typescript = `
import { type MemoryStorageOptions, MemoryStorage, typed, workflow } from 'fuseline';
import { defineElements, type FuselineRunElement } from 'fuseline/elements';
import { FileStorage, type FileStorageOptions } from 'fuseline/node';
import { seeded } from 'fuseline/testing';
import 'fuseline/typescript';

const double = workflow('double', { input: typed<number>() }, ($) => $.step('double', { n: $.input }, ({ n }) => n * 2));
const kept: MemoryStorageOptions & FileStorageOptions = { keep: { finished: 10 } };
const result: number = await double.run(21, { storage: new MemoryStorage(kept) });
const show = (element: FuselineRunElement) => void (element.run = 'answer');
console.log(result, seeded(1).below(1), typeof FileStorage, typeof defineElements, typeof show);
// @ts-expect-error: the input is a number
if (process.argv.length === 0) await double.run('21');
`;

test('an installation is at most 10 packages and 4 MiB', async () => {
  const packages: string[] = [];
  let bytes = 0;
  for (const entry of await readdir(join(project, 'node_modules'), { recursive: true })) {
    const stats = await lstat(join(project, 'node_modules', entry));
    if (stats.isFile()) bytes += stats.size;
    const folder = dirname(entry);
    const above = basename(dirname(folder));
    const inModules = above.startsWith('@') ? basename(dirname(dirname(folder))) : above;
    if (basename(entry) === 'package.json' && ['.', '', 'node_modules'].includes(inModules)) packages.push(folder);
  }
  console.log(`${packages.length} packages, ${(bytes / 2 ** 20).toFixed(2)} MiB: ${packages.sort().join(', ')}`);
  expect(packages).toContain('fuseline');
  expect(packages.length).toBeLessThanOrEqual(10);
  expect(bytes).toBeLessThanOrEqual(4 * 2 ** 20);
});

test('the package is tried on Node 20 and on one that runs TypeScript', ({ skip }) => {
  console.log(`tried on Node ${nodes.map(({ version }) => version).join(' and ')}`);
  expect(modern, 'Node 22.18 or newer comes with `npm ci`').toBeDefined();
  skip(oldest === undefined, 'no Node 20 was found on the PATH: the package is not tried on it');
});

describe.each(nodes)('on Node $version', (node) => {
  test('plain JavaScript uses every entry', async () => {
    await writeFile(join(project, 'plain.js'), javascript);
    const { stdout, stderr } = await run(node.path, ['plain.js', `plain-${node.version}`], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({ first: 42, again: 42, drawn: 2, contract: true, mortal: 'function' });
    expect(stderr).toBe('');
  });

  test('the compiler’s output runs, from nodenext and from bundler', async () => {
    for (const resolution of ['nodenext', 'bundler'] as const) {
      const out = `out-${resolution}-${node.version}`;
      await compile(resolution, ['--outDir', out]);
      const { stdout, stderr } = await run(node.path, [join(out, 'typed.js')], { cwd: project });
      expect([stdout.trim(), stderr], resolution).toEqual(['42 0 function function function', '']);
    }
  });
});

async function compile(resolution: 'nodenext' | 'bundler', options: readonly string[]) {
  const folder = join(project, resolution);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'typed.ts'), typescript);
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
        moduleResolution: resolution,
        strict: true,
        skipLibCheck: false,
        noEmitOnError: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: ['typed.ts'],
    }),
  );
  return run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', resolution, ...options], {
    cwd: project,
  });
}
