import { type Builder, defineGraph, type GraphStep, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { boom, gate, nothing, Rig } from './rig.ts';

/** A step that ends in each of the ways a step can end. */
const endings = {
  succeeded: ($: Builder<undefined>) => $.step('source', {}, nothing),
  'skipped by its own condition': ($: Builder<undefined>) => {
    const zero = $.step('zero', {}, () => 0);
    return $.step('source', { zero: zero.when((n) => n > 0) }, nothing);
  },
  'on a road not taken': ($: Builder<undefined>) => {
    const fork = $.branch('fork', {}, (): 'here' | 'there' => 'here');
    return $.step('source', {}, nothing, { after: fork.on('there') });
  },
  failed: ($: Builder<undefined>) => $.step('source', {}, boom),
  cancelled: ($: Builder<undefined>) => $.step('source', { cause: $.step('cause', {}, boom) }, nothing),
};
const ends: Readonly<Record<keyof typeof endings, string>> = {
  succeeded: 'SUCCEEDED',
  'skipped by its own condition': 'SKIPPED',
  'on a road not taken': 'NOT-TAKEN',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

describe('an edge settles when its source reaches a final state:', () => {
  // proves: settled.final
  test.each<[keyof typeof endings, string]>([
    // proves: edge.succeeded
    ['succeeded', 'SUCCEEDED'],
    // proves: edge.skipped
    ['skipped by its own condition', 'SUCCEEDED'],
    // proves: edge.not-taken, ready.dead
    ['on a road not taken', 'NOT-TAKEN'],
    // proves: edge.failed, ready.failed
    ['failed', 'CANCELLED'],
    // proves: edge.failed, ready.failed
    ['cancelled', 'CANCELLED'],
  ])('%s, so that what needs it is %s', async (ending, expected) => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const source = endings[ending]($);
      const needs = $.step('needs', { source }, nothing);
      const after = $.step('after', {}, nothing, { after: source });
      $.step('downstream', { needs }, nothing, { after });
      $.step('settled', { source: $.settled(source) }, ({ source }) => source.status);
      return needs;
    });
    expect(await rig.end(wf)).toMatchObject({
      source: ends[ending],
      needs: expected,
      after: expected,
      downstream: expected,
      // It runs when the source is final, whatever it is.
      settled: 'SUCCEEDED',
    });
  });

  // proves: edge.plain, edge.road, edge.otherwise, edge.otherwise-skipped
  test.each<[string | undefined, Readonly<Record<string, string>>]>([
    [
      'small',
      { small: 'SUCCEEDED', large: 'NOT-TAKEN', either: 'SUCCEEDED', otherwise: 'NOT-TAKEN', plain: 'SUCCEEDED' },
    ],
    [
      'large',
      { small: 'NOT-TAKEN', large: 'SUCCEEDED', either: 'SUCCEEDED', otherwise: 'NOT-TAKEN', plain: 'SUCCEEDED' },
    ],
    [
      'huge',
      { small: 'NOT-TAKEN', large: 'NOT-TAKEN', either: 'NOT-TAKEN', otherwise: 'SUCCEEDED', plain: 'SUCCEEDED' },
    ],
    // A SKIPPED branch step chooses otherwise.
    [
      undefined,
      { small: 'NOT-TAKEN', large: 'NOT-TAKEN', either: 'NOT-TAKEN', otherwise: 'SUCCEEDED', plain: 'SUCCEEDED' },
    ],
  ])('a branch step that chooses %s', async (road, expected) => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const there = $.step('there', {}, () => road !== undefined);
      const size = $.branch('size', { there: there.when(Boolean) }, () => road as 'small' | 'large' | 'huge');
      $.step('small', {}, nothing, { after: size.on('small') });
      $.step('large', {}, nothing, { after: size.on('large') });
      $.step('either', {}, nothing, { after: size.on('small', 'large') });
      $.step('otherwise', {}, nothing, { after: size.otherwise });
      return $.step('plain', {}, nothing, { after: size });
    });
    expect(await rig.end(wf)).toMatchObject({ run: 'SUCCEEDED', ...expected });
  });

  // proves: edge.several
  test('several edges from one source to one step count once: live if any of them is', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const size = $.branch('size', {}, (): 'a' | 'b' => 'a');
      const twoRoads = $.step('two roads', {}, nothing, { after: [size.on('b'), size.on('a')] });
      $.step('road and plain', { size }, nothing, { after: size.on('b') });
      return twoRoads;
    });
    expect(await rig.end(wf)).toMatchObject({ 'two roads': 'SUCCEEDED', 'road and plain': 'SUCCEEDED' });
  });

  // proves: edge.several-roads
  test('a road whose only edge counts together with a plain one has an edge all the same: otherwise is not chosen', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const size = $.branch('size', {}, (): 'a' => 'a');
      $.step('otherwise', {}, nothing, { after: size.otherwise });
      return $.step('both', { size }, nothing, { after: size.on('a') });
    });
    expect(await rig.end(wf)).toMatchObject({ both: 'SUCCEEDED', otherwise: 'NOT-TAKEN' });
  });

  // proves: ready.independent
  test('independent branches go on after a failure elsewhere', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      $.step('fails', {}, boom);
      const a = $.step('a', {}, nothing);
      return $.step('b', { a }, nothing);
    });
    expect(await rig.end(wf)).toEqual({ run: 'FAILED', fails: 'FAILED', a: 'SUCCEEDED', b: 'SUCCEEDED' });
  });
});

describe('a join', () => {
  // proves: ready.all, step.pending
  test('waits until every edge is settled', async () => {
    const rig = new Rig();
    const slow = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, nothing);
      const b = $.step('b', {}, () => slow.promise);
      return $.step('join', { a, b }, nothing);
    });
    await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(100);
    expect(await rig.steps()).toMatchObject({ a: 'SUCCEEDED', b: 'RUNNING', join: 'PENDING' });
    slow.open();
    await rig.host.until(working);
    expect(await rig.steps()).toMatchObject({ join: 'SUCCEEDED' });
  });

  // proves: ready.failure-wins
  test.each(['failure first', 'road first'] as const)(
    'of a failure and a road not taken is cancelled, whatever came first (%s)',
    async (order) => {
      const rig = new Rig();
      const later = gate();
      const wf = workflow('w', ($) => {
        const fork = $.branch('fork', {}, async (): Promise<'x' | 'y'> => {
          if (order === 'failure first') await later.promise;
          return 'x';
        });
        const dead = $.step('dead', {}, nothing, { after: fork.on('y') });
        const fails = $.step('fails', {}, async () => {
          if (order === 'road first') await later.promise;
          boom();
        });
        const join = $.step('join', { dead, fails }, nothing);
        return $.step('downstream', { join }, nothing);
      });
      await rig.dispatch(wf, undefined);
      const working = rig.engine(wf).work('run');
      await rig.host.advance(100);
      if (order === 'failure first') expect(await rig.steps()).toMatchObject({ join: 'CANCELLED' });
      else expect(await rig.steps()).toMatchObject({ dead: 'NOT-TAKEN', join: 'PENDING' });
      later.open();
      await rig.host.until(working);
      expect(await rig.steps()).toMatchObject({ join: 'CANCELLED', downstream: 'CANCELLED', run: 'FAILED' });
    },
  );

  // proves: ready.dead, step.skipped, definition.dead-data
  test('of a taken and a not-taken road does not run', async () => {
    const rig = new Rig();
    const data: GraphStep[] = [
      { name: 'fork', kind: 'branch' },
      { name: 'x', after: [{ step: 'fork', on: ['x'] }] },
      { name: 'y', after: [{ step: 'fork', on: ['y'] }] },
      { name: 'join', after: [{ step: 'x' }, { step: 'y' }] },
      { name: 'rejoin', after: [{ any: [{ step: 'x' }, { step: 'y' }] }] },
    ];
    const wf = defineGraph(
      { name: 'w', steps: data },
      { fork: () => 'x', x: nothing, y: nothing, join: nothing, rejoin: nothing },
    );
    await wf.dispatch(undefined, { storage: rig.storage, id: 'run' });
    await rig.work(wf, 'run');
    expect(await rig.steps()).toEqual({
      run: 'SUCCEEDED',
      fork: 'SUCCEEDED',
      x: 'SUCCEEDED',
      y: 'NOT-TAKEN',
      join: 'NOT-TAKEN',
      rejoin: 'SUCCEEDED',
    });
  });

  // proves: ready.once
  test('is enqueued exactly once when its sources end in the same commit', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const sources = Array.from({ length: 20 }, (_, i) => $.step(`s${i}`, {}, nothing));
      return $.step('join', {}, nothing, { after: sources });
    });
    await rig.end(wf);
    const ready = (await rig.history()).filter((event) => event.startsWith('ready') && event.includes('join'));
    expect(ready).toEqual(['ready join']);
  });
});

describe('an any-group', () => {
  // proves: any.first
  test('fires as soon as the first member is live, and never twice', async () => {
    const rig = new Rig();
    const slow = gate<string>();
    let fired = 0;
    const wf = workflow('w', ($) => {
      const fast = $.step('fast', {}, () => 'fast');
      const late = $.step('late', {}, () => slow.promise);
      return $.step('join', { it: $.any(late, fast) }, ({ it }) => {
        fired++;
        return it;
      });
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(100);
    expect(await rig.steps()).toMatchObject({ run: 'RUNNING', join: 'SUCCEEDED', late: 'RUNNING' });
    slow.open('late');
    await rig.host.until(working);
    expect(await run.result()).toBe('fast');
    expect(fired).toBe(1);
  });

  // proves: any.winner
  test('hands on the member that became live first, in journal order, not in the order of its members', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const first = $.step('first', {}, () => 'first');
      const a = $.step('a', {}, () => 'a', { after: first });
      const b = $.step('b', {}, () => 'b');
      const hold = $.step('hold', {}, nothing, { after: [a, b] });
      return $.step('join', { it: $.any(a, b), hold }, ({ it }) => it);
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run', { concurrency: 1 });
    const journal = await rig.history();
    const winner = journal.indexOf('succeeded a') < journal.indexOf('succeeded b') ? 'a' : 'b';
    expect(await run.result()).toBe(winner);
    const choices: unknown[] = [];
    for await (const event of rig.storage.history('run'))
      if (event.type === 'ready' && event.winners) choices.push(event.winners);
    // Which one it was is recorded.
    expect(choices).toEqual([[['join', [winner]]]]);
  });

  // proves: any.failed-member
  test('is not cancelled by a failed member while another can still succeed', async () => {
    const rig = new Rig();
    const slow = gate<string>();
    const wf = workflow('w', ($) => {
      const fails = $.step('fails', {}, boom);
      const late = $.step('late', {}, () => slow.promise);
      return $.step('join', { it: $.any(fails, late) }, ({ it }) => it);
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(100);
    expect(await rig.steps()).toMatchObject({ fails: 'FAILED', join: 'PENDING' });
    slow.open('late');
    await rig.host.until(working);
    expect(await rig.steps()).toMatchObject({ run: 'SUCCEEDED', join: 'SUCCEEDED' });
    expect(await run.result()).toBe('late');
  });

  test.each([
    // proves: ready.any-failed
    ['all failed', boom, 'x', 'CANCELLED'],
    // proves: ready.any-failed
    ['one failed, the other not taken', boom, 'y', 'CANCELLED'],
    ['one skipped by its own condition', nothing, 'y', 'SUCCEEDED'],
  ] as const)('whose members have settled (%s)', async (_, body, road, expected) => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => road);
      const a = $.step('a', {}, body);
      const b = $.step('b', {}, boom, { after: fork.on('x') });
      return $.step('join', {}, nothing, { after: $.any(a, b) });
    });
    expect(await rig.end(wf)).toMatchObject({ join: expected });
  });

  // proves: ready.any-dead
  test('whose members all lie on roads not taken is skipped', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' | 'z' => 'z');
      const x = $.step('x', {}, nothing, { after: fork.on('x') });
      const y = $.step('y', {}, nothing, { after: fork.on('y') });
      return { join: $.step('join', { it: $.any(x, y) }, nothing) };
    });
    expect(await rig.end(wf)).toMatchObject({ run: 'SUCCEEDED', join: 'NOT-TAKEN' });
  });

  // proves: any.skipped-member
  test('takes a member that was skipped by its own condition for done, with undefined', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const zero = $.step('zero', {}, () => 0);
      const skipped = $.step('skipped', { zero: zero.when(Boolean) }, () => 'ran');
      const fails = $.step('fails', {}, boom);
      return $.step('join', { it: $.any(skipped, fails) }, (needs) => Object.entries(needs));
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toEqual([['it', undefined]]);
  });

  // proves: any.required
  test.each(['need', 'after'] as const)('requires a member that is a plain %s as well', async (kind) => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, nothing);
      const b = $.step('b', {}, boom);
      const group = $.any(a, b);
      return kind === 'need' ? $.step('join', { group, b }, nothing) : $.step('join', { group }, nothing, { after: b });
    });
    expect(await rig.end(wf)).toMatchObject({ a: 'SUCCEEDED', join: 'CANCELLED' });
  });

  // proves: any.several
  test('beside another: each has a winner of its own, by its own order', async () => {
    const rig = new Rig();
    const slow = gate<string>();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => 'a');
      const b = $.step('b', { a }, () => 'b');
      const c = $.step('c', {}, () => slow.promise);
      const fails = $.step('fails', {}, boom);
      return $.step('join', { left: $.any(b, a), right: $.any(fails, c) }, (needs) => needs, {
        after: $.any(fails, a),
      });
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(100);
    slow.open('c');
    await rig.host.until(working);
    expect(await run.result()).toEqual({ left: 'a', right: 'c' });
  });
});

describe('a settled join', () => {
  // proves: settled.outcome
  test('receives the outcome: status, value, error', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      const fine = $.step('fine', {}, () => ({ a: 1 }));
      const fails = $.step('fails', {}, () => {
        throw Object.assign(new RangeError('too far', { cause: new Error('why') }), { code: 'FAR' });
      });
      const cancelled = $.step('cancelled', { fails }, nothing);
      const dead = $.step('dead', {}, nothing, { after: fork.on('y') });
      const skipped = $.step('skipped', { fine: fine.when(() => false) }, nothing);
      return $.step(
        'look',
        {
          fine: $.settled(fine),
          fails: $.settled(fails),
          cancelled: $.settled(cancelled),
          dead: $.settled(dead),
          skipped: $.settled(skipped),
        },
        (needs) => needs,
      );
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    const outcome = await run.result();
    expect(outcome).toMatchObject({
      fine: { status: 'SUCCEEDED', value: { a: 1 } },
      cancelled: { status: 'CANCELLED' },
      dead: { status: 'SKIPPED' },
      skipped: { status: 'SKIPPED' },
    });
    const { fails } = outcome;
    expect(fails.status === 'FAILED' && fails.error).toBeInstanceOf(Error);
    expect(fails).toMatchObject({
      error: { name: 'RangeError', message: 'too far', code: 'FAR', cause: { message: 'why' } },
    });
  });

  // proves: settled.handled
  test('makes a failure handled: the run succeeds', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fails = $.step('fails', {}, boom);
      return $.step('look', { it: $.settled(fails) }, ({ it }) => it.status);
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('FAILED');
  });

  // proves: settled.others
  test('on a road not taken does not run', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, nothing);
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      return { look: $.step('look', { a: $.settled(a) }, nothing, { after: fork.on('y') }) };
    });
    expect(await rig.end(wf)).toMatchObject({ look: 'NOT-TAKEN' });
  });
});

describe('with failFast, the first FAILED step', () => {
  // proves: ready.fail-fast
  test('cancels everything unfinished: running attempts and settled joins included', async () => {
    const rig = new Rig();
    const started = gate();
    const aborted = gate<unknown>();
    const wf = workflow('w', { failFast: true }, ($) => {
      const fails = $.step('fails', {}, async () => {
        await started.promise;
        boom();
      });
      $.step('runs', {}, (_, { signal }) => {
        started.open();
        signal.addEventListener('abort', () => aborted.open(signal.reason));
        return aborted.promise;
      });
      $.step('look', { it: $.settled(fails) }, nothing);
      return $.step('waits', { fails }, nothing);
    });
    expect(await rig.end(wf)).toEqual({
      run: 'FAILED',
      fails: 'FAILED',
      runs: 'CANCELLED',
      look: 'CANCELLED',
      waits: 'CANCELLED',
    });
    expect(await aborted.promise).toBeInstanceOf(Error);
  });

  // proves: ready.fail-fast-tries
  test('is not one that has tries left', async () => {
    const rig = new Rig();
    let tries = 0;
    const wf = workflow('w', { failFast: true }, ($) =>
      $.step('fails once', {}, () => (tries++ === 0 ? boom() : 'fine'), { retry: 2 }),
    );
    expect(await rig.end(wf)).toMatchObject({ run: 'SUCCEEDED' });
  });
});
