// Packs the package and installs it, once for all tests here, into an empty project outside the repository.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly tarball: string;
    readonly project: string;
  }
}

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

export default async function install({ provide }: TestProject) {
  // As in scripts/build-first.mjs.
  if (process.env.npm_lifecycle_event !== 'test') await run('npm', ['run', '-s', 'build'], { cwd: root });
  const folder = await mkdtemp(join(tmpdir(), 'fuseline-package-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Without its scripts: `prepack` empties dist, and other tests run from there meanwhile.
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: root,
    });
    const tarball = join(folder, JSON.parse(packed.stdout)[0].filename);
    const project = await mkdtemp(join(folder, 'project-'));
    await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await installed(tarball, project);
    provide('tarball', tarball);
    provide('project', project);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

async function installed(tarball: string, project: string) {
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries', '1'];
  try {
    await run('npm', ['install', tarball, ...quiet], { cwd: project, timeout: 120_000 });
  } catch (cause) {
    throw new Error(
      `The tests of the package install ${tarball}, which needs its dependencies from npm's cache or from the registry, and npm could not get them. With a network, run \`npm test\` again; without one, run the others: npx vitest run --project '!package'.`,
      { cause },
    );
  }
}
