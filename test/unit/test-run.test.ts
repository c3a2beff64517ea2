import { setTimeout as realTime } from 'node:timers/promises';
import { defineGraph, typed, workflow } from 'fuseline';
import { type FakeContext, testRun } from 'fuseline/testing';
import { describe, expect, test, vi } from 'vitest';

const DAY_MS = 86_400_000;
const unreachable = (): never => {
  throw new Error('a test must not reach out');
};

const order = workflow('order', { input: typed<{ total: number }>() }, ($) => {
  const stock = $.step('reserve', { order: $.input }, (): { shelf: string } => unreachable());
  const payment = $.step('charge', { order: $.input, stock }, (): { paid: number } => unreachable(), {
    retry: { attempts: 4, backoff: 'constant', base: '1d', max: '2d', jitter: 'none' },
  });
  $.step('notify', { payment }, () => unreachable());
  return $.step('mail', { payment }, ({ payment }) => `paid ${payment.paid}`);
});
const reserve = () => ({ shelf: 'B4' });
const charge = ({ order }: { readonly order: { readonly total: number } }) => ({ paid: order.total });
const also = { notify: () => undefined };

describe('fakes', () => {
  test('stand in for handlers; the others run as they are', async () => {
    const run = await testRun(order, { total: 40 }, { steps: { reserve, charge }, also });
    expect(await run.result()).toBe('paid 40');
    expect(run.calls('charge')).toEqual([{ attempt: 1, needs: { order: { total: 40 }, stock: { shelf: 'B4' } } }]);
    expect(run.calls('notify')).toHaveLength(1);
  });

  test('in a list are for one attempt each, and the last one repeats', async () => {
    const down = new Error('down');
    const steps = { reserve, charge: [down, () => Promise.reject(down), down, charge] as const };
    const run = await testRun(order, { total: 40 }, { steps, also });
    expect(await run.result()).toBe('paid 40');
    expect(run.calls('charge').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);

    const never = await testRun(order, { total: 40 }, { steps: { reserve, charge: [down] }, also });
    await expect(never.result()).rejects.toThrow('down');
    expect(never.calls('charge')).toHaveLength(4);
  });

  test('of a step that does not exist are refused, wherever types could not', async () => {
    await expect(testRun(order, { total: 1 }, { also: { chrge: charge } })).rejects.toMatchObject({
      code: 'UNKNOWN_STEP',
      message: 'workflow "order" has no step "chrge"; it has reserve, charge, notify, mail',
    });
    await expect(testRun(order, { total: 1 }, { also: { charge: 5 as never } })).rejects.toThrow('() => value');
    await expect(testRun(order, { total: 1 }, { also: { charge: [] as never } })).rejects.toThrow('() => value');
  });

  test('serve a graph that came as data, even where it has no handler', async () => {
    const graph = defineGraph({ name: 'g', steps: [{ name: 'a' }], output: { from: 'step', step: 'a' } }, {});
    const run = await testRun(graph, undefined, { steps: { a: () => 5 } });
    expect(await run.result()).toBe(5);
    const stranded = await testRun(graph, undefined);
    await expect(stranded.result()).rejects.toMatchObject({ code: 'RUN_NOT_FINISHED' });
  });
});

describe('time', () => {
  test('leaps to what is due next: three days of backoff in no time', async () => {
    const now = Date.UTC(2030, 5, 1);
    const down = new Error('down');
    const run = await testRun(
      order,
      { total: 40 },
      { steps: { reserve, charge: [down, down, down, charge] }, also, now },
    );
    expect(await run.result()).toBe('paid 40');
    expect(run.now).toBe(now + 3 * DAY_MS);
  });

  test('passes for fakes that sleep, as far as it is told', async () => {
    const slow = workflow('slow', ($) => $.step('wait', {}, () => 1));
    const run = await testRun(slow, undefined, {
      steps: {
        wait: async (_, { sleep }) => {
          await sleep('10d');
          return 5;
        },
      },
    });
    const start = run.now;
    await run.advance('3d');
    expect(run.now - start).toBe(3 * DAY_MS);
    expect(await run.status()).toBe('RUNNING');
    expect(await run.result()).toBe(5);
    expect(run.now - start).toBe(10 * DAY_MS);
  });

  test('brings timeouts and deadlines when they are due', async () => {
    const late = workflow('late', ($) => $.step('hang', {}, () => 1, { timeout: '2h' }));
    const hang = () => new Promise<number>(() => undefined);
    const run = await testRun(late, undefined, { steps: { hang } });
    const start = run.now;
    await expect(run.result()).rejects.toThrow('did not finish within 7200000 ms');
    expect(run.now - start).toBe(7_200_000);

    const limited = workflow('limited', { deadline: '1d' }, ($) => $.step('sleep', {}, () => 1));
    const doomed = await testRun(limited, undefined, { steps: { sleep: (_, { sleep }) => sleep('2d').then(() => 1) } });
    await expect(doomed.result()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
    expect(doomed.now - start).toBe(DAY_MS);
  });

  test('stands still while a handler waits for the real world, up to its patience', async () => {
    const real = workflow('real', ($) => $.step('fetch', {}, () => realTime(20, 'fetched'), { timeout: '1h' }));
    const run = await testRun(real, undefined);
    const start = run.now;
    expect(await run.result()).toBe('fetched');
    expect(run.now).toBe(start);

    const hangs = workflow('hangs', ($) => $.step('fetch', {}, () => new Promise(() => undefined)));
    const hanging = await testRun(hangs, undefined, { patience: 5 });
    await expect(hanging.result()).rejects.toThrow('still running as they are: fetch');
  });
});

describe('what a run waits for', () => {
  const approval = workflow('approval', ($) => {
    const asked = $.step('ask', {}, () => 'asked');
    const nap = $.sleep('nap', '3d', { after: asked });
    const until = $.sleepUntil('until', { asked }, (): Date => unreachable(), { after: nap });
    const answer = $.waitFor('approved', typed<string>(), { after: until });
    const rounds = $.loop('rounds', answer, (text): string => unreachable() ?? text, {
      until: (text) => text.length > 4,
      every: '1d',
    });
    return $.step('end', { rounds }, ({ rounds }) => rounds);
  });
  const begin = (now = Date.UTC(2020, 0, 1)) =>
    testRun(approval, undefined, {
      now,
      steps: { until: () => new Date(now + 5 * DAY_MS), rounds: ({ state }) => `${state}!` },
    });

  test('sleeps take no time, and a signal that is sent goes to the step that waits for it', async () => {
    const run = await begin();
    const start = run.now;
    await run.until('nap');
    expect(run.now - start).toBeLessThan(1000);
    await run.until('approved');
    expect(run.now - start).toBe(5 * DAY_MS);
    await run.signal('approved', 'yes');
    expect(await run.result()).toBe('yes!!');
    expect(run.calls('rounds').map(({ needs }) => needs)).toEqual([{ state: 'yes' }, { state: 'yes!' }]);
    expect(run.now - start).toBe(6 * DAY_MS);
  });

  test('a signal may come before anybody waits, also where the worker dies in its sleep', async () => {
    const run = await begin();
    await run.signal('approved', 'early');
    await run.advance('1d');
    await run.crash();
    expect(await run.result()).toBe('early!');
    expect(run.calls('ask')).toHaveLength(1);
  });

  test('a run that waits for ever says for what', async () => {
    const run = await begin();
    await expect(run.result()).rejects.toMatchObject({
      code: 'RUN_NOT_FINISHED',
      message: 'nothing is left that could happen in virtual time: Step "approved" waits for signal "approved".',
    });
    await run.signal('approved', 'late');
    expect(await run.result()).toBe('late!');
  });

  test('what no worker ever runs has no fake', async () => {
    const fake = (step: string) => testRun(approval, undefined, { also: { [step]: () => 'yes' } });
    await expect(fake('approved')).rejects.toThrow('step "approved" waits for a signal; send it one');
    await expect(fake('nap')).rejects.toThrow('step "nap" sleeps; let time pass');
  });

  test('is in the journal by virtual time and without ids', async () => {
    const journal = async (now: number, early: boolean) => {
      const run = await begin(now);
      if (early) await run.signal('other', 1);
      await run.until('approved');
      await run.signal('approved', 'fine');
      await run.result();
      return run.journal();
    };
    const lines = await journal(Date.UTC(2020, 0, 1), false);
    expect(await journal(Date.UTC(2030, 5, 5), false)).toEqual(lines);
    const delivered = { after: 5 * DAY_MS, type: 'delivered', step: 'approved' };
    expect(lines).toContainEqual(delivered);
    expect(lines).toContainEqual({ after: expect.any(Number), type: 'waiting', step: 'until', until: 5 * DAY_MS });
    expect(await journal(Date.UTC(2020, 0, 1), true)).toContainEqual(delivered);
  });
});

describe('a crash', () => {
  test('before a body: another worker starts it, as attempt 2, and the loss is recorded', async () => {
    const run = await testRun(order, { total: 40 }, { steps: { reserve, charge }, also });
    await run.until('charge');
    expect((await run.get()).steps.find(({ name }) => name === 'charge')?.status).toBe('RUNNING');
    expect(run.calls('charge')).toEqual([]);
    await run.crash();
    expect(await run.result()).toBe('paid 40');
    expect(run.calls('charge').map(({ attempt }) => attempt)).toEqual([2]);
    expect((await run.journal()).filter(({ step }) => step === 'charge').map(({ type }) => type)).toEqual([
      'claimed',
      'lost',
      'claimed',
      'succeeded',
    ]);
  });

  // proves: context.once, lost.at-least-once
  test('between what a body did and its record: the body runs again, what it did once does not', async () => {
    const effects: string[] = [];
    const run = await testRun(
      order,
      { total: 40 },
      {
        steps: {
          reserve,
          charge: async ({ order }, { attempt, key, once }) => {
            await once('pay', () => effects.push(`paid ${key}`));
            effects.push(`attempt ${attempt}`);
            return { paid: order.total };
          },
        },
        also,
      },
    );
    await run.until('charge', 'after');
    await run.crash();
    expect(await run.result()).toBe('paid 40');
    expect(effects).toEqual([expect.stringMatching(/^paid /), 'attempt 1', 'attempt 2']);
  });

  test('in the middle of a body: what the abandoned one does later is not recorded', async () => {
    const slow = workflow('slow', ($) => $.step('wait', {}, () => 'real', { retry: 1 }));
    let finish: (value: string) => void = () => undefined;
    const abandoned = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const run = await testRun(slow, undefined, { steps: { wait: [() => abandoned, () => 'second'] } });
    await run.advance('1m');
    await run.crash();
    finish('too late');
    expect(await run.result()).toBe('second');
  });

  test('at the worst moment, days into a retried step: the customer is charged once', async () => {
    const charged: string[] = [];
    const slow = async (
      { order }: { readonly order: { readonly total: number } },
      { key, once, sleep }: FakeContext,
    ) => {
      await sleep('3d');
      await once('pay', () => charged.push(key));
      return { paid: order.total };
    };
    const run = await testRun(order, { total: 40 }, { steps: { reserve, charge: [new Error('down'), slow] }, also });
    const start = run.now;
    await run.advance('25h');
    expect(await run.status()).toBe('RUNNING');
    await run.until('charge', 'after');
    await run.crash();
    expect(await run.result()).toBe('paid 40');
    expect(charged).toHaveLength(1);
    expect(run.calls('charge').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(run.now - start).toBe(7 * DAY_MS);
  });

  test('again and again ends a step as it does in earnest', async () => {
    const poison = workflow('poison', ($) => $.step('a', {}, () => 1, { retry: { attempts: 1, losses: 2 } }));
    const run = await testRun(poison, undefined);
    for (let i = 0; i < 2; i++) {
      await run.until('a', 'after');
      await run.crash();
    }
    await expect(run.result()).rejects.toMatchObject({ cause: { code: 'WORKER_LOST' } });
  });
});

test('a run goes as far as it is told, and hears commands there', async () => {
  const run = await testRun(order, { total: 40 }, { steps: { reserve, charge: [new Error('down'), charge] }, also });
  expect(run.calls('reserve')).toEqual([]);
  await run.until('charge', 'after');
  expect(run.calls('charge')).toHaveLength(1);
  await run.pause();
  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_NOT_FINISHED' });
  await run.resume();
  await run.cancel();
  await expect(run.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  await expect(run.until('mail')).rejects.toThrow('the run ended CANCELLED');
  await run.retry();
  expect(await run.result()).toBe('paid 40');
  await run.enqueue('mail');
  await run.until('mail');
  expect(await run.result()).toBe('paid 40');
  expect(run.calls('mail')).toHaveLength(2);
});

test('taken up again while a body of before is still to stop, it goes on to its end', async () => {
  const hangs = () => new Promise<never>(() => undefined);
  const run = await testRun(order, { total: 40 }, { steps: { reserve: [hangs, reserve], charge }, also });
  await run.advance('1s');
  await run.cancel();
  await run.advance('1s');
  await run.retry();
  expect(await run.result()).toBe('paid 40');
});

test('clocks that a test puts in place of the real ones do not hold it up', async () => {
  vi.useFakeTimers();
  try {
    const run = await testRun(order, { total: 40 }, { steps: { reserve, charge }, also });
    expect(await run.result()).toBe('paid 40');
  } finally {
    vi.useRealTimers();
  }
});

test('the journal is the same in every run of the same test, whenever that begins', async () => {
  const journal = async (now: number) => {
    const run = await testRun(
      order,
      { total: 40 },
      { steps: { reserve, charge: [new Error('down'), charge] }, also, now },
    );
    await run.until('mail');
    await run.crash();
    await run.result();
    return run.journal();
  };
  const lines = await journal(Date.UTC(2020, 0, 1));
  expect(await journal(Date.UTC(2030, 5, 5))).toEqual(lines);
  expect(lines[0]).toEqual({ after: 0, type: 'created', workflow: 'order', input: { total: 40 } });
  expect(lines).toContainEqual({
    after: 0,
    type: 'retrying',
    step: 'charge',
    error: { name: 'Error', message: 'down' },
    notBefore: DAY_MS,
  });
  expect(lines.at(-1)).toMatchObject({ after: DAY_MS, type: 'ended', status: 'SUCCEEDED' });
});
