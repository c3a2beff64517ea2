import { type StandardSchema, typed, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { boom, gate, nothing, Rig } from './rig.ts';

const MINUTE_MS = 60_000;

/** As a library of validators would hand it out: takes `{ by: text }`, and hands on the text. */
const approval: StandardSchema<unknown, string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const by = (value as { readonly by?: unknown } | null)?.by;
      return typeof by === 'string' ? { value: by } : { issues: [{ message: 'must be a text', path: ['by'] }] };
    },
  },
};

const stepOf = async (rig: Rig, step: string) => (await rig.storage.get('run')).steps.find(({ name }) => name === step);

describe('a step that sleeps', () => {
  // proves: sleep.for, waiting.unheld, waiting.running
  test('ends so long after it became ready; until then it is PENDING, nobody holds it, and its run is RUNNING', async () => {
    const rig = new Rig();
    const hold = gate();
    const wf = workflow('w', ($) => {
      const first = $.step('first', {}, () => hold.promise);
      const slept = $.sleep('slept', '1m', { after: first });
      return $.step('next', {}, () => rig.host.now(), { after: slept });
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(10_000);
    hold.open();
    await rig.host.advance(1000);
    const slept = await stepOf(rig, 'slept');
    const since = slept?.since as number;
    expect(slept).toMatchObject({ status: 'PENDING', attempt: 0, waits: { until: since + MINUTE_MS } });
    expect(slept).not.toHaveProperty('worker');
    expect(await run.status()).toBe('RUNNING');
    await rig.host.until(working);
    expect(await run.result()).toBe(since + MINUTE_MS);
    expect(await rig.history()).not.toContain('claimed slept');
  });

  // proves: sleep.until, sleep.past
  test.each<[string, (now: number) => Date | number, number]>([
    ['a Date', (now) => new Date(now + MINUTE_MS), MINUTE_MS],
    ['epoch milliseconds', (now) => now + MINUTE_MS, MINUTE_MS],
    ['a moment that has passed', (now) => now - MINUTE_MS, 0],
  ])('until the moment its handler hands back: %s', async (_, moment, ms) => {
    const rig = new Rig();
    const start = rig.host.now();
    const wf = workflow('w', ($) => {
      const given = $.step('given', {}, () => start);
      const slept = $.sleepUntil('slept', { given }, ({ given }) => moment(given));
      return $.step('next', {}, () => rig.host.now() - start, { after: slept });
    });
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await run.result()).toBe(ms);
  });

  // proves: sleep.no-moment
  test('has an attempt that failed where its handler hands back no moment', async () => {
    const rig = new Rig();
    let asked = 0;
    const wf = workflow('w', ($) =>
      $.sleepUntil('slept', {}, () => (++asked === 1 ? Number.NaN : 0), { retry: { attempts: 2, base: 0 } }),
    );
    expect(await rig.end(wf)).toEqual({ run: 'SUCCEEDED', slept: 'SUCCEEDED' });
    expect(await rig.history()).toContain('retrying slept');
  });
});

describe('a step that waits', () => {
  // proves: waiting.paused
  test('ends while its run is paused; what follows is claimed when that goes on', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const slept = $.sleep('slept', '1m');
      return $.step('next', {}, nothing, { after: slept });
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(1000);
    await run.pause();
    await rig.host.advance(2 * MINUTE_MS);
    expect(await rig.steps()).toEqual({ run: 'PAUSED', slept: 'SUCCEEDED', next: 'PENDING' });
    await run.resume();
    await rig.host.until(working);
    expect(await run.status()).toBe('SUCCEEDED');
  });

  // proves: waiting.ended
  test.each<[string, object, string]>([
    ['a deadline', { deadline: '10s' }, 'SUCCEEDED'],
    ['the first failure, with failFast', { failFast: true }, 'FAILED'],
  ])('is ended by %s like any other', async (_, options, other) => {
    const rig = new Rig();
    const wf = workflow('w', options, ($) => {
      $.step('other', {}, () => (other === 'FAILED' ? boom() : undefined));
      $.sleep('slept', '1m');
      return $.waitFor('told', typed<string>());
    });
    expect(await rig.end(wf)).toEqual({ run: 'FAILED', other, slept: 'CANCELLED', told: 'CANCELLED' });
  });

  // proves: waiting.protocol
  test('is what an engine that knows no such steps leaves alone, with its run and no other', async () => {
    const rig = new Rig();
    await rig.end(
      workflow('none', ($) => $.step('step', {}, nothing)),
      'none',
    );
    await rig.end(
      workflow('some', ($) => $.sleep('slept', 1)),
      'some',
    );
    const protocols = async (run: string) => {
      const entries = await rig.store.scan({ from: `entry/${run}/`, to: `entry/${run}0` });
      return new Set(entries.map(({ value }) => JSON.parse(value).protocol));
    };
    expect([await protocols('none'), await protocols('some')]).toEqual([new Set([1]), new Set([3])]);
  });
});

describe('a signal', () => {
  // proves: signal.one-step, signal.order
  test('goes to one step: the first in the graph that waits for its name', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const hold = $.sleep('hold', '10s');
      const late = $.waitFor('late', typed<number>(), { signal: 'news', after: hold });
      const first = $.waitFor('first', typed<number>(), { signal: 'news' });
      const second = $.waitFor('second', typed<number>(), { signal: 'news' });
      const other = $.waitFor('other', typed<number>());
      return { late, first, second, other };
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(1000);
    await run.signal('news', 1);
    expect(await rig.steps()).toMatchObject({ first: 'SUCCEEDED', second: 'PENDING', other: 'PENDING' });
    for (const n of [2, 3]) await run.signal('news', n);
    await run.signal('other', 4);
    await rig.host.until(working);
    expect(await run.result()).toEqual({ first: 1, second: 2, late: 3, other: 4 });
  });

  // proves: signal.checked, signal.refused
  test('that is not valid is recorded as refused, and the step waits on until its old end; what is valid is what the schema makes of it', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      const told = $.waitFor('told', approval, { timeout: '1m' });
      const never = $.waitFor('never', approval, {
        timeout: '1m',
        fallback: (error) => (error as { code?: string }).code ?? '',
      });
      return { told, never };
    });
    const run = await rig.dispatch(wf, undefined);
    const { until } = (await stepOf(rig, 'told'))?.waits ?? {};
    const working = rig.engine(wf).work('run');
    await rig.host.advance(30_000);
    // By one who does not know the workflow.
    for (const name of ['told', 'never']) await rig.storage.signal('run', name, { by: 7 });
    await rig.host.advance(1000);
    expect(await stepOf(rig, 'told')).toMatchObject({ status: 'PENDING', waits: { until, signal: 'told' } });
    expect(await rig.history()).toContain('refused told');
    await rig.storage.signal('run', 'told', { by: 'ann', note: 'fine' });
    await rig.host.until(working);
    expect(await run.result()).toEqual({ told: 'ann', never: 'SIGNAL_TIMEOUT' });
    expect(rig.host.now()).toBe(until);
  });

  // proves: signal.sender
  test('that is not valid is refused to a sender who knows the workflow, and nothing is recorded', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.waitFor('told', approval));
    const run = await rig.dispatch(wf, undefined);
    const before = await rig.history();
    await expect(run.signal('told', { by: 7 })).rejects.toMatchObject({
      code: 'INVALID_SIGNAL',
      message: expect.stringContaining('by: must be a text'),
    });
    expect(await rig.history()).toEqual(before);
  });

  // proves: signal.timeout
  test('that does not come fails the step, without another attempt', async () => {
    const rig = new Rig();
    const start = rig.host.now();
    const wf = workflow('w', { defaults: { retry: 5 } }, ($) => $.waitFor('told', typed<string>(), { timeout: '1m' }));
    const run = await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await expect(run.result()).rejects.toMatchObject({ cause: { code: 'SIGNAL_TIMEOUT' } });
    expect(rig.host.now() - start).toBe(MINUTE_MS);
    expect((await rig.history()).filter((event) => event.startsWith('retrying'))).toEqual([]);
  });
});
