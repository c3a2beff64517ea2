import { env, exports } from 'cloudflare:workers';
import { durableWorkflows } from 'fuseline/durable-object';
import { describe, expect, test } from 'vitest';
import { Asking, routeCases } from '../routes/cases.ts';
import { dispatch, get } from './client.ts';
import { SHARDS, sum } from './worker.ts';

describe('the routes', () => {
  const client = new Asking({ ask: async (path, init) => exports.default.fetch(`http://localhost${path}`, init) });
  test.each(routeCases)('$name', ({ run }) => run(client));
});

test('a list goes page by page over all shards, newest first', async () => {
  const label = crypto.randomUUID();
  const ids: string[] = [];
  for (let i = 0; i < 12; i++) ids.push(await dispatch('sum', { input: { a: i, b: 0 }, labels: { label } }));
  expect(new Set(ids.map((id) => id.split('.')[0])).size).toBeGreaterThan(1);
  const found: { readonly id: string; readonly createdAt: number }[] = [];
  for (let cursor = ''; ; ) {
    const page = await get<{ runs: typeof found; cursor?: string }>(`/runs?label=label:${label}&limit=5${cursor}`);
    expect(page.runs.length).toBeLessThanOrEqual(5);
    found.push(...page.runs);
    if (page.cursor === undefined) break;
    cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
  }
  expect(found.map(({ id }) => id).sort()).toEqual(ids.sort());
  const times = found.map(({ createdAt }) => createdAt);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('a shard that there is not is refused before any object is asked', async () => {
  const response = await exports.default.fetch('http://localhost/runs/3.some');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'INVALID_ID' } });
});

test('runs of one namespace do not exist for callers of another, nor does anything say that they do', async () => {
  const { app } = durableWorkflows({
    workflows: [sum],
    binding: 'RUNS',
    shards: SHARDS,
    auth: (request) => ({ role: 'admin', namespace: request.headers.get('x-tenant') ?? 'nobody' }),
  });
  const ask = async (tenant: string, method: string, path: string, body?: object) => {
    const headers = { 'x-tenant': tenant, 'content-type': 'application/json' };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await app.request(`https://runs.example${path}`, init, env);
    return { status: response.status, text: await response.text() };
  };
  const dispatched = await ask('one', 'POST', '/workflows/sum/runs', { id: 'shared', input: { a: 1, b: 1 } });
  const { id } = JSON.parse(dispatched.text) as { readonly id: string };
  expect((await ask('one', 'GET', `/runs/${id}`)).status).toBe(200);
  for (const [method, path] of [
    ['GET', `/runs/${id}`],
    ['DELETE', `/runs/${id}`],
    ['GET', `/runs/${id}/result`],
    ['GET', `/runs/${id}/history`],
    ['GET', `/runs/${id}/events`],
    ['GET', `/runs/${id}/export`],
    ['POST', `/runs/${id}/cancel`],
  ] as const) {
    const { status, text } = await ask('two', method, path);
    const other = await ask('two', method, path.replace(id, '0.never'));
    expect([path, status]).toEqual([path, 404]);
    expect(text).toBe(other.text.replace('0.never', id));
  }
  expect(JSON.parse((await ask('two', 'GET', '/runs')).text)).toEqual({ runs: [] });
  // The same id is free in another namespace, for another input.
  expect((await ask('two', 'POST', '/workflows/sum/runs', { id: 'shared', input: { a: 2, b: 2 } })).status).toBe(202);
});
