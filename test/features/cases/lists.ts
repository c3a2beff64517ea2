import { NonRetryableError, ProcessEngine, typed, workflow } from 'fuseline';
import { ensure, equal } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

/** Longer than what stands in a journal entry, so that the list is read from rows of its own. */
const PAD = 'x'.repeat(200);
const ITEMS = 40;

export const listing = workflow('features-listing', { input: typed<{ readonly items: number }>() }, ($) => {
  const list = $.step('list', { given: $.input }, ({ given }) =>
    Array.from({ length: given.items }, (_, n) => ({ n, pad: PAD, at: new Date(n) })),
  );
  const doubled = $.each(
    'doubled',
    list,
    ({ n, at }, { item, key, attempt }) => {
      if (n === 3 && attempt === 1) throw new Error('the fourth fails once');
      return { n: n * 2, item, key, day: at.getTime() };
    },
    { retry: { attempts: 2, base: 1 } },
  );
  const judged = $.each(
    'judged',
    list,
    ({ n }) => {
      if (n % 10 === 7) throw new NonRetryableError(`${n} is bad`);
      return n;
    },
    { limit: 3, settle: true },
  );
  const sums = $.step('sums', { doubled, judged }, ({ doubled, judged }) => ({
    sum: doubled.reduce((sum, { n }) => sum + n, 0),
    bad: judged.flatMap((one) => (one.status === 'FAILED' ? [one.error.message] : [])),
    good: judged.filter(({ status }) => status === 'SUCCEEDED').length,
  }));
  return { doubled, sums };
});

let broken = true;

export const failing = workflow('features-failing', ($) => {
  const list = $.step('list', {}, () => Array.from({ length: 20 }, (_, n) => n));
  const tried = $.each(
    'tried',
    list,
    (n, { attempt }) => {
      if (n === 11 && broken) throw new Error('eleven is broken');
      return `${n} ${attempt}`;
    },
    { limit: 2 },
  );
  return $.step('count', { tried }, ({ tried }) => tried.length);
});

export const listCases: readonly FeatureCase[] = [
  // proves: each.spread, each.item, each.limit, each.order, each.outcomes
  {
    name: 'a step runs for each item of a list, with attempts and a key of its own; results stand in the order of the items',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await listing.dispatch({ items: ITEMS }, { storage });
        await Promise.all([1, 2].map(() => new ProcessEngine(listing, storage, { concurrency: 7 }).work(run.id)));
        const { doubled, sums } = await run.result();
        equal(
          doubled.map(({ n, item, day, key }) => [n, item, day, key]),
          Array.from({ length: ITEMS }, (_, n) => [n * 2, n, n, `${run.id}/doubled[${n}]`]),
          'the results',
        );
        equal(
          sums,
          { sum: ITEMS * (ITEMS - 1), bad: [7, 17, 27, 37].map((n) => `${n} is bad`), good: 36 },
          'what came of it',
        );
        const view = await run.get();
        equal(
          view.steps.map(({ items }) => items),
          [
            undefined,
            { count: 40, active: 0, ended: 40, failed: 0 },
            { count: 40, active: 0, ended: 40, failed: 4 },
            undefined,
          ],
          'the items',
        );
        let [under, most] = [0, 0];
        const claimed = new Set<string>();
        for await (const event of storage.history(run.id)) {
          if (!('step' in event) || event.step !== 'judged' || !('item' in event) || event.item === undefined) continue;
          if (event.type === 'claimed') {
            ensure(!claimed.has(`${event.item}`), `item ${event.item} was claimed twice`);
            claimed.add(`${event.item}`);
            most = Math.max(most, ++under);
          } else if (event.type === 'succeeded' || event.type === 'failed') under--;
        }
        ensure(most <= 3 && claimed.size === ITEMS, `${most} items were under way at once, ${claimed.size} claimed`);
      }),
  },
  // proves: each.empty
  {
    name: 'a list without items has no results, and its step has succeeded',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await listing.dispatch({ items: 0 }, { storage });
        await new ProcessEngine(listing, storage).work(run.id);
        equal((await run.result()).sums, { sum: 0, bad: [], good: 0 }, 'what came of it');
        equal(await storage.stepResult(run.id, 'doubled'), [], 'the result of the step');
      }),
  },
  // proves: each.first-failure, each.retry
  {
    name: 'the first item that fails ends its step; a retry takes up what has not succeeded, and a rerun everything',
    run: (ground) =>
      during(ground, async (storage) => {
        broken = true;
        const run = await failing.dispatch(undefined, { storage });
        await new ProcessEngine(failing, storage).work(run.id);
        equal(await run.status(), 'FAILED', 'the run');
        ensure(/item 11 of step "tried" failed: eleven is broken/.test(await run.explain()), await run.explain());
        const before = (await run.get()).steps[1]?.items;
        ensure(before?.failed === 1 && before.ended < 20, `the items are ${JSON.stringify(before)}`);
        broken = false;
        await run.retry();
        const { attempts } = await new ProcessEngine(failing, storage).work(run.id);
        equal(await run.result(), 20, 'the result');
        const done = before.ended - before.failed;
        ensure(attempts <= 20 - done + 2, `${attempts} attempts after a retry, ${done} items had succeeded`);
        await run.enqueue('tried');
        const again = await new ProcessEngine(failing, storage).work(run.id);
        equal(again.attempts, 22, 'attempts of a rerun: the list, its items, and the step behind them');
      }),
  },
];
