import { defineGraph, ProcessEngine } from 'fuseline';
import { seeded } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { served } from './rig.ts';

const STEPS = 40;
const BODY_MS = 20;
const LATE_MS = 30;
/** Of requests, and of answers. */
const LOST = 0.1;
const LIFE_MS = 300;

test.each([1, 2, 3])(
  'storm %i: requests and answers are lost and late, one of three workers dies, and every step is done once',
  async (seed) => {
    const random = seeded(seed);
    const names = Array.from({ length: STEPS }, (_, i) => `step ${i}`);
    const bodies: string[] = [];
    const steps = names.map((name, i) => ({
      name,
      after: names.slice(0, i).flatMap((step) => (random.chance(0.1) ? [{ step }] : [])),
    }));
    const handlers = names.map((name) => {
      const ms = random.below(BODY_MS);
      const run = async (_: unknown, { attempt }: { readonly attempt: number }): Promise<void> => {
        bodies.push(`${name}, attempt ${attempt}`);
        await after(ms);
      };
      return [name, run] as const;
    });
    const storm = defineGraph({ name: 'storm', steps }, Object.fromEntries(handlers));

    await served([storm], async ({ far, behind }) => {
      const dead = new Set<string>();
      const storages = ['a', 'b', 'victim'].map((name) => ({
        name,
        storage: far((fetch) => async (url, init) => {
          if (dead.has(name)) return never(init.signal);
          if (random.chance(LOST)) throw new TypeError('the request was lost');
          const response = await fetch(url, init);
          if (random.chance(0.3)) await after(random.below(LATE_MS));
          if (dead.has(name)) return never(init.signal);
          if (random.chance(LOST)) throw new TypeError('the answer was lost');
          return response;
        }),
      }));
      const run = await storm.dispatch(undefined, { storage: behind });
      const engines = storages.map(({ name, storage }) => new ProcessEngine(storm, storage, { name, concurrency: 3 }));
      // The victim's storage is closed at last.
      for (const engine of engines) engine.on('error', () => undefined);
      await Promise.all(engines.map((engine) => engine.start()));
      await after(random.below(LIFE_MS));
      dead.add('victim');
      const victim = (await behind.workers()).find(({ name }) => name === 'victim');
      if (victim) await behind.reap(victim.id);

      await behind.result(run.id);
      const ends: string[] = [];
      const losses: string[] = [];
      for await (const event of behind.history(run.id)) {
        if (event.type === 'succeeded') ends.push(event.step);
        if (event.type === 'lost') losses.push(event.step);
      }
      expect(ends.toSorted()).toEqual(names.toSorted());
      expect(new Set(bodies).size).toBe(bodies.length);
      const attempts = (await behind.get(run.id)).steps.map(({ attempt }) => attempt);
      expect(attempts.reduce((sum, attempt) => sum + attempt)).toBe(STEPS + losses.length);
      await Promise.all(storages.map(({ name, storage }) => dead.has(name) && storage.close()));
      await Promise.all(engines.map((engine) => engine.stop()));
    });
  },
);

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What a connection that died without a word answers, until somebody gives it up. */
function never(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new TypeError('there is nobody'));
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
  });
}
