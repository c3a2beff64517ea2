import { type Definition, defineGraph, RuntimeStorage, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { FaultyStore } from '../../../src/testing/faulty-store.ts';
import { gate, nothing, Rig } from './rig.ts';

const serves = () => true;
const request = (worker: string, limit = 1) => ({ worker, limit, busy: 0, held: new Set<string>(), serves });

describe('claims', () => {
  // proves: claim.exclusive
  test('are exclusive: of any number of workers, one gets the attempt', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    const wf = workflow('w', ($) => {
      for (let i = 0; i < 30; i++) $.step(`s${i}`, {}, (_, { step }) => ran.push(step));
      return $.step('last', {}, nothing);
    });
    await rig.dispatch(wf, undefined);
    const workers = Array.from({ length: 8 }, () => rig.engine(wf, { concurrency: 2 }, rig.open()).work('run'));
    await rig.host.until(Promise.all(workers));
    expect(ran).toHaveLength(30);
    expect(new Set(ran).size).toBe(30);
  });

  // proves: claim.order
  test('go to the higher priority first, then to who became ready first', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    const later = gate();
    const note = (_: unknown, { step }: { readonly step: string }) => ran.push(step);
    const wf = workflow('w', ($) => {
      const low = $.step('low', {}, note, { priority: -1 });
      $.step('first', {}, note);
      $.step('second', {}, note);
      const high = $.step('high', {}, () => later.promise.then(() => ran.push('high')), { priority: 5 });
      // Ready later than those that wait with a lower priority.
      $.step('behind high', {}, note, { after: high, priority: 5 });
      $.step('behind low', {}, note, { after: low, priority: 9 });
      return low;
    });
    await rig.dispatch(wf, undefined);
    const working = rig.engine(wf, { concurrency: 1 }).work('run');
    await rig.host.advance(10);
    later.open();
    await rig.host.until(working);
    expect(ran).toEqual(['high', 'behind high', 'first', 'second', 'low', 'behind low']);
  });

  // proves: claim.order
  test('of one run go strictly by who became ready first, also across queues of the same priority', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    const gates = Array.from({ length: 3 }, () => gate());
    const note = (_: unknown, { step }: { readonly step: string }) => ran.push(step);
    const wf = workflow('w', ($) => {
      const [a, b, c] = gates.map((one, i) => $.step(`gate ${i}`, {}, () => one.promise));
      $.step('first', {}, note, { queue: 'q1', after: a as never });
      $.step('second', {}, note, { queue: 'q2', after: b as never });
      return $.step('third', {}, note, { queue: 'q1', after: c as never });
    });
    await rig.dispatch(wf, undefined);
    const opening = rig.engine(wf, { queues: ['default'] }).work('run');
    for (const one of gates) {
      await rig.host.advance(10);
      one.open();
    }
    await rig.host.until(opening);
    await rig.work(wf, 'run', { concurrency: 1, queues: ['q1', 'q2'] });
    expect(ran).toEqual(['first', 'second', 'third']);
  });

  // proves: claim.order
  test('of more than one at a time take the queues of the same priority in turns by who waits longest', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, nothing, { queue: 'q1' });
      $.step('old', {}, nothing, { queue: 'q1' });
      $.step('young', {}, nothing, { queue: 'q2', after: a });
      const b = $.step('b', {}, nothing, { queue: 'q2' });
      return $.step('youngest', {}, nothing, { queue: 'q1', after: b });
    });
    await rig.dispatch(wf, undefined);
    for (const name of ['a', 'b']) {
      const { claims } = await rig.storage.claim('run', {
        ...request('w'),
        serves: ({ graph }, step) => graph.steps[step]?.spec.name === name,
      });
      await rig.host.advance(10);
      await rig.storage.finish('run', claims[0]?.fence as never, { status: 'succeeded' }, undefined);
    }
    const { claims } = await rig.storage.claim('run', request('w', 2));
    expect(claims.map(({ spec }) => spec.name)).toEqual(['old', 'young']);
  });

  // proves: claim.runs
  test('go first to a run of higher priority, then to the one that has waited longest', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    const wf = workflow('w', ($) => $.step('a', {}, (_, { runId }) => ran.push(runId)));
    for (const [id, priority] of [
      ['late', 0],
      ['later', 0],
      ['urgent', 10],
      ['patient', -5],
    ] as const) {
      await wf.dispatch(undefined, { storage: rig.storage, id, priority });
      await rig.host.advance(1);
    }
    await rig.work(wf, undefined, { concurrency: 1 });
    expect(ran).toEqual(['urgent', 'late', 'later', 'patient']);
  });

  test.each([1.5, Number.NaN, 10_000_000])('priority %s of a run is refused', async (priority) => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, nothing));
    await expect(wf.dispatch(undefined, { storage: rig.storage, id: 'run', priority })).rejects.toThrow(/priority/);
    expect((await rig.storage.list()).runs).toEqual([]);
  });
});

describe('a result counts only for the claim it names:', () => {
  async function claimed(): Promise<{ readonly rig: Rig; readonly fence: never; readonly wf: Definition }> {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, () => 'by the engine', { retry: 2 }));
    await rig.dispatch(wf, undefined);
    const { claims } = await rig.storage.claim('run', request('w1'));
    return { rig, fence: claims[0]?.fence as never, wf };
  }

  // proves: result.once
  test('a repeat of the same one is a duplicate, and harmless', async () => {
    const { rig, fence } = await claimed();
    expect(await rig.storage.finish('run', fence, { status: 'succeeded' }, 1)).toMatchObject({ status: 'accepted' });
    expect(await rig.open().finish('run', fence, { status: 'succeeded' }, 2)).toMatchObject({ status: 'duplicate' });
    expect(await rig.storage.result('run')).toBe(1);
  });

  // proves: result.stale
  test('one for a claim that was taken back is stale, and harmless', async () => {
    const { rig, fence, wf } = await claimed();
    await rig.storage.release('run', [fence]);
    await rig.work(wf, 'run');
    expect(await rig.storage.finish('run', fence, { status: 'succeeded' }, 'late')).toMatchObject({ status: 'stale' });
    expect(
      await rig.storage.finish('run', fence, { status: 'failed', error: { name: 'E', message: '' } }, undefined),
    ).toMatchObject({ status: 'stale' });
    expect(await rig.storage.result('run')).toBe('by the engine');
  });

  // proves: result.stale
  test('a checkpoint or progress of such a claim is stale as well', async () => {
    const { rig, fence } = await claimed();
    await rig.storage.release('run', [fence]);
    expect(await rig.storage.checkpoint('run', fence, 'k', 1)).toBe('stale');
    expect(await rig.storage.progress('run', fence, 1)).toBe('stale');
  });

  // proves: remove.all
  test('one for a run that was removed says nothing of the next one with its id, though the claims are alike', async () => {
    const { rig, fence, wf } = await claimed();
    const other = rig.open();
    await other.cancel('run');
    await other.remove('run');
    await other.createRun({ id: 'run', graph: wf.compiled, input: undefined });
    const { claims } = await other.claim('run', request('w2'));
    expect(claims[0]?.fence).toMatchObject({ step: 0, seq: 1, index: 0 });
    expect(fence).toMatchObject({ step: 0, seq: 1, index: 0 });

    for (const late of [rig.storage, other, rig.open()]) {
      const gone = expect.objectContaining({ code: 'UNKNOWN_RUN' });
      await expect(late.finish('run', fence, { status: 'succeeded' }, 'late')).rejects.toEqual(gone);
      await expect(late.checkpoint('run', fence, 'k', 1)).rejects.toEqual(gone);
      await expect(late.release('run', [fence])).rejects.toEqual(gone);
      await expect(late.expire('run', fence)).rejects.toEqual(gone);
    }
    const end = await other.finish('run', claims[0]?.fence as never, { status: 'succeeded' }, 'its own');
    expect(end).toMatchObject({ status: 'accepted' });
    expect(await rig.storage.result('run')).toBe('its own');
  });

  test('a run that gets the id of one that was removed while it was to be claimed is worked on', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, () => 'done'));
    await rig.dispatch(wf, undefined);
    const claim = rig.storage.claim.bind(rig.storage);
    rig.storage.claim = async (...asked) => {
      rig.storage.claim = claim;
      await rig.open().cancel('run');
      await rig.open().remove('run');
      return claim(...asked);
    };
    void rig.engine(wf).start();
    await rig.host.advance(5000);
    await wf.dispatch(undefined, { storage: rig.open(), id: 'run' });
    await rig.host.advance(5000);
    expect(await rig.steps()).toEqual({ run: 'SUCCEEDED', a: 'SUCCEEDED' });
  });

  // proves: claim.lost-answer
  test('a claim whose answer was lost is handed out again, as the same claim', async () => {
    const { rig, fence } = await claimed();
    const { claims } = await rig.open().claim('run', request('w1'));
    expect(claims.map((claim) => claim.fence)).toEqual([fence]);
    expect((await rig.open().claim('run', request('w2'))).claims).toEqual([]);
  });
});

describe('work', () => {
  // proves: work.run
  test('of a run waits for its timers, its retries and the claims of others', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.step(
        'a',
        {},
        (_, { attempt }) => {
          if (attempt === 1) throw new Error('once');
          return attempt;
        },
        { retry: { attempts: 2, base: '10m', max: '10m', jitter: 'none' } },
      ),
    );
    await wf.dispatch(undefined, { storage: rig.storage, id: 'run', startAt: rig.host.now() + 3_600_000 });
    await rig.work(wf, 'run');
    expect(await rig.storage.result('run')).toBe(2);

    const hold = gate();
    const slow = workflow('slow', ($) => $.step('a', {}, () => hold.promise));
    await rig.dispatch(slow, undefined, 'slow');
    const first = rig.engine(slow, {}, rig.open()).work('slow');
    await rig.host.advance(10);
    const second = rig.engine(slow, {}, rig.open()).work('slow');
    let ended = false;
    second.then(() => {
      ended = true;
    });
    await rig.host.advance(60_000);
    expect(ended).toBe(false);
    hold.open();
    await rig.host.until(Promise.all([first, second]));
    expect(ended).toBe(true);
  });

  // proves: work.all, run.start-at
  test('without a run ends when nothing is claimable now', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, nothing));
    await rig.dispatch(wf, undefined, 'now');
    await wf.dispatch(undefined, { storage: rig.storage, id: 'later', startAt: rig.host.now() + 3_600_000 });
    const start = rig.host.now();
    await rig.work(wf);
    expect(rig.host.now() - start).toBeLessThan(60_000);
    expect(await rig.storage.status('now')).toBe('SUCCEEDED');
    expect(await rig.storage.status('later')).toBe('PENDING');
  });

  test('of a run that does not exist is refused', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, nothing));
    await expect(rig.host.until(rig.engine(wf).work('nobody'))).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  });
});

describe('a run whose ready step no live worker can handle', () => {
  // proves: stranded.shown, claim.serves
  test('is still RUNNING, and shown as stranded with the step, the version and the workers seen', async () => {
    const rig = new Rig();
    const old = workflow('w', { version: '1' }, ($) => {
      const a = $.step('a', {}, nothing);
      return $.step('only in 1', { a }, nothing);
    });
    const fresh = workflow('w', { version: '2' }, ($) => $.step('a', {}, nothing));
    const run = await rig.dispatch(old, undefined);
    const engine = rig.engine(fresh, { name: 'newer' });
    const told: unknown[] = [];
    engine.on('stranded', (stranded) => told.push(stranded));
    const expected = {
      run: 'run',
      step: 'only in 1',
      queue: 'default',
      version: '1',
      workers: [{ name: 'newer', versions: ['2'] }],
    };
    expect(await rig.host.until(engine.work('run'))).toMatchObject({ stranded: [expected] });
    expect(told).toMatchObject([expected]);
    expect(await run.status()).toBe('RUNNING');
    const { runs } = await rig.open().list();
    expect(runs).toMatchObject([{ id: 'run', status: 'RUNNING', stranded: [{ step: 'only in 1', version: '1' }] }]);
    expect(await run.explain()).toMatch(/"only in 1".*version 1/);
    // Whoever has the older definition goes on with it.
    await rig.work(old, 'run');
    expect(await run.status()).toBe('SUCCEEDED');
  });

  // proves: claim.serves
  test('on a queue nobody serves', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      $.step('elsewhere', {}, nothing, { queue: 'gpu' });
      return $.step('here', {}, nothing);
    });
    const run = await rig.dispatch(wf, undefined);
    const report = await rig.host.until(rig.engine(wf, { queues: ['default'] }).work('run'));
    expect(report).toMatchObject({ attempts: 1, stranded: [{ step: 'elsewhere', queue: 'gpu' }] });
    await rig.host.until(rig.engine(wf, { queues: ['gpu'] }).work());
    expect(await run.status()).toBe('SUCCEEDED');
  });

  // proves: stranded.others
  test('never stops the worker from everything else', async () => {
    const rig = new Rig();
    const old = workflow('w', ($) => $.step('unknown to the other', {}, nothing));
    const fresh = workflow('w', ($) => $.step('a', {}, () => 'done'));
    await rig.dispatch(old, undefined, 'old');
    for (let i = 0; i < 5; i++) await rig.dispatch(fresh, undefined, `fresh-${i}`);
    const report = await rig.host.until(rig.engine(fresh).work());
    expect(report).toMatchObject({ attempts: 5, stranded: [{ run: 'old' }] });
  });
});

test.each([
  ['at once', 100, {}],
  ['half a minute later where nobody tells it', 40_000, { dropHint: 1 }],
] as const)(
  'a worker that found nothing to do in a run comes back when there is something behind others’ work: %s',
  async (_, ms, faults) => {
    const rig = new Rig();
    const ran: string[] = [];
    const note = (_: unknown, { step }: { readonly step: string }) => ran.push(step);
    const held = gate();
    const full = workflow('w', ($) => {
      const first = $.step('first', {}, note);
      // Queued before "mine" is, and one of them stays so.
      $.step('held', {}, () => held.promise);
      $.step('waiting', {}, note);
      return $.step('mine', { first }, note);
    });
    const graph = full.graph();
    const handlers = Object.fromEntries(
      graph.steps.map(({ name }) => [name, name === 'held' ? () => held.promise : note]),
    );
    const only = (...names: readonly string[]) =>
      defineGraph(graph, Object.fromEntries(names.map((name) => [name, handlers[name] as never])));
    await rig.dispatch(full, undefined);

    const deaf = new FaultyStore(rig.store.reopen(), { seed: 1, host: rig.host, ...faults });
    const mine = rig.engine(only('mine'), {}, new RuntimeStorage({ store: deaf, host: rig.host }));
    const started = mine.start();
    await rig.host.advance(100);
    const theirs = rig.engine(only('first', 'held', 'waiting'), { concurrency: 1 }, rig.open());
    void theirs.start();
    await rig.host.advance(ms);
    expect(ran).toContain('mine');
    held.open();
    await rig.host.until(Promise.all([mine.stop(), theirs.stop(), started]));
  },
);

// proves: version.own
test('two versions in one process each serve their own runs', async () => {
  const rig = new Rig();
  const version = (name: string) => workflow('w', { version: name }, ($) => $.step('a', {}, () => name));
  const [one, two] = [version('1'), version('2')];
  await rig.dispatch(one, undefined, 'first');
  await rig.dispatch(two, undefined, 'second');
  await rig.host.until(rig.engine([one, two]).work());
  expect([await rig.storage.result('first'), await rig.storage.result('second')]).toEqual(['1', '2']);
});

// proves: version.graph
test('a run’s graph is the one it was dispatched with: a newer definition runs the steps it has handlers for', async () => {
  const rig = new Rig();
  const old = workflow('w', ($) => {
    const a = $.step('a', {}, () => 'old a');
    return $.step('b', { a }, ({ a }) => `old b of ${a}`);
  });
  const fresh = workflow('w', ($) => {
    const b = $.step('b', {}, () => 'fresh b');
    const a = $.step('a', { b }, () => 'fresh a');
    return $.step('c', { a }, nothing);
  });
  await rig.dispatch(old, undefined);
  await rig.work(fresh, 'run');
  expect(await rig.steps()).toEqual({ run: 'SUCCEEDED', a: 'SUCCEEDED', b: 'SUCCEEDED' });
  expect(await rig.storage.result('run')).toBe('fresh b');
});

// proves: context.progress
test('the newest heartbeat(progress) is recorded, at most once a second, and seen by whoever watches', async () => {
  const rig = new Rig();
  const steps = Array.from({ length: 4 }, () => gate());
  const wf = workflow('w', ($) =>
    $.step('a', {}, async (_, { heartbeat }) => {
      for (const [i, step] of steps.entries()) {
        await step.promise;
        heartbeat({ done: i });
        heartbeat({ done: i + 0.5 });
      }
    }),
  );
  await rig.dispatch(wf, undefined);
  const working = rig.engine(wf).work('run');
  for (const step of steps) {
    step.open();
    await rig.host.advance(1000);
  }
  await rig.host.until(working);
  const seen: unknown[] = [];
  for await (const event of rig.open().history('run')) if (event.type === 'progress') seen.push(event.value);
  expect(seen).toEqual([0, 0.5, 1.5, 2.5].map((done) => JSON.stringify({ done })));
});
