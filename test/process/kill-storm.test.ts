import { expect, test } from 'vitest';
import { fleet, historyOf, measured, resultsOf, until } from './fleet.ts';
import { STORM_STEPS } from './flows.ts';

const WORKERS = 4;
const KILLS = 15;
const CONCURRENCY = 4;

test(`${STORM_STEPS} steps end once each on ${WORKERS} processes, ${KILLS} times one killed and all of them at once`, async () => {
  const { flows, open, start, notes } = fleet();
  const storage = open();
  const run = await flows.storm.dispatch(undefined, { storage });
  const spawn = () => start({ what: 'start', workflows: ['storm'], engine: { concurrency: CONCURRENCY } });
  let workers = Array.from({ length: WORKERS }, spawn);
  let deaths = 0;
  const kill = async (victims: typeof workers) => {
    for (const victim of victims) victim.signal('SIGKILL');
    await Promise.all(victims.map(({ ended }) => ended));
    deaths += victims.length;
    workers = [...workers.filter((worker) => !victims.includes(worker)), ...victims.map(spawn)];
  };
  /** A worker in the middle of a body. */
  const busy = () => {
    const open = new Map<string, number>();
    for (const { pid, step, attempt, what } of notes())
      if (what === 'begin') open.set(`${step}/${attempt}`, pid);
      else open.delete(`${step}/${attempt}`);
    const holders = new Set(open.values());
    return workers.find(({ pid }) => holders.has(pid));
  };
  for (let n = 0; n < KILLS; n++) {
    const before = notes().length;
    // Something has gone on since the last kill.
    const victim = await until(() => (notes().length > before + 3 ? busy() : undefined), 'a worker with a claim');
    await kill([victim]);
  }
  await kill([...workers]);
  await run.result();

  const history = await historyOf(storage, run.id);
  const results = resultsOf(history);
  expect(results.size).toBe(STORM_STEPS);
  expect([...results.values()].filter((attempts) => attempts.length !== 1)).toEqual([]);
  const begun = new Set(notes().flatMap(({ what, step, attempt }) => (what === 'end' ? [`${step}/${attempt}`] : [])));
  // The attempt the journal names did run to its end.
  for (const [step, [attempt]] of results) expect(begun).toContain(`${step}/${attempt}`);
  const repeats = notes().filter(({ what }) => what === 'begin').length - STORM_STEPS;
  expect(measured('repeated bodies', repeats, `for ${deaths} deaths`)).toBeLessThanOrEqual(deaths * CONCURRENCY);

  for (const worker of workers) worker.signal('SIGTERM');
  expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(workers.map(() => 0));
  expect(await storage.workers()).toEqual([]);
  const reopened = open();
  expect(await reopened.status(run.id)).toBe('SUCCEEDED');
}, 90_000);
