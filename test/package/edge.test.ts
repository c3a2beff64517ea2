// A Worker of somebody's own: the README's snippet and stanza beside the installed package.
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { bring } from './brought.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(inject('project'), 'worker');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' };
const run = (script: string, ...parameters: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(root, 'node_modules', script), ...parameters], { cwd: folder, env });

function block(language: string, part: string): string {
  const blocks = [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  return blocks.find(([, text]) => text?.includes(part))?.[1] ?? '';
}

test('the README’s Worker and its wrangler.toml compile against wrangler’s types, and deploy', async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await bring('zod', folder);
  const terms = { target: 'es2024', lib: ['es2024'], module: 'esnext', moduleResolution: 'bundler', strict: true };
  const files = ['worker.ts', 'worker-configuration.d.ts'];
  await writeFile(join(folder, 'worker.ts'), block('ts', 'durableWorkflows'));
  await writeFile(join(folder, 'wrangler.toml'), block('toml', 'new_sqlite_classes'));
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...terms, noEmit: true, types: [] }, files }),
  );
  const wrangler = 'wrangler/bin/wrangler.js';
  const [, dry] = await Promise.all([
    run(wrangler, 'types').then(() => run('typescript/bin/tsc')),
    run(wrangler, 'deploy', '--dry-run', '--outdir', 'out'),
  ]);
  expect(await readFile(join(folder, 'worker-configuration.d.ts'), 'utf8')).toContain(
    'RUNS: DurableObjectNamespace<import("./worker").Runs>',
  );
  expect(dry.stdout).toMatch(/env\.RUNS \(Runs\)\s+Durable Object/);
  expect(await readFile(join(folder, 'out/worker.js'), 'utf8')).toContain('export');
});
