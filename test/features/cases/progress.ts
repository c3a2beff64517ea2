import { ProcessEngine, workflow } from 'fuseline';
import { equal } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

/** Its step goes on until it is told to stop. */
export const striding = workflow('features-striding', ($) =>
  $.step('stride', {}, async (_, { heartbeat, signal }) => {
    heartbeat({ done: 1, of: 3 });
    heartbeat({ done: 2, of: 3 });
    heartbeat({ done: new Map([['all', 3]]) });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }),
);

export const progressCases: readonly FeatureCase[] = [
  // proves: context.progress
  {
    name: 'how far a step is, is seen live from elsewhere while it runs, and the last of it afterwards',
    run: (ground) =>
      during(ground, (storage) =>
        during(ground, async (elsewhere) => {
          const run = await striding.dispatch(undefined, { storage });
          const working = new ProcessEngine(striding, storage).work(run.id);
          const watcher = striding.get(run.id, { storage: elsewhere });
          // The first at once, and a second later the newest.
          const ought = [{ done: 1, of: 3 }, { done: new Map([['all', 3]]) }];
          const live: unknown[] = [];
          for await (const event of watcher.events()) {
            if (event.type !== 'progress') continue;
            live.push(await elsewhere.load(run.id, event.value));
            if (live.length < ought.length) continue;
            equal((await watcher.get()).steps[0]?.status, 'RUNNING', 'the step whose progress is seen');
            await watcher.cancel();
          }
          await working;
          equal(live, ought, 'what was seen live');
          const recorded: unknown[] = [];
          for await (const event of elsewhere.history(run.id))
            if (event.type === 'progress') recorded.push(await elsewhere.load(run.id, event.value));
          equal(recorded, ought, 'what was seen afterwards');
        }),
      ),
  },
];
