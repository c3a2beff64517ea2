import {
  type Context,
  defineGraph,
  FuselineError,
  MemoryStorage,
  ProcessEngine,
  type RunHandle,
  type StandardSchema,
  typed,
  workflow,
} from 'fuseline';
import { expectTypeOf } from 'vitest';

/** What a user does with a workflow once it is defined. */

const storage = new MemoryStorage();

const order = workflow('order', { input: typed<{ id: number; total: number }>() }, ($) =>
  $.step('charge', { order: $.input }, ({ order }) => ({ receipt: String(order.total) })),
);

expectTypeOf(order.run({ id: 1, total: 2 })).resolves.toEqualTypeOf<{ receipt: string }>();
expectTypeOf(order.run({ id: 1, total: 2 }, { storage, id: 'a' })).resolves.toEqualTypeOf<{ receipt: string }>();
expectTypeOf(order.dispatch({ id: 1, total: 2 }, { storage })).resolves.toEqualTypeOf<RunHandle<{ receipt: string }>>();
expectTypeOf(order.get('a', { storage })).toEqualTypeOf<RunHandle<{ receipt: string }>>();
expectTypeOf(order.get('a', { storage }).result()).resolves.toEqualTypeOf<{ receipt: string }>();
// A wrong input.
// @ts-expect-error
order.run({ id: 1 });
// @ts-expect-error
order.run({ id: '1', total: 2 });
// @ts-expect-error
order.run({ id: 1, total: 2, discount: 3 });
// @ts-expect-error
order.run();
// @ts-expect-error
order.dispatch({ id: 1 }, { storage });
// A dispatch without a storage would be forgotten at once.
// @ts-expect-error
order.dispatch({ id: 1, total: 2 });

// Without an input there is none to give, and none to read.
const nightly = workflow('nightly', ($) => {
  $.step('look', { input: $.input }, ({ input }) => expectTypeOf(input).toEqualTypeOf<undefined>());
  return $.step('sweep', {}, () => 3);
});
expectTypeOf(nightly.run()).resolves.toEqualTypeOf<number>();
expectTypeOf(nightly.run(undefined, { storage })).resolves.toEqualTypeOf<number>();
expectTypeOf(workflow('with-options', { version: '2' }, ($) => $.step('a', {}, () => 1)).run()).resolves.toBeNumber();
// @ts-expect-error
nightly.run(5);

// A schema may take one thing and hand on another: the caller gives the first, the steps see the second.
declare const dates: StandardSchema<{ day: string }, { day: Date }>;
const calendar = workflow('calendar', { input: dates }, ($) =>
  $.step('year', { input: $.input }, ({ input }) => {
    expectTypeOf(input).toEqualTypeOf<{ day: Date }>();
    return input.day.getFullYear();
  }),
);
expectTypeOf(calendar.run).parameter(0).toEqualTypeOf<{ day: string }>();
// @ts-expect-error
calendar.run({ day: new Date() });

// An input that may be left out.
const greeting = workflow('greeting', { input: typed<{ name: string } | undefined>() }, ($) =>
  $.step('greet', { input: $.input }, ({ input }) => input?.name ?? 'you'),
);
expectTypeOf(greeting.run()).resolves.toEqualTypeOf<string>();
expectTypeOf(greeting.run({ name: 'Ada' })).resolves.toEqualTypeOf<string>();

// The signal is the platform's own.
export const fetching = (url: string, { signal }: Context): Promise<Response> => fetch(url, { signal });
expectTypeOf<Context['signal']>().toEqualTypeOf<AbortSignal>();

// Every shape of output.
expectTypeOf(
  workflow('input-out', { input: typed<Date>() }, ($) => ({ at: $.input, n: $.step('n', {}, () => 1) })).run(
    new Date(),
  ),
).resolves.toEqualTypeOf<{
  readonly at: Date;
  readonly n: number;
}>();
// @ts-expect-error
workflow('no-output', ($) => {
  $.step('a', {}, () => 1);
});
// @ts-expect-error
workflow('value-out', ($) => $.step('a', {}, () => 1).name);
// A condition belongs to the step that waits, not to the output.
// @ts-expect-error
workflow('condition-out', ($) => $.step('a', {}, () => 1).when((n) => n > 0));

// Engines take one workflow or several, of any types.
new ProcessEngine(order, storage);
new ProcessEngine([order, nightly, calendar], storage, { concurrency: 2, queues: ['mail'], name: 'w' });
// @ts-expect-error
new ProcessEngine('order', storage);

// From plain data nothing is known of the types, so nothing is claimed.
const generated = defineGraph(
  { name: 'g', steps: [{ name: 'a' }], output: { from: 'step', step: 'a' } },
  { a: () => 1 },
);
expectTypeOf(generated.run({})).resolves.toEqualTypeOf<unknown>();

// Errors carry a code from a closed list.
declare const error: FuselineError;
if (error.code === 'UNKNOWN_RUN') expectTypeOf(error.code).toEqualTypeOf<'UNKNOWN_RUN'>();
// @ts-expect-error
if (error.code === 'NO_SUCH_CODE') throw error;
// @ts-expect-error
new FuselineError('NO_SUCH_CODE', 'a message');
