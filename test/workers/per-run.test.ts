import { env, listDurableObjectIds } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { Asking, routeCases } from '../routes/cases.ts';
import { perRun } from './worker.ts';

const client = new Asking({ ask: async (path, init) => perRun.app.request(`http://localhost${path}`, init, env) });

describe('every run in an object of its own:', () => {
  test.each(routeCases)('$name', ({ run }) => run(client));
});

test('runs are listed page by page, newest first, and filtered by what their objects say', async () => {
  const label = crypto.randomUUID();
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) {
    ids.push(await client.dispatch('sum', { id: `${i}-${label}`, input: { a: i, b: 0 }, labels: { label } }));
    await client.dispatch('sum', { input: { a: i, b: 0 } });
  }
  const found: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await client.get<{ runs: { id: string }[]; cursor?: string }>(
      `/runs?label=label:${label}&limit=3${cursor}`,
    );
    expect(page.runs.length).toBeLessThanOrEqual(3);
    found.push(...page.runs.map(({ id }) => id));
    if (page.cursor === undefined) break;
    cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
  }
  expect(found).toEqual(ids.toReversed());
});

test('asking for a run that there is not makes no object', async () => {
  const before = (await listDurableObjectIds(env.EACH)).length;
  for (const path of ['', '/result', '/history', '/explain', '/export']) {
    expect((await client.ask(`/runs/${crypto.randomUUID()}${path}`)).status).toBe(404);
  }
  expect((await client.post(`/runs/${crypto.randomUUID()}/cancel`, {})).status).toBe(404);
  expect((await listDurableObjectIds(env.EACH)).length).toBe(before);
});

test('a run that is removed is no longer listed, and its id is free', async () => {
  const id = await client.dispatch('sum', { id: crypto.randomUUID(), input: { a: 1, b: 2 } });
  await client.get(`/runs/${id}/result?waitMs=20000`);
  expect((await client.ask(`/runs/${id}`, { method: 'DELETE' })).status).toBe(204);
  const { runs } = await client.get<{ runs: { id: string }[] }>('/runs');
  expect(runs.map((run) => run.id)).not.toContain(id);
  expect(await client.dispatch('sum', { id, input: { a: 2, b: 2 } })).toBe(id);
});

test('a run that another one has made is in its object, and found by its own id', async () => {
  const before = (await listDurableObjectIds(env.EACH)).length;
  const id = await client.dispatch('calling', { input: { a: 1, b: 2 } });
  expect(await client.get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({ value: 3 });
  const { steps } = await client.get<{ steps: { child: string }[] }>(`/runs/${id}`);
  const child = steps[0]?.child as string;
  expect(await client.get(`/runs/${child}`)).toMatchObject({ status: 'SUCCEEDED', parent: { run: id, step: 'sum' } });
  expect((await listDurableObjectIds(env.EACH)).length).toBe(before + 1);
  // Listed are those at the top.
  const { runs } = await client.get<{ runs: { id: string }[] }>('/runs');
  expect(runs.map((run) => run.id)).toContain(id);
  expect(runs.map((run) => run.id)).not.toContain(child);
  expect((await client.ask(`/runs/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect(await client.get(`/runs/${child}`)).toMatchObject({ status: 'SUCCEEDED' });
  expect((await client.ask(`/runs/${child}`, { method: 'DELETE' })).status).toBe(204);
  expect((await client.ask(`/runs/${child}`)).status).toBe(404);
  for (const odd of ['::x', 'a::b', 'x'.repeat(91)]) {
    const refused = await client.post('/workflows/sum/runs', { id: odd, input: { a: 1, b: 2 } });
    expect([refused.status, odd]).toEqual([400, odd]);
  }
});

test('workers from afar are told what to deploy instead', async () => {
  const response = await client.ask('/workers/some', {
    method: 'DELETE',
    headers: { 'fuseline-secret': 'x'.repeat(40) },
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("'per-run'") } });
});
