import { env } from 'cloudflare:workers';
import { durableWorkflows } from 'fuseline/durable-object';
import { signalLink } from 'fuseline/http';
import { afterEach, expect, test, vi } from 'vitest';
import { Asking } from '../routes/cases.ts';
import app from './approval.ts';
import { perRun, sum } from './worker.ts';

const client = new Asking({
  ask: async (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', 'Bearer client-0123456789');
    const own = { RUNS: env.APPROVALS, CLIENT_TOKEN: 'client-0123456789', LINK_SECRET: env.LINK_SECRET };
    return app.request(`https://runs.example${path}`, { ...init, headers }, own);
  },
});

/** Whoever has the mail, and no token. */
const open = (link: string, method: 'GET' | 'POST') =>
  app.request(link, { method }, { RUNS: env.APPROVALS, LINK_SECRET: env.LINK_SECRET });

/** Dispatches a run, and answers the links in its mail. */
async function ask(): Promise<{ readonly id: string; readonly approve: string; readonly reject: string }> {
  const mailed = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response());
  const id = await client.dispatch('approval', { input: { what: 'a desk', approver: 'boss@example.com' } });
  await expect
    .poll(() => client.get(`/runs/${id}/explain`), { timeout: 20_000 })
    .toMatchObject({ sentence: expect.stringContaining('signal') });
  const { text } = JSON.parse(mailed.mock.calls[0]?.[1]?.body as string) as { readonly text: string };
  const [approve = '', reject = ''] = text.split('\n');
  return { id, approve, reject };
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('a run goes on with the first answer that somebody gives by a link of its mail, and nothing comes of any other', async () => {
  const { id, approve, reject } = await ask();
  for (const link of [approve, reject]) {
    const page = await open(link, 'GET');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('a desk');
  }
  expect(await client.get(`/runs/${id}/result`)).toEqual({ status: 'RUNNING' });
  const [answered, repeated, other] = [
    await open(reject, 'POST'),
    await open(reject, 'POST'),
    await open(approve, 'POST'),
  ];
  expect(answered.status).toBe(200);
  for (const late of [repeated, other]) {
    expect(late.status).toBe(410);
    expect(await late.json()).toMatchObject({ error: { code: 'LINK_USED' } });
  }
  expect(await client.get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: false });
  const { events } = await client.get<{ events: readonly { type: string }[] }>(`/runs/${id}/history`);
  expect(events.filter(({ type }) => type === 'signal')).toHaveLength(1);
});

test('a link that has expired, one of another secret and one into another namespace reach nothing', async () => {
  const { id } = await ask();
  const link = (options: object) =>
    signalLink('https://runs.example', {
      run: id,
      signal: 'approved',
      payload: true,
      once: 'some',
      expires: '1h',
      secret: env.LINK_SECRET,
      ...options,
    });
  for (const [options, status, code] of [
    [{ expires: new Date(Date.now() - 1) }, 410, 'LINK_EXPIRED'],
    [{ secret: 'x'.repeat(32) }, 404, 'UNKNOWN_LINK'],
    [{ namespace: 'acme' }, 404, 'UNKNOWN_RUN'],
  ] as const)
    for (const method of ['GET', 'POST'] as const) {
      const response = await open(await link(options), method);
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
  expect(await client.get(`/runs/${id}`)).toMatchObject({ status: 'RUNNING', signals: [] });
});

test('where every run has an object of its own, a link to a run that there is not makes none', async () => {
  const { app } = durableWorkflows({
    workflows: [sum],
    binding: 'EACH',
    shards: 'per-run',
    links: { secret: 'LINK_SECRET' },
  });
  const send = async (run: string) => {
    const terms = { run, signal: 'some', once: 'some', expires: '1h', secret: env.LINK_SECRET } as const;
    return (await app.request(await signalLink('https://runs.example', terms), { method: 'POST' }, env)).status;
  };
  const own = new Asking({ ask: async (path, init) => perRun.app.request(`http://localhost${path}`, init, env) });
  const run = await own.dispatch('elsewhere', {});
  expect([await send(run), await send(run), await send(`${run}-not`)]).toEqual([200, 410, 404]);
  expect(await own.get(`/runs/${run}`)).toMatchObject({ signals: [{ name: 'some' }] });
});
