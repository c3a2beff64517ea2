import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HttpStorage } from 'fuseline/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elsewhere } from '../routes/flows.ts';
import { type Child, start } from './children/child.ts';

const GRAPH = JSON.stringify(elsewhere.graph());
const processes = new Set<ChildProcess>();
const workers = new Set<Child>();
let home: string;

/** `fuseline serve`, which leaves the queue `gpu` to others. */
async function serve(name: string, port = '0'): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const args = ['serve', join(home, name), resolve('test/routes/flows.ts'), '--queue', 'default', '--json'];
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), ...args, '--port', port], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  processes.add(child);
  const [line] = await once(child.stdout, 'data');
  return { child, address: (JSON.parse(String(line)) as { readonly address: string }).address };
}

function work(address: string): Child {
  const child = start('far-worker.mjs', address, GRAPH);
  workers.add(child);
  return child;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'fuseline-far-'));
});

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  for (const child of workers) child.signal('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

describe.concurrent('a worker in another process, over HTTP', () => {
  test('that is killed in the middle of a step is given up after 30 seconds, and another one goes on', async () => {
    const { address } = await serve('killed');
    const storage = new HttpStorage(address);
    const run = await elsewhere.dispatch(undefined, { storage });
    const victim = work(address);
    await victim.wrote(2);
    expect(victim.lines()).toEqual(['ready', 'begun 1']);
    const heir = work(address);
    await heir.wrote(1);
    victim.signal('SIGKILL');
    const killedAt = Date.now();
    await heir.wrote(2);
    expect(heir.lines()).toEqual(['ready', 'begun 2']);
    // It may have been heard right before it was killed, and is looked for once a second.
    expect(Date.now() - killedAt).toBeGreaterThan(15_000);
    heir.say('go on');
    expect(await run.result()).toBe('by attempt 2');
    await storage.close();
  });

  test('finishes its step while its service is dead, and reports to the next one', async () => {
    const { child, address } = await serve('restarted');
    const storage = new HttpStorage(address);
    const run = await elsewhere.dispatch(undefined, { storage });
    const worker = work(address);
    await worker.wrote(2);
    child.kill('SIGKILL');
    await once(child, 'close');
    worker.say('go on');
    await serve('restarted', new URL(address).port);
    await worker.wrote(3);
    expect(worker.lines()).toEqual(['ready', 'begun 1', 'finished 1']);
    expect(await run.result()).toBe('by attempt 1');
    await storage.close();
  });
});
