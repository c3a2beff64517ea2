import { expect, test } from 'vitest';
import { fleet, historyOf, type Member, until } from './fleet.ts';
import { innocents } from './flows.ts';

// proves: lost.alone, lost.limit
test('a step that takes its worker down every time ends FAILED, and the 63 that ran beside it succeed', async () => {
  const { flows, open, start, notes } = fleet();
  const storage = open();
  const run = await flows.poison.dispatch(undefined, { storage });
  let respawning = true;
  const workers: Member[] = [];
  const keepAlive = async () => {
    while (respawning) {
      const worker = start({ what: 'start', workflows: ['poison'] });
      workers.push(worker);
      await worker.ended;
    }
  };
  const alive = keepAlive();
  const ended = await until(async () => (await storage.get(run.id)).endedAt, 'the end of the run');
  respawning = false;
  for (const worker of workers) worker.signal('SIGTERM');
  expect(ended).toBeGreaterThan(0);

  const { steps } = await storage.get(run.id);
  const poison = steps.find(({ name }) => name === 'poison');
  expect(poison).toMatchObject({ status: 'FAILED', error: { code: 'WORKER_LOST' } });
  expect(steps.filter(({ status }) => status === 'SUCCEEDED').map(({ name }) => name)).toEqual(innocents);
  // Only the first death took others along: each of them began twice at most.
  for (const innocent of innocents)
    expect(notes().filter(({ step, what }) => step === innocent && what === 'begin').length).toBeLessThanOrEqual(2);
  const losses = (await historyOf(storage, run.id)).filter((event) => event.type === 'lost' && event.step === 'poison');
  expect(losses.length).toBeLessThanOrEqual(6);
  await alive;
});
