import { type RunHandle, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { boom, gate, nothing, Rig } from './rig.ts';

const fine = workflow('fine', ($) => $.step('a', {}, () => 'done'));
const failing = workflow('failing', ($) => {
  const a = $.step('a', {}, boom);
  return $.step('b', { a }, nothing);
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: { readonly code?: string }) => error.code,
  );

describe('a run ends when no step can run any more:', () => {
  // proves: end.succeeded, end.final
  test('SUCCEEDED when every sink and every declared output is SUCCEEDED or SKIPPED', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const zero = $.step('zero', {}, () => 0);
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      $.step('not taken', {}, nothing, { after: fork.on('y') });
      return $.step('skipped', { zero: zero.when(Boolean) }, nothing);
    });
    expect(await rig.end(wf)).toMatchObject({ run: 'SUCCEEDED' });
    expect(await rig.storage.result('run')).toBeUndefined();
  });

  // proves: end.failed
  test('FAILED when a sink is not', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      $.step('sink', { a: $.step('a', {}, boom) }, nothing);
      return $.step('output', {}, nothing);
    });
    expect(await rig.end(wf)).toMatchObject({ run: 'FAILED', output: 'SUCCEEDED', sink: 'CANCELLED' });
  });

  // proves: end.failed, settled.handled
  test('FAILED when a declared output is not, although what follows it is fine', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const output = $.step('output', {}, boom);
      $.step('sink', { it: $.settled(output) }, nothing);
      return output;
    });
    expect(await rig.end(wf)).toMatchObject({ run: 'FAILED', sink: 'SUCCEEDED' });
  });

  // proves: end.failures
  test('FAILED, with the failures that caused it listed, the first one first, and no others', async () => {
    const rig = new Rig();
    const handled = gate();
    const wf = workflow('w', ($) => {
      const excused = $.step('excused', {}, boom);
      $.step('excuses', { it: $.settled(excused) }, () => handled.open());
      const first = $.step('first', {}, async () => {
        await handled.promise;
        throw new Error('first');
      });
      const second = $.step('second', { it: $.settled(first) }, () => {
        throw new Error('second');
      });
      return { first, second };
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    const error = await run.result().catch((reason) => reason);
    expect(error.failures.map(({ step }: { step: string }) => step)).toEqual(['first', 'second']);
    expect(error.cause.message).toBe('first');
    expect(await run.explain()).not.toContain('excused');
  });

  // proves: end.output
  test('its output is one step’s value, or a record of them', async () => {
    const rig = new Rig();
    const one = workflow('one', ($) => $.step('a', {}, () => 1));
    const record = workflow('record', ($) => ({ x: $.step('a', {}, () => 1), y: $.step('b', {}, () => 2) }));
    await rig.end(one, 'one');
    await rig.end(record, 'record');
    expect(await rig.storage.result('one')).toBe(1);
    expect(await rig.storage.result('record')).toEqual({ x: 1, y: 2 });
  });

  // proves: end.no-output
  test('result() rejects with NO_OUTPUT when the single output step lies on a road not taken; in a record it is undefined', async () => {
    const rig = new Rig();
    const single = workflow('single', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      return $.step('y', {}, nothing, { after: fork.on('y') });
    });
    const record = workflow('record', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      return { y: $.step('y', {}, nothing, { after: fork.on('y') }), fork };
    });
    expect(await rig.end(single, 'single')).toMatchObject({ run: 'SUCCEEDED' });
    await expect(rig.storage.result('single')).rejects.toMatchObject({ code: 'NO_OUTPUT', runId: 'single' });
    await rig.end(record, 'record');
    expect(await rig.storage.result('record')).toEqual({ y: undefined, fork: 'x' });
  });

  // proves: end.deadline
  test('a deadline cancels what is left and ends it FAILED with RUN_TIMEOUT', async () => {
    const rig = new Rig();
    const aborted: unknown[] = [];
    const wf = workflow('w', { deadline: '1m' }, ($) => {
      const quick = $.step('quick', {}, nothing);
      const slow = $.step('slow', { quick }, (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return gate().promise;
      });
      return $.step('never', { slow }, nothing);
    });
    const run = await rig.dispatch(wf, undefined);
    const start = rig.host.now();
    await rig.work(wf, 'run');
    expect(rig.host.now() - start).toBeGreaterThanOrEqual(60_000);
    expect(await rig.steps()).toEqual({ run: 'FAILED', quick: 'SUCCEEDED', slow: 'CANCELLED', never: 'CANCELLED' });
    expect(aborted).toHaveLength(1);
    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
  });

  // proves: end.deadline-from, run.start-at
  test('a deadline counts from the moment the run was asked to start at', async () => {
    const rig = new Rig();
    const wf = workflow('w', { deadline: '1m' }, ($) => $.step('a', {}, nothing));
    const startAt = rig.host.now() + 600_000;
    await wf.dispatch(undefined, { storage: rig.storage, id: 'run', startAt });
    await rig.work(wf, 'run');
    expect(await rig.steps()).toMatchObject({ run: 'SUCCEEDED' });
    expect(rig.host.now()).toBeGreaterThanOrEqual(startAt);
  });

  // proves: end.deadline-paused
  test('a deadline passes while the run is paused', async () => {
    const rig = new Rig();
    const wf = workflow('w', { deadline: '1m' }, ($) => $.step('a', {}, nothing));
    const run = await rig.dispatch(wf, undefined);
    await run.pause();
    await rig.work(wf, 'run');
    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
  });

  // proves: run.states
  test('a run is PENDING, then RUNNING, then ended', async () => {
    const rig = new Rig();
    const hold = gate();
    const wf = workflow('w', ($) => $.step('a', {}, () => hold.promise));
    const run = await rig.dispatch(wf, undefined);
    expect(await run.status()).toBe('PENDING');
    const working = rig.engine(wf).work();
    await rig.host.advance(10);
    expect(await run.status()).toBe('RUNNING');
    hold.open();
    await rig.host.until(working);
    expect(await run.status()).toBe('SUCCEEDED');
  });
});

type Commands = Pick<RunHandle<unknown>, 'cancel' | 'pause' | 'resume' | 'retry' | 'signal' | 'enqueue'>;
const commands: Readonly<Record<string, (run: Commands, id: string) => Promise<void>>> = {
  cancel: (run, id) => run.cancel({ id }),
  pause: (run, id) => run.pause({ id }),
  resume: (run, id) => run.resume({ id }),
  signal: (run, id) => run.signal('name', 1, { id }),
  retry: (run, id) => run.retry({ id }),
  enqueue: (run, id) => run.enqueue('a', { id }),
};

describe('every command in every state of a run:', () => {
  const states: Readonly<Record<string, (rig: Rig) => Promise<void>>> = {
    PENDING: async (rig) => void (await rig.dispatch(fine, undefined)),
    PAUSED: async (rig) => (await rig.dispatch(fine, undefined)).pause(),
    SUCCEEDED: async (rig) => void (await rig.end(fine)),
    FAILED: async (rig) => void (await rig.end(failing)),
    CANCELLED: async (rig) => (await rig.dispatch(fine, undefined)).cancel(),
  };
  const answers: readonly (readonly [string, string, string, string])[] = [
    ['PENDING', 'cancel', 'accepted', 'CANCELLED'],
    ['PENDING', 'pause', 'accepted', 'PAUSED'],
    // proves: command.true-already
    ['PENDING', 'resume', 'true already', 'PENDING'],
    ['PENDING', 'signal', 'accepted', 'PENDING'],
    // proves: rerun.nothing-failed
    ['PENDING', 'retry', 'NOTHING_FAILED', 'PENDING'],
    // proves: rerun.not-final
    ['PENDING', 'enqueue', 'STEP_NOT_FINISHED', 'PENDING'],
    ['PAUSED', 'cancel', 'accepted', 'CANCELLED'],
    // proves: command.true-already
    ['PAUSED', 'pause', 'true already', 'PAUSED'],
    ['PAUSED', 'resume', 'accepted', 'PENDING'],
    ['PAUSED', 'signal', 'accepted', 'PAUSED'],
    ['SUCCEEDED', 'cancel', 'RUN_FINISHED', 'SUCCEEDED'],
    ['SUCCEEDED', 'pause', 'RUN_FINISHED', 'SUCCEEDED'],
    ['SUCCEEDED', 'resume', 'RUN_FINISHED', 'SUCCEEDED'],
    // Kept if late.
    ['SUCCEEDED', 'signal', 'accepted', 'SUCCEEDED'],
    // proves: rerun.nothing-failed
    ['SUCCEEDED', 'retry', 'NOTHING_FAILED', 'SUCCEEDED'],
    ['SUCCEEDED', 'enqueue', 'accepted', 'RUNNING'],
    ['FAILED', 'cancel', 'RUN_FINISHED', 'FAILED'],
    ['FAILED', 'retry', 'accepted', 'RUNNING'],
    ['FAILED', 'enqueue', 'accepted', 'RUNNING'],
    ['CANCELLED', 'cancel', 'true already', 'CANCELLED'],
    ['CANCELLED', 'signal', 'accepted', 'CANCELLED'],
    ['CANCELLED', 'retry', 'accepted', 'PENDING'],
    ['CANCELLED', 'enqueue', 'accepted', 'PENDING'],
  ];
  // proves: command.once, command.true-already, command.refused
  test.each(answers)('%s, %s: %s, and it is %s', async (state, command, answer, after) => {
    const rig = new Rig();
    await states[state]?.(rig);
    const run = fine.get('run', { storage: rig.storage });
    const before = (await rig.history()).length;
    expect(await codeOf(commands[command]?.(run, 'once') as Promise<void>)).toBe(
      answer === 'true already' ? 'accepted' : answer,
    );
    expect(await run.status()).toBe(after);
    const recorded = (await rig.history()).length;
    // What is refused, or true already, leaves no trace; everything else is recorded.
    expect(recorded > before).toBe(answer === 'accepted');
    // Idempotent by its id, from any process: a repeat changes nothing.
    const again = fine.get('run', { storage: rig.open() });
    if (answer === 'accepted')
      expect(await codeOf(commands[command]?.(again, 'once') as Promise<void>)).toBe('accepted');
    expect(await rig.history()).toHaveLength(recorded);
  });

  // proves: command.unknown
  test.each(Object.keys(commands))('%s to a run that does not exist is refused', async (command) => {
    const run = fine.get('nobody', { storage: new Rig().storage });
    expect(await codeOf(commands[command]?.(run, 'once') as Promise<void>)).toBe('UNKNOWN_RUN');
  });

  // proves: command.unknown
  test('enqueue of a step that does not exist is refused', async () => {
    const rig = new Rig();
    const run = await rig.dispatch(fine, undefined);
    expect(await codeOf(run.enqueue('nobody'))).toBe('UNKNOWN_STEP');
  });
});

describe('cancel', () => {
  // proves: cancel.all, cancel.aborts, cancel.late, context.signal
  test('makes unfinished steps CANCELLED, aborts attempts on whichever worker holds them, and refuses late results', async () => {
    const rig = new Rig();
    const late = gate<string>();
    const reasons: unknown[] = [];
    const stale: string[] = [];
    const wf = workflow('w', ($) => {
      const done = $.step('done', {}, nothing);
      const runs = $.step('runs', { done }, (_, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return late.promise;
      });
      return $.step('waits', { runs }, nothing);
    });
    const run = await rig.dispatch(wf, undefined);
    const elsewhere = rig.engine(wf, {}, rig.open());
    elsewhere.on('stale', ({ step }) => stale.push(step));
    const working = elsewhere.work('run');
    await rig.host.advance(10);
    await run.cancel();
    await rig.host.advance(2000);
    expect(reasons).toMatchObject([{ code: 'RUN_CANCELLED' }]);
    late.open('late');
    await rig.host.until(working);
    expect(await rig.steps()).toEqual({ run: 'CANCELLED', done: 'SUCCEEDED', runs: 'CANCELLED', waits: 'CANCELLED' });
    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  });
});

describe('pause', () => {
  // proves: pause.claims, run.paused
  test('makes no new claims; running attempts finish and count; resume goes on', async () => {
    const rig = new Rig();
    const hold = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => hold.promise);
      return $.step('b', { a }, () => 'b');
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(10);
    await run.pause();
    hold.open();
    await rig.host.advance(10_000);
    expect(await rig.steps()).toEqual({ run: 'PAUSED', a: 'SUCCEEDED', b: 'PENDING' });
    await run.resume();
    await rig.host.until(working);
    expect(await run.result()).toBe('b');
  });
});

describe('signals', () => {
  // proves: signal.once, signal.kept
  test('are buffered when early, kept when late, deduplicated by id, in the order received', async () => {
    const rig = new Rig();
    const run = await rig.dispatch(fine, undefined);
    await run.signal('go', { n: 1 }, { id: 's1' });
    await run.signal('go', { n: 2 }, { id: 's2' });
    await run.signal('go', { n: 3 }, { id: 's1' });
    await rig.work(fine, 'run');
    await run.signal('late', undefined, { id: 's3' });
    const { signals } = await rig.open().get('run');
    expect(signals.map(({ id, name }) => `${id} ${name}`)).toEqual(['s1 go', 's2 go', 's3 late']);
  });
});

describe('enqueue', () => {
  // proves: rerun.behind, rerun.kept, rerun.attempts, step.pending
  test('returns the step and everything downstream to PENDING as a new generation; upstream is kept, and history keeps both', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => ran.push('a'));
      const b = $.step('b', { a }, (_, { key, attempt }) => ran.push(`b ${key} ${attempt}`));
      $.step('beside', {}, () => ran.push('beside'));
      return $.step('c', { b }, () => ran.push('c'));
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run', { concurrency: 1 });
    ran.length = 0;
    await run.enqueue('b');
    expect(await rig.steps()).toEqual({
      run: 'RUNNING',
      a: 'SUCCEEDED',
      b: 'PENDING',
      beside: 'SUCCEEDED',
      c: 'PENDING',
    });
    expect((await run.get()).steps.map(({ generation }) => generation)).toEqual([0, 1, 0, 1]);
    await rig.work(wf, 'run');
    // The key is another one: the step is to be done again.
    expect(ran).toEqual(['b run/b/1 1', 'c']);
    expect((await rig.history()).filter((event) => event === 'succeeded b')).toHaveLength(2);
  });

  // proves: context.once-rerun
  test('does again what once() guards', async () => {
    const rig = new Rig();
    let done = 0;
    const wf = workflow('w', ($) => $.step('a', {}, (_, { once }) => once('pay', () => ++done)));
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await run.enqueue('a');
    await rig.work(wf, 'run');
    expect(await run.result()).toBe(2);
  });

  // proves: rerun.voids, rerun.old-body
  test('of a step while another that depends on it runs voids that claim, aborts its body and waits for it to stop', async () => {
    const rig = new Rig();
    const log: string[] = [];
    const hold = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => log.push('a'));
      return $.step('b', { a }, async (_, { signal, key }) => {
        log.push(`${key} begins`);
        signal.addEventListener('abort', () => log.push(`${key} aborted`));
        if (key === 'run/b') await hold.promise;
        log.push(`${key} ends`);
        return key;
      });
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(10);
    await run.enqueue('a');
    await rig.host.advance(5000);
    hold.open();
    await rig.host.until(working);
    expect(log).toEqual(['a', 'run/b begins', 'run/b aborted', 'a', 'run/b ends', 'run/b/1 begins', 'run/b/1 ends']);
    expect(await run.result()).toBe('run/b/1');
  });

  // proves: rerun.any
  test('clears the choice of an any-group downstream; kept members count only when no rerun one is live', async () => {
    const rig = new Rig();
    let fails = false;
    const slow = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, (_, { key }) => (fails ? boom() : key));
      const b = $.step('b', {}, async (_, { key }) => {
        await slow.promise;
        return key;
      });
      return $.step('join', { it: $.any(a, b) }, ({ it }) => it);
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(10);
    slow.open();
    await rig.host.until(working);
    expect(await run.result()).toBe('run/a');
    await run.enqueue('a');
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('run/a/1');
    fails = true;
    await run.enqueue('a');
    await rig.work(wf, 'run');
    expect(await rig.steps()).toMatchObject({ a: 'FAILED', b: 'SUCCEEDED', join: 'SUCCEEDED', run: 'SUCCEEDED' });
    expect(await run.result()).toBe('run/b');
  });

  // proves: rerun.any
  test('also clears a choice that was still to be made: a kept member waits for the rerun one', async () => {
    const rig = new Rig();
    const required = gate();
    const again = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, async (_, { key }) => {
        if (key !== 'run/a') await again.promise;
        return key;
      });
      const c = $.step('c', {}, () => 'kept');
      const slow = $.step('slow', {}, () => required.promise);
      return $.step('join', { it: $.any(a, c), slow }, ({ it }) => it);
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(10);
    await run.enqueue('a');
    required.open();
    await rig.host.advance(10);
    // `c` was kept and is live, but `a` runs again: its end is what the choice waits for.
    expect(await rig.steps()).toMatchObject({ a: 'RUNNING', c: 'SUCCEEDED', slow: 'SUCCEEDED', join: 'PENDING' });
    again.open();
    await rig.host.until(working);
    expect(await run.result()).toBe('run/a/1');
  });

  // proves: rerun.force
  test('of a step on a road not taken is refused unless forced', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => 'x');
      const y = $.step('y', {}, () => 'forced', { after: fork.on('y') });
      return { y, next: $.step('next', { y }, ({ y }) => y) };
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await codeOf(run.enqueue('y'))).toBe('STEP_NOT_TAKEN');
    await run.enqueue('y', { force: 'not-taken' });
    await rig.work(wf, 'run');
    expect(await run.result()).toEqual({ y: 'forced', next: 'forced' });
  });

  // proves: rerun.branch
  test('of a branch step takes another road', async () => {
    const rig = new Rig();
    let road: 'x' | 'y' = 'x';
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, () => road);
      const x = $.step('x', {}, () => 'x', { after: fork.on('x') });
      const y = $.step('y', {}, () => 'y', { after: fork.on('y') });
      return $.step('join', { it: $.any(x, y) }, ({ it }) => it);
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('x');
    road = 'y';
    await run.enqueue('fork');
    await rig.work(wf, 'run');
    expect(await rig.steps()).toMatchObject({ x: 'NOT-TAKEN', y: 'SUCCEEDED' });
    expect(await run.result()).toBe('y');
  });
});

describe('retry', () => {
  // proves: rerun.retry, result.kept
  test('takes a failed run up again where it ended: what failed runs again, what succeeded does not', async () => {
    const rig = new Rig();
    const ran: string[] = [];
    let broken = true;
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => ran.push('a'));
      const b = $.step('b', { a }, () => {
        ran.push('b');
        if (broken) boom();
      });
      return $.step('c', { b }, () => ran.push('c'));
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_FAILED' });
    broken = false;
    await run.retry();
    await rig.work(wf, 'run');
    expect(ran).toEqual(['a', 'b', 'b', 'c']);
    expect(await run.status()).toBe('SUCCEEDED');
  });

  // proves: rerun.retry, rerun.deadline
  test('takes a cancelled run up again, and one that missed its deadline, without it', async () => {
    const rig = new Rig();
    let hangs = true;
    const wf = workflow('w', { deadline: '1m' }, ($) => {
      const a = $.step('a', {}, () => 'a');
      return $.step('b', { a }, () => (hangs ? gate().promise : 'b'));
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await expect(run.result()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
    hangs = false;
    await run.retry();
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('b');
  });

  test('a step of a cancelled run alone does not end it well, and what it lacks is said in words', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => 'a');
      const b = $.step('b', {}, () => 'b');
      return $.step('c', { a, b }, ({ a, b }) => a + b);
    });
    const run = await rig.dispatch(wf, undefined);
    await run.cancel();
    await run.enqueue('a');
    await rig.work(wf, 'run');
    const said = 'run run failed: steps it needs stay cancelled; retry it to take them up as well';
    await expect(run.result()).rejects.toThrow(said);
    expect(await rig.storage.explain('run')).toContain('failed because steps it needs stay cancelled');
    await run.retry();
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('ab');
  });
});
