import { workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { served } from './rig.ts';

const quick = workflow('quick', ($) => $.step('go', {}, () => 1));

test('a list is chosen where the runs are, and comes in one request', async () => {
  await served([quick], async ({ behind, far }) => {
    for (let i = 0; i < 5; i++)
      await quick.dispatch(undefined, { storage: behind, id: `run-${i}`, labels: { odd: `${i % 2}` } });
    await behind.cancel('run-3');
    const asked: string[] = [];
    const storage = far((fetch) => (url, init) => {
      asked.push(`${init.method} ${new URL(url).pathname}`);
      return fetch(url, init);
    });
    const ids = async (query: Parameters<typeof storage.list>[0]) =>
      (await storage.list(query)).runs.map(({ id }) => id);
    expect(await ids({ status: ['CANCELLED', 'FAILED'] })).toEqual(['run-3']);
    expect(await ids({ labels: { odd: '1' }, status: 'PENDING' })).toEqual(['run-1']);
    const { cursor, runs } = await storage.list({ limit: 2, workflow: 'quick' });
    expect(runs.map(({ id }) => id)).toEqual(['run-4', 'run-3']);
    expect(await ids({ limit: 2, ...(cursor && { cursor }) })).toEqual(['run-2', 'run-1']);
    expect(asked).toEqual(Array(4).fill('GET /runs'));
    expect(await ids({ status: [] })).toEqual([]);
    await expect(storage.list({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

test('a token that asks for no list reads it from the rows', async () => {
  await served([quick], async ({ behind, far }) => {
    await quick.dispatch(undefined, { storage: behind, id: 'run' });
    const refusal = { error: { code: 'FORBIDDEN', message: 'this needs a token of the kind client or admin' } };
    const storage = far(
      (fetch) => async (url, init) =>
        init.method === 'GET' ? Response.json(refusal, { status: 403 }) : fetch(url, init),
    );
    expect((await storage.list()).runs).toMatchObject([{ id: 'run', workflow: 'quick', status: 'PENDING' }]);
  });
});
