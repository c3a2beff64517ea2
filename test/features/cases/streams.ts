import { ProcessEngine, type StreamPart, workflow } from 'fuseline';
import { equal, refused } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

const LARGE = 'x'.repeat(5000);

export const talking = workflow('features-talking', ($) => {
  const talk = $.step(
    'talk',
    {},
    async (_, { emit, attempt }) => {
      void emit('one');
      void emit(new Date(0));
      await emit(LARGE);
      if (attempt === 1) throw new Error('what was said stays');
      await emit({ last: true });
      return 'said';
    },
    { retry: { attempts: 2, base: 1 } },
  );
  const flood = $.step('flood', {}, async (_, { emit }) => {
    for (let part = 0; part <= 10_000; part++) void emit(part);
    return 'never';
  });
  const failed = $.step('failed', { end: $.settled(flood) }, ({ end }) =>
    end.status === 'FAILED' ? (end.error as { code?: string }).code : end.status,
  );
  return { talk, failed };
});

export const streamCases: readonly FeatureCase[] = [
  // proves: emit.once, emit.read, emit.stays, emit.bound
  {
    name: 'what a step emits is read live and afterwards, from any position, with the attempt that said it',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await talking.dispatch(undefined, { storage });
        const live = all(run.stream('talk'));
        const engine = new ProcessEngine(talking, storage);
        await engine.work(run.id);
        const said = ['one', new Date(0), LARGE];
        const ought = [
          ...said.map((value) => ({ attempt: 1, value })),
          ...[...said, { last: true }].map((value) => ({ attempt: 2, value })),
        ];
        const parts = ought.map((part, position) => ({ position, ...part }));
        equal(await live, parts, 'what was read live');
        equal(await all(run.stream('talk', { from: 5 })), parts.slice(5), 'what was read afterwards');
        equal((await run.result()).failed, 'STREAM_FULL', 'what a step that says too much fails with');
        await refused('UNKNOWN_STEP', all(run.stream('nobody')), 'a stream of no step');
        equal(Object.keys((await run.export()).values).length, 2, 'large parts in an export');
      }),
  },
];

async function all(stream: AsyncIterable<StreamPart>): Promise<readonly StreamPart[]> {
  const parts: StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}
