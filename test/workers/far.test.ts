import { env, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { exports } from 'cloudflare:workers';
import { ProcessEngine } from 'fuseline';
import { DurableObjectStorage, DurableObjectStore } from 'fuseline/durable-object';
import { HttpStorage } from 'fuseline/http';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { FarWorkers } from '../../src/edge/far-workers.ts';
import { elsewhere } from '../routes/flows.ts';
import { dispatch, get, post } from './client.ts';
import { inObject } from './objects.ts';
import { type Runs, SHARDS, sum } from './worker.ts';

const storages: HttpStorage[] = [];

function far(): HttpStorage {
  const storage = new HttpStorage('http://localhost', { fetch: (url, init) => exports.default.fetch(url, init) });
  storages.push(storage);
  return storage;
}

afterAll(() => Promise.all(storages.map((storage) => storage.close())));

function objectOf(run: string): DurableObjectStub<Runs> {
  return env.RUNS.getByName(`shard-${run.split('.')[0]}`);
}

test('one run has steps in its object and steps of a worker far away, whatever shard it is on', async () => {
  const storage = far();
  const engine = new ProcessEngine(elsewhere, storage, { queues: ['gpu'], name: 'far' });
  onTestFinished(() => engine.stop());
  await engine.start();
  // Where ids are left to chance, a shard may be left out.
  const ids = Array.from({ length: 12 }, (_, i) => `${i % SHARDS}.${crypto.randomUUID()}`);
  const runs = await Promise.all(ids.map((id) => elsewhere.dispatch(undefined, { storage, id })));
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(runs.map(() => 'there'));
  const workers = await storage.workers();
  expect(workers.filter(({ name }) => name === 'far')).toHaveLength(1);
  await engine.stop();
  expect((await storage.workers()).filter(({ name }) => name === 'far')).toEqual([]);
});

test('lists, views and histories are read over all shards, a run also by the id it was asked for', async () => {
  const storage = far();
  const kind = crypto.randomUUID();
  const runs = await Promise.all(
    Array.from({ length: 7 }, (_, i) =>
      sum.dispatch({ a: i, b: 1 }, { storage, id: `${kind}-${i}`, labels: { kind }, startAt: Date.now() + i }),
    ),
  );
  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const first = await storage.list({ labels: { kind }, limit: 4 });
  const rest = await storage.list({ labels: { kind }, limit: 4, ...(first.cursor && { cursor: first.cursor }) });
  const listed = [...first.runs, ...rest.runs].map(({ id }) => id);
  expect(listed.toSorted()).toEqual(runs.map(({ id }) => id).sort());
  expect(await storage.status(`${kind}-3`)).toBe('SUCCEEDED');
  const exported = await storage.export(runs[0]?.id ?? '');
  expect(exported).toEqual(await get(`/runs/${runs[0]?.id}/export`));
});

test('a worker far away that is heard no more is given up by the alarm of the object alone', async () => {
  const id = await dispatch('elsewhere', {});
  const register = (worker: string) =>
    fetchJson('/workers', { id: worker, name: worker, queues: ['gpu'], workflows: [{ hash: elsewhere.graph().hash }] });
  const [lost, heir] = [`lost-${crypto.randomUUID()}`, `heir-${crypto.randomUUID()}`];
  await register(lost);
  await expect.poll(async () => (await fetched(lost, id)).length, { timeout: 20_000 }).toBe(1);
  const stub = objectOf(id);
  const alarmAt = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
  // It is set to the end of its patience, and to nothing before.
  await expect.poll(async () => ((await alarmAt()) ?? 0) - Date.now(), { timeout: 20_000 }).toBeGreaterThan(20_000);
  expect(((await alarmAt()) ?? 0) - Date.now()).toBeLessThanOrEqual(30_000);
  await runInDurableObject(stub, async (_, { storage }) => {
    const store = new DurableObjectStore(storage);
    const key = `session/${lost}`;
    const [row] = await store.read([key]);
    const session = JSON.parse(row?.value ?? '') as { readonly heardAt: number };
    await store.commit({ put: [{ key, value: JSON.stringify({ ...session, heardAt: session.heardAt - 31_000 }) }] });
  });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  const sessions = () =>
    runInDurableObject(stub, async (_, { storage }) => new DurableObjectStore(storage).read([`session/${lost}`]));
  expect(await sessions()).toEqual([undefined]);
  // The other objects have given it nothing and know it still: it is made known here again, without what it held.
  expect(await fetchJson(`/workers/${lost}/heartbeat`, {})).toBeUndefined();
  expect(await sessions()).toMatchObject([{ key: `session/${lost}` }]);
  await register(heir);
  await expect.poll(async () => (await fetched(heir, id))[0]?.attempt, { timeout: 20_000 }).toBe(2);
});

test('an object that was away while workers could have been heard gives them a moment before it gives them up', () =>
  inObject(async (state) => {
    const storage = new DurableObjectStorage(state);
    const store = new DurableObjectStore(state.storage);
    const silent = async (worker: string, ms: number) => {
      await storage.register(worker, { name: worker, definitions: [], queues: [], proof: 'its hash' });
      const [row] = await store.read([`session/${worker}`]);
      const session = JSON.parse(row?.value ?? '');
      await store.commit({
        put: [{ key: `session/${worker}`, value: JSON.stringify({ ...session, heardAt: session.heardAt - ms }) }],
      });
    };
    await silent('long', 400_000);
    await silent('just', 300_000);
    const far = new FarWorkers(storage);
    await far.giveUpSilent();
    expect((await storage.workers()).map(({ id }) => id)).toEqual(['long']);
    const next = ((await far.nextSilence()) ?? 0) - Date.now();
    expect(next).toBeGreaterThan(10_000);
    expect(next).toBeLessThanOrEqual(15_000);
  }));

test('what was claimed for a worker that had left by then, the object hands out again by itself', async () => {
  const id = await dispatch('elsewhere', {});
  const register = (worker: string) =>
    fetchJson('/workers', { id: worker, name: worker, queues: ['gpu'], workflows: [{ hash: elsewhere.graph().hash }] });
  const [lost, heir] = [`lost-${crypto.randomUUID()}`, `heir-${crypto.randomUUID()}`];
  await register(lost);
  await expect.poll(async () => (await fetched(lost, id)).length, { timeout: 20_000 }).toBe(1);
  await runInDurableObject(objectOf(id), (_, { storage }) =>
    new DurableObjectStore(storage).commit({ delete: [`session/${lost}`] }),
  );
  await register(heir);
  await expect.poll(async () => (await fetched(heir, id)).length, { timeout: 20_000 }).toBe(1);
});

async function fetched(worker: string, run: string): Promise<readonly { readonly attempt: number }[]> {
  const { claims } = await fetchJson<{ readonly claims: readonly { readonly attempt: number }[] }>(
    `/workers/${worker}/fetch`,
    { run },
  );
  return claims;
}

async function fetchJson<T>(path: string, body: object): Promise<T> {
  const response = await post(path, body, { 'fuseline-secret': 'x'.repeat(32) });
  return (response.status === 204 ? undefined : await response.json()) as T;
}
