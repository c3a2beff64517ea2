import { type RunFailedError, type StandardSchema, typed, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { boom, nothing, Rig } from './rig.ts';

/** What a step makes of a value that another one handed on. */
async function carried(value: unknown): Promise<{ readonly seen: unknown; readonly result: unknown }> {
  const rig = new Rig();
  let seen: unknown;
  const wf = workflow('w', ($) => {
    const a = $.step('a', {}, () => value);
    return $.step('b', { a }, ({ a }) => {
      seen = a;
      return a;
    });
  });
  await rig.dispatch(wf, undefined);
  await rig.work(wf, 'run');
  return { seen, result: await rig.open().result('run') };
}

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

// proves: values.carried
describe('a step hands on, as a copy of its own,', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['text', 'a\n"\u2028 😀'],
    ['an empty text', ''],
    ['numbers', [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53]],
    ['plain data', { a: [1, { b: null }], c: true }],
    ['undefined inside', { a: undefined, b: [undefined, 1] }],
    ['a Date', new Date(5)],
    [
      'a Map',
      new Map<unknown, unknown>([
        [{ key: 1 }, new Date(1)],
        ['b', new Map()],
      ]),
    ],
    ['a Set', new Set([1, 'a', null])],
    ['a BigInt', 2n ** 80n],
    ['typed arrays', { bytes: new Uint8Array([1, 2, 255]), floats: new Float64Array([1.5, Number.NaN]) }],
    ['a URL and a RegExp', { url: new URL('https://example.org/?a=1'), pattern: /a+/gi }],
    ['a name that is every object’s', JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}')],
    ['text that looks like an encoded value', ['~-1', '@0', '~[1]']],
    ['a value in rows of its own', { text: 'x'.repeat(10_000) }],
    ['text of astral characters across rows', '😀'.repeat(5_000)],
    ['deep nesting', JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)],
  ])('%s', async (_, value) => {
    const { seen, result } = await carried(value);
    expect(seen).toEqual(value);
    expect(result).toEqual(value);
    if (typeof value === 'object' && value !== null) expect(seen).not.toBe(value);
  });

  test('a value larger than any one row', async () => {
    const value = 'é'.repeat(17 * 1024 * 1024);
    const { seen, result } = await carried(value);
    expect(seen === value && result === value).toBe(true);
  });

  test('a cycle', async () => {
    const { seen } = await carried(cyclic);
    expect((seen as typeof cyclic).self).toBe(seen);
  });

  test('an Error with its cause', async () => {
    const { seen } = await carried({ error: new TypeError('outer', { cause: new Error('inner') }) });
    const { error } = seen as { error: Error };
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TypeError', message: 'outer', cause: { message: 'inner' } });
  });
});

// proves: values.refused
describe('a value that cannot be carried fails the attempt with an error that names the path inside it:', () => {
  class Money {
    readonly cents = 5;
  }
  test.each<[string, unknown, RegExp]>([
    ['a function', { a: { b: [1, nothing] } }, /\.a\.b\[1\]/],
    ['a symbol', { tag: Symbol('x') }, /\.tag/],
    ['an instance of a class', { price: new Money() }, /\.price/],
    ['a function on its own', nothing, /value/],
  ])('%s', async (_, value, path) => {
    const rig = new Rig();
    let tries = 0;
    const wf = workflow('w', ($) =>
      $.step(
        'a',
        {},
        () => {
          tries++;
          return value;
        },
        { retry: { attempts: 2, base: 0 } },
      ),
    );
    await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    const error = await rig.storage.result('run').catch((reason: RunFailedError) => reason);
    expect(error).toMatchObject({ failures: [{ step: 'a', attempt: 2 }], cause: { code: 'VALUE_NOT_PORTABLE' } });
    expect(String((error as RunFailedError).cause)).toMatch(path);
    // It is a failed attempt like any other.
    expect(tries).toBe(2);
  });

  test('and a checkpoint', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => $.step('a', {}, (_, { once }) => once('k', () => ({ a: nothing }))));
    await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    await expect(rig.storage.result('run')).rejects.toMatchObject({ cause: { code: 'VALUE_NOT_PORTABLE' } });
  });

  // proves: run.input
  test('an input is refused before there is a run', async () => {
    const rig = new Rig();
    const wf = workflow('w', { input: typed<unknown>() }, ($) => $.step('a', {}, nothing));
    await expect(wf.dispatch({ f: nothing }, { storage: rig.storage, id: 'run' })).rejects.toMatchObject({
      code: 'VALUE_NOT_PORTABLE',
    });
    await expect(rig.storage.status('run')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  });
});

describe('a step receives', () => {
  // proves: needs.declared, needs.skipped
  test('exactly what it declared: undefined for a skipped dependency, never a missing key, and nothing else', async () => {
    const rig = new Rig();
    const wf = workflow('w', { input: typed<{ id: number }>() }, ($) => {
      const zero = $.step('zero', {}, () => 0);
      const skipped = $.step('skipped', { zero: zero.when(Boolean) }, () => 'ran');
      const empty = $.step('empty', {}, nothing);
      $.step('order only', { zero }, nothing);
      return $.step('look', { skipped, empty, zero, input: $.input }, (needs) => Object.entries(needs), {
        after: skipped,
      });
    });
    await rig.dispatch(wf, { id: 1 });
    await rig.work(wf, 'run');
    expect(await rig.storage.result('run')).toEqual([
      ['skipped', undefined],
      ['empty', undefined],
      ['zero', 0],
      ['input', { id: 1 }],
    ]);
  });

  // proves: needs.copy
  test('a copy of its own: what one step does to a need no other one sees', async () => {
    const rig = new Rig();
    const wf = workflow('w', { input: typed<{ list: number[] }>() }, ($) => {
      const source = $.step('source', {}, () => ({ list: [1] }));
      const spoils = $.step('spoils', { source, input: $.input }, ({ source, input }) => {
        source.list.push(2);
        input.list.push(2);
      });
      return $.step(
        'looks',
        { source, input: $.input, again: source },
        ({ source, input, again }) => [source, input, again],
        {
          after: spoils,
        },
      );
    });
    await rig.dispatch(wf, { list: [1] });
    await rig.work(wf, 'run');
    expect(await rig.storage.result('run')).toEqual([{ list: [1] }, { list: [1] }, { list: [1] }]);
  });
});

describe('conditions', () => {
  // proves: when.order, when.false, step.skipped
  test('are evaluated in the order of the needs, before the body; the first false one skips the step', async () => {
    const rig = new Rig();
    const log: string[] = [];
    const wf = workflow('w', ($) => {
      const one = $.step('one', {}, () => 1);
      const note = (name: string, answer: boolean) => () => {
        log.push(name);
        return answer;
      };
      return $.step(
        'b',
        { x: one.when(note('x', true)), y: one.when(note('y', false)), z: one.when(note('z', true)) },
        () => log.push('body'),
      );
    });
    expect(await rig.end(wf)).toMatchObject({ b: 'SKIPPED', run: 'SUCCEEDED' });
    expect(log).toEqual(['x', 'y']);
  });

  // proves: when.throws
  test('that throw are a failed attempt', async () => {
    const rig = new Rig();
    let tries = 0;
    const wf = workflow('w', ($) => {
      const one = $.step('one', {}, () => 1);
      return $.step('b', { one: one.when(() => (tries++ === 0 ? boom() : true)) }, () => 'ran', {
        retry: { attempts: 2, base: 0 },
      });
    });
    await rig.dispatch(wf, undefined);
    await rig.work(wf, 'run');
    expect(await rig.storage.result('run')).toBe('ran');
    expect(await rig.history()).toContain('retrying b');
  });

  // proves: when.any
  test('on an any-group are evaluated once, on the winning member', async () => {
    const rig = new Rig();
    const seen: unknown[] = [];
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => 'a');
      const b = $.step('b', { a }, () => 'b');
      const both = $.any(b, a).when((it) => seen.push(it) > 1);
      return $.step('join', { both }, nothing);
    });
    expect(await rig.end(wf)).toMatchObject({ a: 'SUCCEEDED', b: 'SUCCEEDED', join: 'SKIPPED' });
    expect(seen).toEqual(['a']);
  });
});

describe('an id stands for one input:', () => {
  const wf = workflow('w', { input: typed<unknown>() }, ($) => $.step('a', { input: $.input }, ({ input }) => input));
  const dispatch = (rig: Rig, input: unknown) => wf.dispatch(input, { storage: rig.open(), id: 'run' });

  // proves: run.id
  test.each<[string, unknown, unknown]>([
    ['the same', { a: 1 }, { a: 1 }],
    ['with its keys in another order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    [
      'with a Date among keys in another order',
      { a: new Date(1), b: [new Map([[1, { c: 1n, d: 2 }]])] },
      { b: [new Map([[1, { d: 2, c: 1n }]])], a: new Date(1) },
    ],
    ['none', undefined, undefined],
    ['longer than a journal line', { a: 'x'.repeat(9000), b: 1 }, { b: 1, a: 'x'.repeat(9000) }],
  ])('%s is the same run', async (_, first, second) => {
    const rig = new Rig();
    await dispatch(rig, first);
    expect((await dispatch(rig, second)).id).toBe('run');
    expect((await rig.storage.list()).runs).toHaveLength(1);
  });

  // proves: run.id-taken
  test.each<[string, unknown, unknown]>([
    ['another', { a: 1 }, { a: 2 }],
    ['another order of a list', [1, 2], [2, 1]],
    ['another kind', { a: 1 }, { a: '1' }],
    ['another Date', new Date(1), new Date(2)],
    ['none and null', undefined, null],
  ])('%s is refused', async (_, first, second) => {
    const rig = new Rig();
    await dispatch(rig, first);
    await expect(dispatch(rig, second)).rejects.toMatchObject({ code: 'INPUT_MISMATCH' });
  });

  // proves: run.id-taken
  test('another workflow is refused', async () => {
    const rig = new Rig();
    await dispatch(rig, 1);
    const other = workflow('other', { input: typed<unknown>() }, ($) => $.step('a', {}, nothing));
    await expect(other.dispatch(1, { storage: rig.storage, id: 'run' })).rejects.toMatchObject({
      code: 'WORKFLOW_MISMATCH',
    });
  });

  test.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(129)])('%j is no id', async (id) => {
    await expect(wf.dispatch(1, { storage: new Rig().storage, id })).rejects.toMatchObject({ code: 'INVALID_ID' });
  });
});

test('a long payload of a signal is kept, though whoever sends it has not read the run', async () => {
  const rig = new Rig();
  await rig.dispatch(
    workflow('w', ($) => $.step('a', {}, nothing)),
    undefined,
  );
  const payload = 'x'.repeat(10_000);
  await rig.open().signal('run', 'go', payload);
  const { values } = await rig.open().export('run');
  expect(Object.values(values).map((text) => text.length)).toEqual([payload.length + 2]);
});

// proves: run.input
test('an input is validated at dispatch: the error names the path, and the steps see what the schema hands back', async () => {
  const rig = new Rig();
  const schema: StandardSchema<{ day: string }, { day: Date }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        const day = new Date((value as { day: string }).day);
        const issue = { message: 'not a date', path: ['order', { key: 'day' }] };
        return Number.isNaN(day.getTime()) ? { issues: [issue] } : { value: { day } };
      },
    },
  };
  const wf = workflow('w', { input: schema }, ($) =>
    $.step('a', { input: $.input }, ({ input }) => input.day.getTime()),
  );
  await expect(wf.dispatch({ day: 'soon' }, { storage: rig.storage })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(/"w".*order\.day: not a date/),
  });
  await expect(wf.run({ day: 'soon' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await wf.run({ day: '1970-01-01T00:00:05Z' })).toBe(5000);
});

test('a schema of zod says what a step gets, and names the place of what does not fit', async () => {
  const input = z.object({ order: z.object({ orderId: z.int(), gift: z.boolean().default(false) }) });
  const wf = workflow('w', { input }, ($) =>
    $.step('a', { input: $.input }, ({ input: { order } }) => `${order.orderId.toFixed(1)} ${order.gift}`),
  );
  expect(await wf.run({ order: { orderId: 17 } })).toBe('17.0 false');
  await expect(wf.run({ order: { orderId: 1.5 } })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('order.orderId: '),
  });
});
