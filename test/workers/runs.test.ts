import { exports } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { dispatch, get, post } from './client.ts';

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
