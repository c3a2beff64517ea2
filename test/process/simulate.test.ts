import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const FLOWS = `
import { setTimeout as sleep } from 'node:timers/promises';
import { workflow } from 'fuseline';
import { simulated } from 'fuseline/testing';

const order = workflow('order', ($) => $.step('charge', {}, () => sleep(60_000, 'paid'), { retry: 3 }));
export const waiting = workflow('waiting', ($) => $.step('ask', {}, () => sleep(60_000)));
export const broken = workflow('broken', ($) => $.step('boom', {}, () => { throw new Error('no luck'); }));
export const inWorlds = simulated(order, { steps: { charge: [new Error('down'), () => 'receipt'] } });
`;

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'fuseline-simulate-'));
  await mkdir(join(project, 'node_modules'));
  await symlink(resolve('.'), join(project, 'node_modules/fuseline'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'flows.ts'), FLOWS);
});

afterAll(() => rm(project, { recursive: true, force: true }));

test.each([
  ['order', 0, 'stdout', '5 worlds, no promise broken'],
  ['waiting', 5, 'stderr', 'step "ask" of workflow "waiting" waits for the real world'],
  ['broken', 1, 'stderr', 'no run of workflow "broken" succeeds'],
] as const)('a workflow of one’s own, %s, is simulated and ends with %i', (workflow, code, stream, said) => {
  const words = ['simulate', 'flows.ts', '--workflow', workflow, '--worlds', '5'];
  const ended = spawnSync(process.execPath, [resolve('dist/cli/main.js'), ...words], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(ended[stream]).toContain(said);
  expect(ended.status).toBe(code);
});
