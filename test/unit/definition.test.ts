import {
  defineGraph,
  FuselineError,
  type Graph,
  type GraphStep,
  MemoryStorage,
  ProcessEngine,
  workflow,
} from 'fuseline';
import { describe, expect, test } from 'vitest';

const nothing = () => undefined;
const define = (steps: readonly GraphStep[], rest: Partial<Graph> = {}) =>
  defineGraph({ name: 'w', steps, ...rest }, {});

/** The error a definition throws: always when it is made, never at run time. */
function refusal(make: () => unknown): FuselineError {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(FuselineError);
    expect(error).toMatchObject({ code: 'INVALID_DEFINITION' });
    return error as FuselineError;
  }
  throw new Error('the definition was accepted');
}

const step = (name: string, ...from: readonly string[]): GraphStep => ({
  name,
  needs: from.map((source) => ({ param: source, from: 'step', step: source })),
});

describe('a definition error is thrown when the workflow is defined, and names the steps:', () => {
  // proves: definition.twice
  test('two steps of one name', () => {
    expect(refusal(() => define([step('a'), step('a')])).message).toContain('"a"');
    const twice = () =>
      workflow('w', ($) => {
        $.step('reserve', {}, nothing);
        return $.step('reserve', {}, nothing);
      });
    expect(refusal(twice).message).toMatch(/"w".*"reserve"/);
  });

  // proves: definition.cycle
  test('a cycle, with its path', () => {
    const { message } = refusal(() => define([step('a', 'c'), step('b', 'a'), step('c', 'b'), step('d', 'a')]));
    expect(message).toMatch(/"a" → "b" → "c" → "a"|"b" → "c" → "a" → "b"|"c" → "a" → "b" → "c"/);
    expect(message).not.toContain('"d"');
  });

  test('a step that waits for itself', () => {
    expect(refusal(() => define([step('a', 'a')])).message).toContain('"a" → "a"');
  });

  // proves: definition.cycle
  test('a cycle through an any-group, and through a settled need', () => {
    const a = { name: 'a', after: [{ any: [{ step: 'b' }, { step: 'c' }] }] };
    expect(refusal(() => define([a, step('b', 'a'), step('c')])).message).toContain('"a" → "b" → "a"');
    const b: GraphStep = { name: 'b', needs: [{ param: 'c', from: 'settled', step: 'c' }] };
    expect(refusal(() => define([b, step('c', 'b')])).message).toMatch(/"b" → "c" → "b"|"c" → "b" → "c"/);
  });

  // proves: definition.unknown
  test('a step that refers to one that does not exist', () => {
    expect(refusal(() => define([step('a', 'nobody')])).message).toMatch(/"a".*"nobody"/);
    expect(refusal(() => define([{ name: 'a', after: [{ step: 'nobody' }] }])).message).toMatch(/"a".*"nobody"/);
    expect(refusal(() => define([step('a')], { output: { from: 'step', step: 'nobody' } })).message).toContain(
      '"nobody"',
    );
  });

  // proves: definition.road
  test('a road the branch step does not declare', () => {
    const size: GraphStep = { name: 'size', kind: 'branch', roads: ['small', 'large'] };
    const { message } = refusal(() => define([size, { name: 'a', after: [{ step: 'size', on: ['huge'] }] }]));
    expect(message).toMatch(/"a".*"huge".*"size".*"small", "large"/);
  });

  // proves: definition.road
  test('a road of a step that is not a branch step', () => {
    expect(refusal(() => define([step('a'), { name: 'b', after: [{ step: 'a', on: ['x'] }] }])).message).toMatch(
      /"b".*"a"/,
    );
  });

  // proves: definition.any
  test('an any-group of one', () => {
    expect(refusal(() => define([step('a'), { name: 'b', after: [{ any: [{ step: 'a' }] }] }])).message).toContain(
      '"b"',
    );
    // The same step twice is one member.
    const twice = { any: [{ step: 'a' }, { step: 'a' }] };
    expect(refusal(() => define([step('a'), { name: 'b', after: [twice] }])).message).toContain('"b"');
    const same = () =>
      workflow('w', ($) => {
        const a = $.step('a', {}, nothing);
        return $.step('b', { it: $.any(a, a) }, nothing);
      });
    expect(refusal(same).message).toContain('"b"');
  });

  test('an any-group of one in the output', () => {
    const output = { from: 'any', of: [{ step: 'a' }] } as const;
    expect(refusal(() => define([step('a')], { output })).message).toContain('the output');
  });

  // proves: definition.dead
  test('a join of two roads of which only one is ever chosen', () => {
    const both = () =>
      workflow('w', ($) => {
        const size = $.branch('size', {}, () => (Math.random() > 0.5 ? 'small' : 'large'));
        const brief = $.step('brief', {}, nothing, { after: size.on('small') });
        const full = $.step('full', {}, nothing, { after: size.on('large') });
        return $.step('write', { brief, full }, nothing);
      });
    expect(refusal(both).message).toMatch(/"write".*"size".*any-group/);
  });

  // proves: definition.dead
  test('a step that waits for the otherwise of a branch step all of whose roads have an edge', () => {
    const size: GraphStep = { name: 'size', kind: 'branch', roads: ['small'] };
    const small = { name: 'small', after: [{ step: 'size', on: ['small'] }] };
    const { message } = refusal(() => define([size, small, { name: 'rest', after: [{ step: 'size', on: [null] }] }]));
    expect(message).toMatch(/"rest".*"size"/);
  });

  // proves: definition.dead
  test('a step that waits for none of the roads of a branch step', () => {
    const size: GraphStep = { name: 'size', kind: 'branch' };
    expect(refusal(() => define([size, { name: 'never', after: [{ step: 'size', on: [] }] }])).message).toMatch(
      /"never".*"size"/,
    );
    const never = () =>
      workflow('w', ($) => {
        const size = $.branch('size', {}, () => 'small');
        return $.step('never', {}, nothing, { after: Reflect.apply(size.on, size, []) });
      });
    expect(refusal(never).message).toMatch(/"never".*"size"/);
  });

  test.each([
    // proves: definition.name
    ['empty', ''],
    ['longer than 256 characters', 'x'.repeat(257)],
    ['not well-formed text', 'a\uD800'],
    ['no text at all', 5 as never],
  ])('a name that is %s', (_, name) => {
    refusal(() => define([step(name)]));
    refusal(() => defineGraph({ name, steps: [step('a')] }, {}));
    refusal(() => define([{ name: 'a', queue: name }]));
    refusal(() => workflow(name, ($) => $.step('a', {}, nothing)));
    refusal(() => workflow('w', ($) => $.step(name, {}, nothing)));
    refusal(() => workflow('w', ($) => $.branch(name, {}, () => 'x')));
  });

  // proves: definition.size
  test('no steps, and more steps than the limit', () => {
    refusal(() => define([]));
    const { message } = refusal(() => define(Array.from({ length: 200_001 }, (_, i) => ({ name: `s${i}` }))));
    expect(message).toMatch(/200001.*200000/);
  });

  // proves: definition.attempts
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%s attempts', (attempts) => {
    expect(refusal(() => define([{ name: 'a', retry: { attempts } }])).message).toContain('"a"');
    expect(refusal(() => workflow('w', ($) => $.step('a', {}, nothing, { retry: attempts }))).message).toContain('"a"');
    const byDefault = () => workflow('w', { defaults: { retry: attempts } }, ($) => $.step('a', {}, nothing));
    expect(refusal(byDefault).message).toContain('"a"');
  });

  test.each([1.5, Number.NaN, 10_000_000])('priority %s', (priority) => {
    expect(refusal(() => define([{ name: 'a', priority }])).message).toContain('"a"');
  });

  // proves: definition.unknown
  test('two needs of one name, and one from nowhere', () => {
    const need = { param: 'x', from: 'input' } as const;
    expect(refusal(() => define([{ name: 'a', needs: [need, need] }])).message).toMatch(/"a".*"x"/);
    const nowhere = { param: 'x', from: 'nowhere' } as never;
    expect(refusal(() => define([{ name: 'a', needs: [nowhere] }])).message).toMatch(/"a".*"nowhere"/);
  });

  // proves: definition.handler
  test('a handler for a step that does not exist', () => {
    expect(refusal(() => defineGraph({ name: 'w', steps: [step('a')] }, { b: nothing })).message).toContain('"b"');
  });
});

// proves: definition.any-name
describe('any name is legal from end to end:', () => {
  test.each([
    ['__proto__'],
    ['constructor'],
    ['toString'],
    ['hasOwnProperty'],
    ['👩‍👩‍👧 семья'],
    ['a/b%2F:c!'],
    ['\u0000\n"\\'],
    ['x'.repeat(256)],
    ['漢'.repeat(256)],
    ['😀'.repeat(128)],
  ])('%j as workflow, step, parameter, road, queue, label, signal, output and worker', async (name) => {
    const storage = new MemoryStorage();
    const wf = workflow(name, ($) => {
      const road = $.branch(`${name.slice(0, 200)} chooses`, {}, () => name);
      const first = $.step(
        name,
        { [name]: road },
        (needs: Readonly<Record<string, unknown>>) => Object.entries(needs),
        {
          after: road.on(name),
          queue: name,
        },
      );
      const second = $.step('second', { [name]: first }, (needs: Readonly<Record<string, unknown>>) => needs[name]);
      return { [name]: second };
    });
    const labels = { [name]: name };
    const run = await wf.dispatch(undefined, { storage, labels });
    await run.signal(name, { [name]: name });
    await new ProcessEngine(wf, storage, { name }).work();
    const output = (await run.result()) as Readonly<Record<string, unknown>>;
    expect(Object.entries(output)).toEqual([[name, [[name, name]]]]);
    const { runs } = await storage.list({ workflow: name, labels });
    expect(runs.map(({ id, labels }) => [id, Object.entries(labels)])).toEqual([[run.id, [[name, name]]]]);
    const view = await run.get();
    expect(view.steps.map((one) => one.name)).toContain(name);
    expect(view.signals.map((one) => one.name)).toEqual([name]);
    expect(await storage.stepResult(run.id, name)).toEqual([[name, name]]);
    expect(await run.explain(name)).toContain('succeeded');
    await run.enqueue(name);
    await new ProcessEngine(wf, storage).work();
    expect(await run.status()).toBe('SUCCEEDED');
  });

  test('the two are not taken for each other', async () => {
    const wf = workflow('w', ($) => {
      const a = $.step('__proto__', {}, () => 'first');
      const b = $.step('constructor', {}, () => 'second');
      return $.step('both', { ['__proto__']: a, constructor: b }, (needs) => Object.entries(needs));
    });
    expect(await wf.run()).toEqual([
      ['__proto__', 'first'],
      ['constructor', 'second'],
    ]);
  });

  test('a label nobody set is not found on every object', async () => {
    const storage = new MemoryStorage();
    await workflow('w', ($) => $.step('a', {}, nothing)).dispatch(undefined, { storage, labels: { a: 'b' } });
    expect((await storage.list({ labels: { constructor: 'Object' } })).runs).toEqual([]);
  });
});

describe('a mistake with the builder is a TypeError that says what to do:', () => {
  let foreignRoad: unknown;
  let foreign: unknown;
  workflow('elsewhere', ($) => {
    const step = $.step('a', {}, () => 1);
    foreign = step;
    foreignRoad = $.branch('b', {}, () => 'x').on('x');
    return step;
  });

  // biome-ignore lint/suspicious/noExplicitAny: these are what a program without types may do.
  type Loose = any;
  const mistakes: readonly (readonly [string, ($: Loose) => unknown, RegExp])[] = [
    ['a need of another workflow', ($) => $.step('x', { foreign }, nothing), /another workflow/],
    ['an `after` of another workflow', ($) => $.step('x', {}, nothing, { after: foreign }), /another workflow/],
    ['a road of another workflow', ($) => $.step('x', {}, nothing, { after: foreignRoad }), /another workflow/],
    ['an output of another workflow', () => foreign, /another workflow/],
    ['a need by name', ($) => $.step('x', { a: 'a' }, nothing), /"a" of step "x"/],
    ['a need that is undefined', ($) => $.step('x', { a: undefined }, nothing), /"a" of step "x"/],
    [
      'a need that is a road',
      ($) => $.step('x', { a: $.branch('b', {}, () => 'r').on('r') }, nothing),
      /"a" of step "x"/,
    ],
    ['an `after` that is a name', ($) => $.step('x', {}, nothing, { after: 'a' }), /after of step "x"/],
    ['an `after` that is the input', ($) => $.step('x', {}, nothing, { after: $.input }), /after of step "x"/],
    ['no needs', ($) => $.step('x', nothing), /"x".*third argument/],
    ['needs that are null', ($) => $.step('x', null, nothing), /"x".*second argument/],
    ['no handler', ($) => $.step('x', {}), /"x".*third argument/],
    ['options before the handler', ($) => $.step('x', {}, { retry: 3 }, nothing), /"x".*third argument/],
    [
      'a group of conditions',
      ($) => $.any($.step('x', {}, nothing).when(Boolean), $.step('y', {}, nothing)),
      /condition/,
    ],
    ['a group of the input', ($) => $.any($.input, $.step('y', {}, nothing)), /a member of any/],
    ['the end of a group', ($) => $.settled($.any($.step('x', {}, nothing), $.step('y', {}, nothing))), /settled/],
    ['no output', ($) => void $.step('x', {}, nothing), /must return/],
    ['a promise of an output', async ($) => $.step('x', {}, nothing), /must return/],
    ['an output with a condition', ($) => $.step('x', {}, nothing).when(Boolean), /condition.*needs/],
    ['a timeout that is no duration', ($) => $.step('x', {}, nothing, { timeout: 'soon' }), /"soon".*'30s'/],
  ];
  test.each(mistakes)('%s', (_, define, message) => {
    expect(() => workflow('w', define as never)).toThrow(TypeError);
    expect(() => workflow('w', define as never)).toThrow(message);
  });

  test('no function that defines the steps', () => {
    expect(() => workflow('w', undefined as never)).toThrow(/"w".*last argument/);
    expect(() => workflow('w', undefined as never)).toThrow(TypeError);
  });

  test('an engine without a workflow, or with no room for any attempt', () => {
    const storage = new MemoryStorage();
    const wf = workflow('w', ($) => $.step('x', {}, nothing));
    expect(() => new ProcessEngine([], storage)).toThrow(TypeError);
    for (const concurrency of [0, -1, 1.5, Number.NaN]) {
      expect(() => new ProcessEngine(wf, storage, { concurrency })).toThrow(/concurrency is/);
    }
  });
});

test('graphs of the same content have the same hash, others another', () => {
  const graph = (attempts: number) => define([{ name: 'a', retry: { attempts } }]).graph().hash;
  expect(graph(1)).toBe(graph(1));
  expect(graph(1)).not.toBe(graph(2));
});

test('what graph() hands out defines the same workflow again', () => {
  const wf = workflow('w', { version: '3', deadline: '1h', failFast: true }, ($) => {
    const a = $.branch('a', { it: $.input }, () => 'x', {
      retry: { attempts: 2, base: '1s' },
      queue: 'q',
      priority: 1,
    });
    const b = $.step('b', {}, nothing, { after: a.on('x') });
    return { either: $.any(a, b), end: $.settled(b) };
  });
  expect(defineGraph(JSON.parse(JSON.stringify(wf.graph())), {}).graph()).toEqual(wf.graph());
});

test.each([
  ['a timeout in words', { timeoutMs: '5s' }, /timeoutMs of step "a" is "5s"/],
  ['a base in words', { retry: { attempts: 2, baseMs: '1s' } }, /retry.baseMs of step "a" is "1s"/],
  ['a negative factor', { retry: { attempts: 2, factor: -1 } }, /retry.factor of step "a" is -1/],
  ['an unknown backoff', { retry: { attempts: 2, backoff: 'bogus' } }, /retry.backoff of step "a" is "bogus"/],
  ['an unknown kind', { kind: 'bogus' }, /kind of step "a" is "bogus"/],
  ['a sleep in words', { kind: 'sleep', forMs: '3d' }, /forMs of step "a" is "3d"/],
  ['a time for a step that does not wait', { forMs: 5 }, /step "a" has forMs, and is no step that sleeps or waits/],
  ['a signal for a step that does not wait', { signal: 'b' }, /step "a" has a signal, and is no step that waits/],
  ['a limit of no list', { limit: 5 }, /step "a" has a limit of items, and takes no list/],
  ['a list of no need', { kind: 'each' }, /step "a" runs for each item of a list, and takes 0 needs/],
  ['a limit of nothing', { kind: 'each', limit: 0 }, /limit of step "a" is 0/],
  ['rounds of no loop', { rounds: 5 }, /step "a" has rounds, and is no loop/],
  ['a loop of no round', { kind: 'loop', rounds: 0 }, /rounds of step "a" is 0/],
  ['a loop without a state', { kind: 'loop' }, /step "a" is a loop, and takes 0 needs/],
  ['a signal without a name', { kind: 'wait', signal: '' }, /step "a" waits for signal ""/],
  [
    'needs of a step that waits',
    { kind: 'wait', needs: [{ param: 'b', from: 'input' }] },
    /step "a" waits for a signal, and takes nothing else/,
  ],
  [
    'needs of a step that sleeps for a time',
    { kind: 'sleep', forMs: 5, needs: [{ param: 'b', from: 'input' }] },
    /step "a" sleeps for 5 ms, and takes nothing/,
  ],
])('a graph from data with %s is refused', (_, terms, message) => {
  const step = { name: 'a', ...terms } as never;
  expect(() => defineGraph({ name: 'w', steps: [step] }, {})).toThrow(message);
});
