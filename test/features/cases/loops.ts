import { ProcessEngine, workflow } from 'fuseline';
import { ensure, equal } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

export interface Count {
  readonly n: number;
  readonly keys: readonly string[];
}

export const counting = workflow('features-counting', ($) => {
  const zero = $.step('zero', {}, (): Count => ({ n: 0, keys: [] }));
  const three = $.loop(
    'three',
    zero,
    ({ n, keys }, { key, attempt }) => {
      if (n === 1 && attempt === 1) throw new Error('the second round fails once');
      return { n: n + 1, keys: [...keys, key] };
    },
    { until: ({ n }) => n === 3, retry: { attempts: 2, base: 1 } },
  );
  const endless = $.loop('endless', zero, (state) => state, {
    until: () => false,
    max: 4,
    fallback: () => ({ n: -1, keys: [] }),
  });
  const slow = $.loop('slow', zero, ({ n }) => ({ n: n + 1, keys: [] }), { until: ({ n }) => n === 2, every: 30 });
  return { three, endless, slow };
});

export const loopCases: readonly FeatureCase[] = [
  // proves: loop.state, loop.round, loop.key, loop.every, loop.limit
  {
    name: 'a loop goes on with what its last round handed back, until it is enough; each round has attempts and a key of its own',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await counting.dispatch(undefined, { storage });
        await new ProcessEngine(counting, storage).work(run.id);
        const { three, endless, slow } = await run.result();
        const key = `${run.id}/three`;
        equal(three, { n: 3, keys: [key, `${key}@1`, `${key}@2`] }, 'what the loop came to');
        equal(endless.n, -1, 'a loop that never has enough fails after its rounds');
        equal(slow.n, 2, 'a loop with a pause');
        const rounds = new Map<string, number[]>();
        for await (const event of storage.history(run.id))
          if (event.type === 'looped') rounds.set(event.step, [...(rounds.get(event.step) ?? []), event.at]);
        equal(
          [...rounds].map(([step, at]) => [step, at.length]).sort(),
          [
            ['endless', 3],
            ['slow', 1],
            ['three', 2],
          ],
          'rounds',
        );
        const view = await run.get();
        equal(
          view.steps.map(({ rounds = 0 }) => rounds),
          [0, 2, 3, 1],
          'rounds that the view tells',
        );
        const slept = view.steps[3]?.since ?? 0;
        ensure(slept - (rounds.get('slow')?.[0] ?? 0) >= 30, `the rounds of a loop follow each other too fast`);
      }),
  },
  // proves: loop.kept
  {
    name: 'a loop goes on in another process where it was, and begins anew when it is rerun',
    run: async (ground) => {
      const id = await during(ground, async (storage) => {
        const run = await counting.dispatch(undefined, { storage });
        const engine = new ProcessEngine(counting, storage, { concurrency: 1 });
        const looped = (async () => {
          for await (const { type } of run.events()) if (type === 'looped') return;
        })();
        await engine.start();
        await looped;
        await engine.stop();
        return run.id;
      });
      await during(ground, async (storage) => {
        const engine = new ProcessEngine(counting, storage);
        await engine.work(id);
        const run = counting.get(id, { storage });
        equal((await run.result()).three.n, 3, 'what the loop came to');
        await run.enqueue('three');
        await engine.work(id);
        equal((await run.result()).three.keys[0], `${id}/three/1`, 'the first key of the new generation');
      });
    },
  },
];
