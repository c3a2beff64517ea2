import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { dispatch, get, post } from './client.ts';
import { alarmOf, heldRun, isEntered, objectOf } from './held.ts';
import { entered, open } from './worker.ts';

test('an object that dies in the middle of a step goes on from its alarm alone, within a second or two', async () => {
  const { id, gate } = await heldRun();
  await abortAllDurableObjects();
  const diedAt = Date.now();
  // Nobody asks anything of the object.
  await isEntered(`${gate}, attempt 2`);
  expect(Date.now() - diedAt).toBeLessThan(5_000);
  open.add(gate);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: `${gate} is open` });
  const { steps } = await get<{ steps: { name: string; attempt: number }[] }>(`/runs/${id}`);
  expect(steps).toMatchObject([
    { name: 'held', attempt: 2 },
    { name: 'after', attempt: 1 },
  ]);
});

test('an object that was evicted while a step waited for its next attempt wakes up for it', async () => {
  const name = crypto.randomUUID();
  const id = await dispatch('napping', { input: name });
  await isEntered(`${name}, attempt 1`);
  await expect.poll(() => alarmOf(id), { timeout: 20_000 }).toBeGreaterThan(Date.now());
  await evictDurableObject(objectOf(id));
  await isEntered(`${name}, attempt 2`);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: 2 });
});

test('an object that lost its alarm with its life goes on when it is asked anything', async () => {
  const { id, gate } = await heldRun();
  await runInDurableObject(objectOf(id), (_, { storage }) => storage.deleteAlarm());
  await abortAllDurableObjects();
  await get('/workers');
  await isEntered(`${gate}, attempt 2`);
  open.add(gate);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({ status: 'SUCCEEDED' });
});

test('an alarm that rings twice starts nothing twice', async () => {
  const { id, gate } = await heldRun();
  const ringing = Promise.all([1, 2].map(() => runInDurableObject(objectOf(id), (runs) => runs.alarm())));
  open.add(gate);
  await ringing;
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({ status: 'SUCCEEDED' });
  expect(entered.filter((entry) => entry.startsWith(gate))).toEqual([`${gate}, attempt 1`]);
});

test('an object sleeps until a step is due again, and for good when none is', async () => {
  const before = Date.now();
  const id = await dispatch('patient', {});
  const isInAnHour = () =>
    expect.poll(() => alarmOf(id), { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 3_600_000);
  await isInAnHour();
  expect(await runDurableObjectAlarm(objectOf(id))).toBe(true);
  await isInAnHour();
  expect((await post(`/runs/${id}/cancel`, {})).status).toBe(204);
  await expect.poll(() => alarmOf(id), { timeout: 20_000 }).toBeNull();
});
