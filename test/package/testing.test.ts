// TESTING.md as its reader has it: its snippets beside the installed package.
import { exec, execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { nodes, shell } from './nodes.ts';

const project = inject('project');
const root = resolve(import.meta.dirname, '../..');
const document = await readFile(join(root, 'TESTING.md'), 'utf8');
const snippets = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
const commands = [...document.matchAll(/^npx fuseline .*$/gm), ...document.matchAll(/`(fuseline check [^`]*)`/g)].map(
  ([line, short]) => (short === undefined ? line : `npx ${short}`),
);
const folder = join(project, 'testing');
const execute = promisify(execFile);

beforeAll(async () => {
  expect(snippets).toHaveLength(3);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await Promise.all(
    ['workflow.ts', 'flows.ts', 'store.ts'].map((file, i) => writeFile(join(folder, file), snippets[i] ?? '')),
  );
});

test('every snippet compiles in a project of its own', async () => {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  await execute(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
});

describe.each(nodes)('on Node $version', (node) => {
  const run = async (file: string): Promise<string> => {
    const options = node.typescript ? [] : ['--import', 'fuseline/typescript'];
    return (await execute(node.path, [...options, file], { cwd: folder })).stdout;
  };

  test('testRun does what the comments say', async () => {
    const printed = await run('workflow.ts');
    expect(printed).toMatch(/^paid: receipt 17 3\n/);
    const types = [...printed.matchAll(/type: '(\w+)',(?:(?!type: )[\s\S])*? step: 'charge'/g)].map(([, type]) => type);
    expect(types).toEqual(['claimed', 'retrying', 'claimed', 'checkpoint', 'lost', 'claimed', 'succeeded']);
  });

  test('every command works', async () => {
    expect(commands).toHaveLength(2);
    // A directory without runs.
    await mkdir(join(folder, 'runs'), { recursive: true });
    const [simulate = '', check = ''] = commands;
    const read = async (line: string) => (await promisify(exec)(line, { cwd: folder, env: shell(node) })).stdout;
    // The last number counts: as many as it takes to see that it works.
    expect(await read(`${simulate} --worlds 10`)).toMatch(/^10 worlds, no promise broken\n/);
    await read(check);
  });

  test('the store’s contract and model find nothing, and every promise is told', async () => {
    expect((await run('store.ts')).trim().split('\n').length).toBeGreaterThan(20);
  });
});
