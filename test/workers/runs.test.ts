import { env, exports } from 'cloudflare:workers';
import { durableWorkflows } from 'fuseline/durable-object';
import { expect, test } from 'vitest';
import { dispatch, get, post } from './client.ts';
import { SHARDS, sum } from './worker.ts';

test('what is dispatched is run, and its result is answered when it is there', async () => {
  const id = await dispatch('sum', { input: { a: 1, b: 2 } });
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: 3 });
  expect(await get(`/runs/${id}`)).toMatchObject({ id, workflow: 'sum', status: 'SUCCEEDED' });
});

test('the same id and input again finds the run there is, another input is refused', async () => {
  const order = { id: crypto.randomUUID(), input: { a: 1, b: 2 } };
  const first = await dispatch('sum', order);
  expect(await dispatch('sum', order)).toBe(first);
  expect(await dispatch('sum', { ...order, id: first })).toBe(first);
  const other = await post('/workflows/sum/runs', { ...order, input: { a: 2, b: 2 } });
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ error: { code: 'INPUT_MISMATCH' } });
});

test('a run that failed answers with what failed', async () => {
  const id = await dispatch('faulty', {});
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({
    status: 'FAILED',
    error: { code: 'RUN_FAILED', failures: [{ step: 'broken', attempt: 1, message: 'it is broken' }] },
  });
});

test('a step of a queue the object does not serve is left for others', async () => {
  const id = await dispatch('elsewhere', {});
  await expect
    .poll(() => get(`/runs/${id}/explain`), { timeout: 20_000 })
    .toMatchObject({ sentence: expect.stringContaining('gpu') });
  expect(await get(`/runs/${id}/result`)).toEqual({ status: 'RUNNING' });
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

test('what there is nothing of is not found', async () => {
  for (const path of ['/runs/0.nothing', '/runs/nothing', '/runs/0.nothing/result', '/nothing']) {
    const response = await exports.default.fetch(`http://localhost${path}`);
    expect([path, response.status]).toEqual([path, 404]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    await response.body?.cancel();
  }
  expect((await post('/workflows/nothing/runs', {})).status).toBe(404);
});

test('a shard that there is not is refused before any object is asked', async () => {
  const response = await exports.default.fetch('http://localhost/runs/3.some');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'INVALID_ID' } });
});

test('a run is paused, resumed and cancelled', async () => {
  const id = await dispatch('gated', { input: crypto.randomUUID() });
  expect((await post(`/runs/${id}/pause`, {})).status).toBe(204);
  expect(await get(`/runs/${id}`)).toMatchObject({ status: 'PAUSED' });
  expect((await post(`/runs/${id}/resume`, {})).status).toBe(204);
  expect((await post(`/runs/${id}/cancel`, { commandId: 'once' })).status).toBe(204);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({
    status: 'CANCELLED',
    error: { code: 'RUN_CANCELLED' },
  });
});

test('the history of a run comes in pages, and all of it in its export', async () => {
  const id = await dispatch('sum', { input: { a: 3, b: 4 } });
  await get(`/runs/${id}/result?waitMs=20000`);
  const events: { readonly type: string }[] = [];
  for (let from = 0; ; ) {
    const page = await get<{ events: typeof events; next?: number }>(`/runs/${id}/history?from=${from}&limit=2`);
    events.push(...page.events);
    if (page.next === undefined) break;
    from = page.next;
  }
  expect(events.map(({ type }) => type)).toContain('created');
  expect(events.at(-1)).toMatchObject({ type: 'ended', status: 'SUCCEEDED' });
  expect(await get(`/runs/${id}/export`)).toMatchObject({ format: 'fuseline-run/1', id });
});

test('the events of a run are streamed until it has ended, and go on where a reader left off', async () => {
  const id = await dispatch('sum', { input: { a: 5, b: 6 } });
  const stream = async (headers: HeadersInit = {}) => {
    const response = await exports.default.fetch(`http://localhost/runs/${id}/events`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const { text } = await stream();
  const { events } = await get<{ events: readonly { seq: number; index: number }[] }>(`/runs/${id}/history`);
  const datas = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  expect(datas(text)).toEqual(events);
  const { seq, index } = events[2] as (typeof events)[number];
  expect(datas((await stream({ 'last-event-id': `${seq}.${index}` })).text)).toEqual(events.slice(3));
  const last = events.at(-1) as (typeof events)[number];
  expect(await stream({ 'last-event-id': `${last.seq}.${last.index}` })).toEqual({ status: 204, text: '' });
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
