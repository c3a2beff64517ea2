import {
  defineGraph,
  type Liveness,
  NonRetryableError,
  type Retry,
  RetryAfterError,
  RunFailedError,
  type StepOptions,
  workflow,
} from 'fuseline';
import { describe, expect, test } from 'vitest';
import { boom, gate, nothing, Rig } from './rig.ts';

/** A workflow of one step, and the times its attempts began at. */
async function timesOf(rig: Rig, retry: number | Retry, body: (attempt: number) => unknown = boom) {
  const times: number[] = [];
  const start = rig.host.now();
  const wf = workflow('w', ($) =>
    $.step(
      'step',
      {},
      (_, { attempt }) => {
        times.push(rig.host.now() - start);
        return body(attempt);
      },
      { retry },
    ),
  );
  const steps = await rig.end(wf);
  return { times, status: steps.step };
}

const waits = (times: readonly number[]) => times.slice(1).map((time, i) => time - (times[i] as number));

/** Workers whose death the test decides on. */
class Deaths {
  readonly #watchers = new Map<string, Set<() => void>>();

  of(name: string): Liveness {
    return {
      evidence: name,
      watch: (evidence, gone) => {
        const watchers = this.#watchers.get(evidence) ?? new Set();
        this.#watchers.set(evidence, watchers.add(gone));
        return () => watchers.delete(gone);
      },
    };
  }

  kill(name: string): void {
    for (const gone of this.#watchers.get(name) ?? []) gone();
  }
}

describe('attempts of a step', () => {
  // proves: context.key
  test('have the same key, failed or lost; a rerun has another', async () => {
    const rig = new Rig();
    const deaths = new Deaths();
    const hang = gate();
    const keys: string[] = [];
    const wf = workflow('w', ($) =>
      $.step(
        'step',
        {},
        async (_, { attempt, key }) => {
          keys.push(key);
          if (attempt === 1) boom();
          if (attempt === 2) await hang.promise;
        },
        { retry: { attempts: 3, base: 1, jitter: 'none' } },
      ),
    );
    const run = await rig.dispatch(wf, undefined);
    const gone = rig.engine(wf, {}, rig.open({ liveness: deaths.of('first') })).work('run');
    await rig.host.advance(100);
    const second = rig.engine(wf, {}, rig.open({ liveness: deaths.of('second') })).work('run');
    await rig.host.advance(2000);
    deaths.kill('first');
    await rig.host.until(second);
    hang.open();
    await rig.host.until(gone);
    await run.enqueue('step');
    await rig.work(wf, 'run');
    expect(keys.slice(0, 3)).toEqual(['run/step', 'run/step', 'run/step']);
    expect(keys.length).toBeGreaterThan(3);
    expect(new Set(keys.slice(3))).toEqual(new Set(['run/step/1']));
  });
});

// proves: retry.attempts
describe('retry.attempts is the total number of attempts', () => {
  test.each([1, 2, 5])('%i', async (attempts) => {
    const { times, status } = await timesOf(new Rig(), attempts);
    expect(times).toHaveLength(attempts);
    expect(status).toBe('FAILED');
  });

  test('and is 1 unless told', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('step', {}, boom));
    await rig.end(wf);
    expect((await rig.storage.get('run')).steps[0]).toMatchObject({ status: 'FAILED', attempt: 1 });
  });

  test('and no more are made once one has succeeded', async () => {
    const { times, status } = await timesOf(new Rig(), 5, (attempt) => attempt < 3 && boom());
    expect([times.length, status]).toEqual([3, 'SUCCEEDED']);
  });
});

describe('backoff', () => {
  const none = { attempts: 5, jitter: 'none' } as const;
  // proves: retry.backoff
  test.each<[string, Retry, readonly number[]]>([
    ['exponential, from 200 ms by 2', none, [200, 400, 800, 1600]],
    [
      'exponential with a base, a factor and a cap',
      { ...none, base: '1s', factor: 3, max: '5s' },
      [1000, 3000, 5000, 5000],
    ],
    ['linear', { ...none, backoff: 'linear', base: 100 }, [100, 200, 300, 400]],
    ['linear with a cap', { ...none, backoff: 'linear', base: 100, max: 250 }, [100, 200, 250, 250]],
    ['constant', { ...none, backoff: 'constant', base: 50 }, [50, 50, 50, 50]],
    [
      'at most a minute',
      { attempts: 12, jitter: 'none' },
      [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000],
    ],
  ])('%s', async (_, retry, expected) => {
    expect(waits((await timesOf(new Rig(), retry)).times)).toEqual(expected);
  });

  // proves: retry.jitter
  test('has full jitter by default, through Host.random: the same seed, the same times', async () => {
    const times = async (seed: number) => waits((await timesOf(new Rig(seed), 8)).times);
    const first = await times(1);
    first.forEach((wait, i) => expect(wait).toBeLessThanOrEqual(Math.min(200 * 2 ** i, 60_000)));
    expect(first.some((wait, i) => wait < 200 * 2 ** i)).toBe(true);
    expect(await times(1)).toEqual(first);
    expect(await times(2)).not.toEqual(first);
  });

  // proves: retry.recorded, step.delayed
  test('is recorded in the event, so that another process waits until the same time', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('step', {}, boom, { retry: 2 }));
    await rig.dispatch(wf, undefined);
    await rig.host.until(rig.engine(wf).work());
    const recorded: number[] = [];
    for await (const event of rig.storage.history('run')) if (event.type === 'retrying') recorded.push(event.at);
    const [step] = (await rig.open().get('run')).steps;
    expect(step).toMatchObject({
      status: 'PENDING',
      queued: 'delayed',
      notBefore: (step as { notBefore: number }).notBefore,
    });
    expect((await rig.open().get('run')).steps).toEqual((await rig.storage.get('run')).steps);
  });
});

// proves: retry.final
describe('an attempt ends the step at once', () => {
  class Refused extends NonRetryableError {
    override readonly name = 'Refused';
  }
  test.each([
    ['with a NonRetryableError', new NonRetryableError('no')],
    ['with an error that extends it under another name', new Refused('no')],
  ])('%s', async (_, error) => {
    const { times, status } = await timesOf(new Rig(), 5, () => {
      throw error;
    });
    expect([times.length, status]).toEqual([1, 'FAILED']);
  });

  test('when retry.when(error) is false', async () => {
    const seen: unknown[] = [];
    const when = (error: unknown) => {
      seen.push((error as Error).message);
      return (error as Error).message !== 'attempt 3';
    };
    const { times } = await timesOf(new Rig(), { attempts: 9, when }, (attempt) => {
      throw new Error(`attempt ${attempt}`);
    });
    expect([times.length, seen]).toEqual([3, ['attempt 1', 'attempt 2', 'attempt 3']]);
  });

  test('when retry.when itself throws: nobody can say that another may help', async () => {
    const { times, status } = await timesOf(new Rig(), { attempts: 3, when: boom });
    expect([times.length, status]).toEqual([1, 'FAILED']);
  });
});

// proves: retry.after
describe('RetryAfterError sets the earliest next attempt', () => {
  const response = (value: string | null) => ({ headers: { get: () => value } });
  const start = Date.UTC(2020, 0, 1);
  test.each<[string, ConstructorParameters<typeof RetryAfterError>[0], number]>([
    ['a duration', '2m', 120_000],
    ['milliseconds', 5_000, 5_000],
    ['a moment', new Date(start + 7_000), 7_000],
    ['a response with seconds', response('120'), 120_000],
    ['a response with an HTTP date', response('Wed, 01 Jan 2020 00:00:30 GMT'), 30_000],
    ['a response without the header', response(null), 50],
    ['a moment that has passed', new Date(0), 50],
    ['less than the backoff', 10, 50],
  ])('%s', async (_, when, wait) => {
    const { times } = await timesOf(new Rig(), { attempts: 2, backoff: 'constant', base: 50, jitter: 'none' }, () => {
      throw new RetryAfterError(when);
    });
    expect(waits(times)).toEqual([wait]);
  });

  test.each([['soon'], [-1], [Number.NaN], [new Date('soon')]])('but %s is a mistake', (when) => {
    expect(() => new RetryAfterError(when)).toThrow(TypeError);
  });

  test('and one that another program made, with a time that is none, leaves it to the backoff', async () => {
    const { times } = await timesOf(new Rig(), { attempts: 2, backoff: 'constant', base: 50, jitter: 'none' }, () => {
      throw Object.assign(new Error('later'), { name: 'RetryAfterError', when: 'soon' });
    });
    expect(waits(times)).toEqual([50]);
  });

  test('but makes no attempt more', async () => {
    const { times } = await timesOf(new Rig(), 1, () => {
      throw new RetryAfterError('1s');
    });
    expect(times).toHaveLength(1);
  });
});

describe('errors', () => {
  // proves: error.recorded
  test('are recorded with name, message, stack, code and cause chain', async () => {
    const rig = new Rig();
    const error = Object.assign(new TypeError('outer', { cause: new RangeError('inner', { cause: 'root' }) }), {
      code: 'E1',
    });
    const wf = workflow('w', ($) =>
      $.step('step', {}, () => {
        throw error;
      }),
    );
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    const failure = await run.result().catch((reason) => reason);
    expect(failure).toBeInstanceOf(RunFailedError);
    expect(failure).toMatchObject({
      code: 'RUN_FAILED',
      runId: 'run',
      failures: [{ step: 'step', attempt: 1 }],
      cause: {
        name: 'TypeError',
        message: 'outer',
        code: 'E1',
        stack: error.stack,
        cause: { name: 'RangeError', message: 'inner', cause: { message: 'root' } },
      },
    });
    expect(failure.message).toMatch(/run.*"step".*attempt 1.*outer/);
  });

  // proves: error.anything
  test.each([
    ['text', 'thrown text', 'thrown text'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object', { code: 5 }, 'a value that is not an Error was thrown'],
    [
      'an error whose message cannot be read',
      Object.defineProperty(new Error(), 'message', { get: boom }),
      'could not be read',
    ],
  ])('may be anything: %s', async (_, thrown, message) => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.step('step', {}, () => {
        throw thrown;
      }),
    );
    expect(await rig.end(wf)).toMatchObject({ step: 'FAILED' });
    expect((await rig.storage.get('run')).steps[0]?.error?.message).toContain(message);
  });
});

describe('a timeout', () => {
  // proves: timeout.counts, timeout.late, context.signal
  test('aborts the attempt and counts as a failed one; the late result is refused', async () => {
    const rig = new Rig();
    const reasons: unknown[] = [];
    const late = gate<string>();
    const events: string[] = [];
    const wf = workflow('w', ($) =>
      $.step(
        'step',
        {},
        (_, { attempt, signal }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return attempt === 1 ? late.promise : 'second';
        },
        { timeout: '30s', retry: { attempts: 2, jitter: 'none' } },
      ),
    );
    const run = await rig.dispatch(wf, undefined);
    const engine = rig.engine(wf);
    engine.on('finished', ({ attempt, outcome }) => events.push(`${attempt} ${outcome}`));
    const working = engine.work('run');
    await rig.host.advance(29_999);
    expect(reasons).toEqual([]);
    await rig.host.advance(1);
    expect(reasons).toMatchObject([{ code: 'STEP_TIMEOUT' }]);
    late.open('late');
    await rig.host.until(working);
    expect(await run.result()).toBe('second');
    expect(events).toEqual(['1 failed', '2 succeeded']);
  });

  // proves: timeout.code
  test('that is the last attempt fails the step with STEP_TIMEOUT', async () => {
    const rig = new Rig();
    const wf = workflow('w', { defaults: { timeout: 100 } }, ($) => $.step('step', {}, () => gate().promise));
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await expect(run.result()).rejects.toMatchObject({ cause: { code: 'STEP_TIMEOUT' } });
  });

  test('is a failed attempt that retry.when is asked about', async () => {
    const rig = new Rig();
    const asked: unknown[] = [];
    const when = (error: unknown) => asked.push((error as { code: string }).code) > 1;
    const wf = workflow('w', ($) =>
      $.step('step', {}, () => gate().promise, { timeout: 100, retry: { attempts: 3, when } }),
    );
    await rig.end(wf);
    expect(asked).toEqual(['STEP_TIMEOUT']);
    expect((await rig.storage.get('run')).steps[0]?.attempt).toBe(1);
  });

  // proves: timeout.others
  test('is enforced by other workers when the holder does not', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('step', {}, () => 'fine', { timeout: 1000, retry: 2 }));
    await rig.dispatch(wf, undefined);
    const deaf = rig.open();
    await deaf.register('deaf', { name: 'deaf', definitions: [wf], queues: ['default'] });
    const { claims } = await deaf.claim('run', {
      worker: 'deaf',
      limit: 1,
      busy: 0,
      held: new Set(),
      serves: () => true,
    });
    expect(claims).toHaveLength(1);
    await rig.work(wf, 'run');
    expect(await rig.steps()).toMatchObject({ step: 'SUCCEEDED' });
    expect(await rig.history()).toContain('retrying step');
    const fence = claims[0]?.fence as never;
    expect(await deaf.finish('run', fence, { status: 'succeeded' }, 'late')).toMatchObject({ status: 'stale' });
  });
});

describe('a lost worker', () => {
  /** `kills` workers in a row claim the step and die with it; the last one lives. */
  async function lose(
    rig: Rig,
    kills: number,
    {
      options = {},
      company = 0,
      checkpoint,
    }: { options?: StepOptions<string>; company?: number; checkpoint?: number } = {},
  ) {
    const deaths = new Deaths();
    const attempts: number[] = [];
    const died = gate();
    let dead = 0;
    const wf = workflow('w', ($) => {
      for (let i = 0; i < company; i++)
        $.step(`innocent ${i}`, {}, (_, { attempt }) => (attempt === 1 && dead === 0 ? died.promise : i));
      return $.step(
        'poison',
        {},
        async (_, { attempt, once }) => {
          attempts.push(attempt);
          if (attempt === checkpoint) await once('so far', () => attempt);
          if (dead < kills) await died.promise;
          return 'survived';
        },
        options,
      );
    });
    await rig.dispatch(wf, undefined);
    const storages = Array.from({ length: kills + 1 }, (_, i) => rig.open({ liveness: deaths.of(`worker ${i}`) }));
    const workers = storages.map((storage, i) => rig.engine(wf, { name: `worker ${i}` }, storage));
    const working: Promise<unknown>[] = [];
    for (const [i, worker] of workers.entries()) {
      working.push(worker.work('run').catch(() => undefined));
      await rig.host.advance(1000);
      if (i > 0) {
        dead++;
        await storages[i - 1]?.close();
        deaths.kill(`worker ${i - 1}`);
      }
      await rig.host.advance(60_000);
    }
    const steps = await rig.steps();
    died.open();
    for (const worker of workers) void worker.stop({ drain: false });
    await rig.host.advance(60_000);
    return { attempts, steps, history: await rig.history() };
  }

  // proves: lost.again, lost.free
  test('ends the attempt as lost: the step is queued again as the next attempt, and losses do not use up attempts', async () => {
    const { attempts, steps, history } = await lose(new Rig(), 2, { options: { retry: 1 } });
    expect(attempts).toEqual([1, 2, 3]);
    expect(steps).toMatchObject({ poison: 'SUCCEEDED' });
    expect(history.filter((event) => event === 'lost poison')).toHaveLength(2);
  });

  // proves: lost.limit
  test('five times alone fails the step with WORKER_LOST', async () => {
    const rig = new Rig();
    const { attempts, steps } = await lose(rig, 5);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(steps).toMatchObject({ run: 'FAILED', poison: 'FAILED' });
    expect((await rig.storage.get('run')).steps.at(-1)?.error).toMatchObject({ code: 'WORKER_LOST' });
  });

  // proves: lost.limit
  test('as many times as the option says', async () => {
    const { attempts, steps } = await lose(new Rig(), 2, { options: { retry: { attempts: 1, losses: 2 } } });
    expect(attempts).toEqual([1, 2]);
    expect(steps).toMatchObject({ poison: 'FAILED' });
  });

  // proves: fallback.runs
  test('runs the fallback, as an attempt of its own kind, when it fails the step', async () => {
    const errors: unknown[] = [];
    const fallback = (error: Error) => String(errors.push((error as { code?: string }).code));
    const { steps } = await lose(new Rig(), 2, { options: { retry: { attempts: 1, losses: 2 }, fallback } });
    expect(steps).toMatchObject({ run: 'SUCCEEDED', poison: 'SUCCEEDED' });
    expect(errors).toEqual(['WORKER_LOST']);
  });

  // proves: lost.company
  test('counts only if the attempt was alone: the innocent ones beside it are claimed alone next, and do not fail', async () => {
    const { steps, attempts } = await lose(new Rig(), 2, {
      company: 3,
      options: { retry: { attempts: 1, losses: 2 } },
    });
    // The first loss was in company, the second was not.
    expect(attempts).toHaveLength(3);
    expect(steps).toEqual({
      run: 'SUCCEEDED',
      poison: 'SUCCEEDED',
      'innocent 0': 'SUCCEEDED',
      'innocent 1': 'SUCCEEDED',
      'innocent 2': 'SUCCEEDED',
    });
  });

  // proves: lost.alone
  test('leaves what it held to workers that hold nothing else, one at a time', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      $.step('a', {}, nothing, { priority: 1 });
      $.step('b', {}, nothing);
      return $.step('innocent', {}, nothing);
    });
    await rig.dispatch(wf, undefined);
    const claim = async (worker: string, busy: number) => {
      const asked = { worker, limit: 2, busy, held: new Set<string>(), serves: () => true };
      return (await rig.storage.claim('run', asked)).claims.map(({ spec }) => spec.name);
    };
    await rig.storage.register('it', { name: 'it', definitions: [wf], queues: ['default'] });
    expect(await claim('it', 0)).toEqual(['a', 'b']);
    await rig.storage.reap('it');
    expect(await claim('idle', 0)).toEqual(['a']);
    expect(await claim('busy', 1)).toEqual(['innocent']);
  });

  // proves: lost.checkpoint
  test('starts to count anew with a recorded checkpoint', async () => {
    const { steps, attempts } = await lose(new Rig(), 3, {
      checkpoint: 2,
      options: { retry: { attempts: 1, losses: 2 } },
    });
    // One loss, then a checkpoint, then two more.
    expect([steps.poison, attempts]).toEqual(['FAILED', [1, 2, 3]]);
  });

  // proves: context.once
  test('does not repeat what once() has recorded', async () => {
    const rig = new Rig();
    const deaths = new Deaths();
    const done: string[] = [];
    const hang = gate();
    const wf = workflow('w', ($) =>
      $.step('agent', {}, async (_, { once, attempt }) => {
        const a = await once('a', () => done.push(`a in ${attempt}`));
        if (attempt === 1) await hang.promise;
        const b = await once('b', () => done.push(`b in ${attempt}`));
        return [a, b];
      }),
    );
    const run = await rig.dispatch(wf, undefined);
    const first = rig.engine(wf, {}, rig.open({ liveness: deaths.of('first') }));
    const gone = first.work('run');
    await rig.host.advance(100);
    const second = rig.engine(wf, {}, rig.open({ liveness: deaths.of('second') })).work('run');
    await rig.host.advance(2000);
    deaths.kill('first');
    await rig.host.until(second);
    expect(done).toEqual(['a in 1', 'b in 2']);
    expect(await run.result()).toEqual([1, 2]);
    hang.open();
    await rig.host.until(gone);
    // What the first one did after it was given up is not recorded.
    expect(await run.result()).toEqual([1, 2]);
  });

  // proves: lost.wait
  test('is made up for at once; those that follow it in a row after a wait that doubles, at most a minute', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('step', {}, nothing, { retry: { attempts: 1, losses: 12 } }));
    await rig.dispatch(wf, undefined);
    const waits: number[] = [];
    for (let losses = 1; losses <= 11; losses++) {
      await rig.storage.register('it', { name: 'it', definitions: [wf], queues: ['default'] });
      await rig.storage.claim('run', { worker: 'it', limit: 1, busy: 0, held: new Set(), serves: () => true });
      await rig.storage.reap('it');
      const [step] = (await rig.storage.get('run')).steps;
      const wait = (step?.notBefore ?? rig.host.now()) - rig.host.now();
      waits.push(wait);
      await rig.host.advance(wait);
    }
    expect(waits).toEqual([0, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  });

  // proves: lost.released
  test('is no loss when it stopped and gave its claims back', async () => {
    const rig = new Rig();
    const hang = gate();
    const wf = workflow('w', ($) => $.step('step', {}, (_, { attempt }) => (attempt === 1 ? hang.promise : 'fine')));
    await rig.dispatch(wf, undefined);
    const first = rig.engine(wf);
    void first.start();
    await rig.host.advance(100);
    const stopping = first.stop({ drain: false });
    hang.open();
    await rig.host.until(stopping);
    await rig.work(wf, 'run');
    expect(await rig.steps()).toMatchObject({ step: 'SUCCEEDED' });
    expect(await rig.history()).toContain('released step');
    expect(await rig.history()).not.toContain('lost step');
  });
});

describe('a fallback', () => {
  // proves: fallback.runs, fallback.result
  test('runs once the step would fail; its value is the result', async () => {
    const rig = new Rig();
    const log: string[] = [];
    const wf = workflow('w', ($) => {
      const step = $.step('step', {}, (_, { attempt }): string => boom() ?? String(log.push(`attempt ${attempt}`)), {
        retry: 2,
        fallback: (error, { attempt }) => {
          log.push(`fallback in ${attempt}: ${error.message}`);
          return 'instead';
        },
      });
      return $.step('next', { step }, ({ step }) => step);
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toBe('instead');
    expect(log).toEqual(['fallback in 3: boom']);
    expect(await rig.history()).toContain('falling-back step');
  });

  // proves: fallback.fails
  test('that fails fails the step, once, with its own error', async () => {
    const rig = new Rig();
    let tries = 0;
    const wf = workflow('w', ($) =>
      $.step(
        'step',
        {},
        () => {
          throw new NonRetryableError('no');
        },
        {
          retry: 3,
          fallback: () => {
            tries++;
            throw new Error('no way out');
          },
        },
      ),
    );
    expect(await rig.end(wf)).toMatchObject({ step: 'FAILED' });
    expect([tries, (await rig.storage.get('run')).steps[0]?.error?.message]).toEqual([1, 'no way out']);
  });

  // proves: fallback.runs
  test('also after a timeout, and after a NonRetryableError', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const hangs = $.step('hangs', {}, (): Promise<string> => gate<string>().promise, {
        timeout: 10,
        fallback: (error) => (error as { code?: string }).code ?? '',
      });
      const refuses = $.step(
        'refuses',
        {},
        (): string => {
          throw new NonRetryableError('no');
        },
        { retry: 5, fallback: (error) => error.message },
      );
      return { hangs, refuses };
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toEqual({ hangs: 'STEP_TIMEOUT', refuses: 'no' });
  });

  // proves: fallback.road
  test('of a branch step chooses a road', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const fork = $.branch('fork', {}, (): 'x' | 'y' => boom(), { fallback: () => 'y' });
      $.step('x', {}, nothing, { after: fork.on('x') });
      return { y: $.step('y', {}, nothing, { after: fork.on('y') }) };
    });
    expect(await rig.end(wf)).toMatchObject({ x: 'NOT-TAKEN', y: 'SUCCEEDED' });
  });

  test('that the graph asks for and the handlers do not bring leaves the step to others', async () => {
    const rig = new Rig();
    const graph = { name: 'w', steps: [{ name: 'step', fallback: 'handler' as const }] };
    const without = defineGraph(graph, { step: boom });
    await without.dispatch(undefined, { storage: rig.storage, id: 'run' });
    const engine = rig.engine(without);
    expect(await rig.host.until(engine.work('run'))).toMatchObject({ stranded: [{ step: 'step' }] });
  });
});
