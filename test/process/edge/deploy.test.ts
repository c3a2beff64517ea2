import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Workerd, workerd } from './workerd.ts';

/** Whoever tells it of a first attempt waits for ever. */
const held: ServerResponse[] = [];
const witness = createServer((request, response) => {
  if (request.url === '/?attempt=1') held.push(response);
  else response.end('told');
});

let runtime: Workerd;
beforeAll(async () => {
  witness.listen(0, '127.0.0.1');
  await once(witness, 'listening');
  runtime = await workerd('test/workers/before.ts');
});
afterAll(async () => {
  await runtime.remove();
  witness.closeAllConnections();
  witness.close();
});

const ask = <T>(path: string, body?: unknown): Promise<T> => runtime.ask<T>(path, body);

test('a deploy that strands one run says so of it, and everything else goes on with the new code', async () => {
  const input = { witness: `http://127.0.0.1:${(witness.address() as AddressInfo).port}/` };
  const dispatch = (workflow: string, id: string) => ask<{ id: string }>(`/workflows/${workflow}/runs`, { id, input });
  const result = (id: string) => ask(`/runs/${id}/result?waitMs=20000`);
  const stranded = async () => {
    const { runs } = await ask<{ runs: { id: string; stranded: { step: string }[] }[] }>('/runs');
    return Object.fromEntries(runs.map(({ id, stranded }) => [id, stranded.map(({ step }) => step)]));
  };
  await runtime.start();
  const [changed, same] = [(await dispatch('changed', 'changed')).id, (await dispatch('same', 'same')).id];
  await expect.poll(() => held.length, { timeout: 20_000, interval: 5 }).toBe(2);
  expect(await stranded()).toEqual({ [changed]: [], [same]: [] });
  await runtime.kill();
  await runtime.deploy('test/workers/after.ts');
  await runtime.start();

  expect(await result(same)).toEqual({ status: 'SUCCEEDED', value: 'after: told' });
  await expect.poll(stranded, { timeout: 20_000 }).toEqual({ [changed]: ['dropped'], [same]: [] });
  expect(await ask(`/runs/${changed}/explain`)).toEqual({
    sentence: expect.stringMatching(/dropped.*no live worker/i),
  });
  const next = (await dispatch('changed', 'next')).id;
  await runtime.kill();
  await runtime.start();
  expect(await result(next)).toEqual({ status: 'SUCCEEDED', value: 'after: told' });

  // The code that knows the step takes the run up again.
  await runtime.kill();
  await runtime.deploy('test/workers/before.ts');
  await runtime.start();
  expect(await result(changed)).toEqual({ status: 'SUCCEEDED', value: 'before: told' });
});
