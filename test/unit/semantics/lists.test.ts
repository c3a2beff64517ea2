import { type HeldFence, type StreamPart, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { misfits } from '../../../src/core/compatibility.ts';
import { WorkFinder } from '../../../src/core/work-finder.ts';
import { boom, gate, nothing, Rig } from './rig.ts';

const stepOf = async (rig: Rig, step: string) => (await rig.storage.get('run')).steps.find(({ name }) => name === step);

describe('a step that runs for each item of a list', () => {
  // proves: each.refused
  test('fails at once where it is given no list, or one that is too long', async () => {
    for (const [given, message] of [
      ['text', /"each" runs for each item of a list, and was given text/],
      [new Array(100_001).fill(0), /was given 100001 items; at most 100000 are allowed/],
    ] as const) {
      const rig = new Rig();
      const wf = workflow('w', ($) => {
        const list = $.step('list', {}, () => given as readonly unknown[]);
        return $.each('each', list, nothing, { retry: 3 });
      });
      const run = await rig.dispatch(wf, undefined);
      const working = rig.engine(wf).work('run');
      await rig.host.advance(1000);
      await working;
      await expect(run.result()).rejects.toThrow(message);
      expect(await stepOf(rig, 'each')).toMatchObject({ status: 'FAILED', attempt: 1 });
    }
  });

  // proves: each.item, each.outcomes
  test('is given the results of another list one by one, or how its items ended', async () => {
    const wf = workflow('w', ($) => {
      const list = $.step('list', {}, () => [1, 2, 3]);
      const doubled = $.each('doubled', list, (n) => n * 2);
      const odd = $.each('odd', list, (n) => (n === 2 ? boom() : n), { settle: true });
      return {
        values: $.each('values', doubled, (n) => n + 1),
        outcomes: $.each('outcomes', odd, (end) => (end.status === 'FAILED' ? end.error.message : end.value)),
      };
    });
    expect(await wf.run(undefined)).toEqual({ values: [3, 5, 7], outcomes: [1, 'boom', 3] });
  });

  // proves: lost.again
  test('has items that were lost with their worker claimed again, by whoever holds nothing else', async () => {
    const rig = new Rig();
    const hold = gate();
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => [1, 2]),
        () => hold.promise,
      ),
    );
    await rig.dispatch(wf, undefined);
    await rig.engine(wf, { name: 'it' }).start();
    await rig.host.advance(1000);
    const [it] = await rig.storage.workers();
    await rig.storage.reap(it?.id as string);
    const { serves } = new WorkFinder([wf], rig.storage, undefined);
    const ask = (busy: number) =>
      rig.storage.claim('run', { worker: 'other', limit: 2, busy, held: new Set(), serves });
    expect(await ask(1)).toEqual({ claims: [], rest: 'later' });
    expect((await ask(0)).claims).toMatchObject([{ attempt: 2, company: 'none' }]);
    hold.open();
  });

  // proves: each.protocol
  test('says so in what its runs are read by', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => [1]),
        nothing,
      ),
    );
    await rig.dispatch(wf, undefined);
    const { entries } = await rig.storage.export('run');
    expect(entries.map(({ protocol }) => protocol)).toEqual([4]);
  });

  // proves: each.retry
  test('is not taken up beside the old bodies of its items, where its run is cancelled and retried', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => [1, 2, 3]),
        nothing,
      ),
    );
    const run = await rig.dispatch(wf, undefined);
    const ask = async (worker: string) => {
      const asked = { worker, limit: 2, busy: 0, held: new Set<string>(), serves: () => true };
      return (await rig.storage.claim('run', asked)).claims;
    };
    const [list] = await ask('it');
    await rig.storage.finish('run', list?.fence as HeldFence, { status: 'succeeded' }, [1, 2, 3]);
    const [each] = await ask('it');
    await rig.storage.finish('run', each?.fence as HeldFence, { status: 'spread', items: 3 }, undefined);
    const begun = await ask('it');
    expect(begun.map(({ item }) => item)).toEqual([0, 1]);
    await run.cancel();
    await run.retry();
    expect(await ask('other')).toEqual([]);
    await rig.storage.release(
      'run',
      begun.map(({ fence }) => fence),
    );
    expect((await ask('other')).map(({ item, key }) => [item, key])).toEqual([
      [0, 'run/each[0]/1'],
      [1, 'run/each[1]/1'],
    ]);
  });

  test('has its items do again what they did once, when its run is retried', async () => {
    const rig = new Rig();
    let done = 0;
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => [1]),
        async (_, { once }) => {
          await once('pay', () => ++done);
          if (done === 1) throw boom();
        },
      ),
    );
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await run.retry();
    await rig.work(wf, 'run');
    expect([await run.status(), done]).toEqual(['SUCCEEDED', 2]);
  });

  // proves: emit.read
  test('is read with what each item says, until the last has ended', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => ['a', 'b']),
        async (text, { emit }) => emit(text),
        { limit: 1 },
      ),
    );
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    const parts: StreamPart[] = [];
    for await (const part of run.stream('each')) parts.push(part);
    expect(parts).toEqual([
      { position: 0, item: 0, attempt: 1, value: 'a' },
      { position: 1, item: 1, attempt: 1, value: 'b' },
    ]);
  });

  test('that changed code cannot run is named once, however many items it has', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.each(
        'each',
        $.step('list', {}, () => [1, 2, 3]),
        () => new Promise<never>(nothing),
        { limit: 1 },
      ),
    );
    await rig.dispatch(wf, undefined);
    await rig.engine(wf).start();
    await rig.host.advance(1000);
    const changed = workflow('w', ($) => $.step('each', {}, nothing));
    const found = await rig.storage.peek('run', (state) => misfits(state, [changed]));
    expect(found?.map(({ step, why }) => [step, why])).toEqual([
      ['each', 'the run has it as a step that runs for each item of a list, and the new one is a step'],
      ['each', 'it no longer takes "list", which the run gives it'],
    ]);
  });
});

test('what a fallback says is recorded before its result', async () => {
  const rig = new Rig();
  const wf = workflow('w', ($) =>
    $.step('talk', {}, (): string => boom(), {
      fallback: (_, { emit }) => {
        // More than is recorded in one go.
        for (let part = 0; part < 300; part++) void emit(part);
        return 'said';
      },
    }),
  );
  await rig.end(wf);
  const parts: unknown[] = [];
  for await (const { value } of rig.storage.stream('run', 'talk')) parts.push(value);
  expect(parts).toEqual(Array.from({ length: 300 }, (_, part) => part));
});
