import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { signalLink } from 'fuseline/http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Asking, routeCases } from '../routes/cases.ts';

const MAIN = resolve('dist/cli/main.js');
const FLOWS = resolve('test/routes/flows.ts');

interface Served {
  readonly child: ChildProcess;
  readonly client: Asking;
  readonly stderr: () => string;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

const children = new Set<ChildProcess>();
let home: string;

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, 'serve', ...args], { env: { ...process.env, ...env } });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

/** A service on a port of its own, once it listens. */
async function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const started = start([...args, '--port', '0', '--json'], env);
  while (!started.stdout().includes('\n')) {
    const code = await Promise.race([started.ended, once(started.child.stdout, 'data').then(() => undefined)]);
    if (code !== undefined) throw new Error(`it ended with ${code}: ${started.stderr()}`);
  }
  const { address } = JSON.parse(started.stdout()) as { readonly address: string };
  return { ...started, client: new Asking({ ask: (path, init) => fetch(`${address}${path}`, init) }) };
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'fuseline-serve-'));
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

describe('the routes', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve([join(home, 'routes'), FLOWS, '--queue', 'default']);
  });
  afterAll(() => served.child.kill('SIGKILL'));

  test.each(routeCases)('$name', ({ run }) => run(served.client));
});

describe('a service', () => {
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  test('lets in who brings a token, as what it is for, and nobody else', async () => {
    const { client } = await serve([join(home, 'tokens'), FLOWS], {
      FUSELINE_CLIENT_TOKEN: 'client-0123456789',
      FUSELINE_ADMIN_TOKEN: 'admin-0123456789',
    });
    const status = async (token: string | undefined, method: string, path: string) =>
      (await client.ask(path, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })).status;
    expect(await status(undefined, 'GET', '/runs')).toBe(401);
    expect(await status('client-0123456788', 'GET', '/runs')).toBe(401);
    expect(await status('client-0123456789', 'GET', '/runs')).toBe(200);
    expect(await status('client-0123456789', 'DELETE', '/runs/some')).toBe(403);
    expect(await status('admin-0123456789', 'DELETE', '/runs/some')).toBe(404);
  });

  test('sends what a link says that was signed with its secret, once, for whoever brings it', async () => {
    const secret = 'links-0123456789-0123456789-0123456789';
    const { client } = await serve([join(home, 'links'), FLOWS, '--queue', 'default'], {
      FUSELINE_CLIENT_TOKEN: 'client-0123456789',
      FUSELINE_LINK_SECRET: secret,
    });
    const authorization = 'Bearer client-0123456789';
    const asClient = new Asking({
      ask: (path, init) =>
        client.ask(path, { ...init, headers: { 'content-type': 'application/json', authorization } }),
    });
    const run = await asClient.dispatch('elsewhere', {});
    const link = await signalLink('', { run, signal: 'some', once: 'some', expires: '1h', secret });
    const answers = [await client.ask(link), await client.ask(link, { method: 'POST' }), await client.ask(link)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 410]);
    expect(await asClient.get(`/runs/${run}`)).toMatchObject({ signals: [{ name: 'some' }] });
  });

  test('that is told to end takes nothing more, cuts off who only waits, and ends well', async () => {
    const { client, child, ended, stderr } = await serve([join(home, 'ended'), FLOWS, '--queue', 'default']);
    const id = await client.dispatch('elsewhere', {});
    const reader = ((await client.ask(`/runs/${id}/events`)).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(stderr()).toContain('draining');
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    await expect(client.ask('/status')).rejects.toThrow();
  });

  test('that only serves leaves the work to others', async () => {
    const { client } = await serve([join(home, 'idle'), FLOWS, '--no-work']);
    const id = await client.dispatch('sum', { input: { a: 1, b: 2 } });
    await expect
      .poll(() => client.get(`/runs/${id}/explain`), { timeout: 20_000 })
      .toMatchObject({ sentence: expect.stringMatching(/no live worker|waits for a worker/) });
  });
});

test('a service for other machines needs tokens, and says which', async () => {
  const { ended, stderr } = start([join(home, 'open'), FLOWS, '--host', '0.0.0.0', '--port', '0']);
  expect(await ended).toBe(2);
  expect(stderr()).toContain('FUSELINE_CLIENT_TOKEN');
});

test('a secret of links that could be guessed is refused', async () => {
  const { ended, stderr } = start([join(home, 'guessed'), FLOWS, '--port', '0'], { FUSELINE_LINK_SECRET: 'short' });
  expect(await ended).toBe(2);
  expect(stderr()).toContain('FUSELINE_LINK_SECRET');
});

test('a port that is taken is named', async () => {
  const { client } = await serve([join(home, 'first'), FLOWS]);
  const { port } = new URL((await client.ask('/status')).url);
  const { ended, stderr } = start([join(home, 'second'), FLOWS, '--port', port]);
  expect(await ended).toBe(2);
  expect(stderr()).toContain(`port ${port}`);
});
