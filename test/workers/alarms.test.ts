import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { dispatch, get, post } from './client.ts';
import { alarmOf, heldRun, objectOf } from './held.ts';
import { broken, entered, open } from './worker.ts';

test('an alarm whose handler fails six times, after which the platform gives it up, rings a seventh time', async () => {
  const { id, gate } = await heldRun();
  broken.alarms = 6;
  for (let rung = 0; rung < 6; rung++) await expect(runDurableObjectAlarm(objectOf(id))).rejects.toThrow('broken');
  expect(broken.alarms).toBe(0);
  const again = await alarmOf(id);
  expect(again).not.toBeNull();
  // Set ahead by the handler itself, and rung by the platform.
  await expect.poll(() => alarmOf(id), { timeout: 20_000 }).not.toBe(again);
  open.add(gate);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({ status: 'SUCCEEDED' });
  expect(entered.filter((entry) => entry.startsWith(gate))).toEqual([`${gate}, attempt 1`]);
});

test('storage that is deleted under a run takes the run with it; the object goes on with what comes next', async () => {
  const { id, gate } = await heldRun();
  await runInDurableObject(objectOf(id), (_, { storage }) => storage.deleteAll());
  open.add(gate);
  await expect.poll(() => get(`/runs/${id}`), { timeout: 20_000 }).toMatchObject({ error: { code: 'UNKNOWN_RUN' } });
  expect((await post(`/runs/${id}/cancel`, {})).status).toBe(404);
  // The same id, and so the same object.
  expect(await dispatch('sum', { id, input: { a: 1, b: 2 } })).toBe(id);
  expect(await get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: 3 });
  await expect.poll(() => alarmOf(id), { timeout: 20_000 }).toBeNull();
  expect(entered.filter((entry) => entry.startsWith(gate))).toEqual([`${gate}, attempt 1`]);
});
