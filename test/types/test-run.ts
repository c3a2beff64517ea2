import { defineGraph, typed, type Workflow, workflow } from 'fuseline';
import { type Call, simulated, testRun } from 'fuseline/testing';
import { expectTypeOf } from 'vitest';

/** Fakes are typed by the steps the output depends on: those behind its needs, its `after`, its groups and roads. */

const order = workflow('order', { input: typed<{ total: number }>() }, ($) => {
  const stock = $.step('reserve', { order: $.input }, () => ({ shelf: 'B4' }));
  const payment = $.step('charge', { stock }, async () => ({ paid: 1 }), { retry: 3 });
  const size = $.branch('size', { payment }, () => (Math.random() > 0.5 ? 'large' : 'small'));
  const brief = $.step('brief', {}, () => 'brief', { after: size.on('small') });
  const full = $.step('full', { stock: stock.when(() => true) }, () => 5, { after: [size.otherwise] });
  const audit = $.step('audit', { full: $.settled(full) }, ({ full }) => full.status);
  $.step('notify', { payment }, () => undefined);
  return $.step('mail', { body: $.any(brief, full) }, () => true, { after: audit });
});
const input = { total: 40 };

testRun(order, input, {
  steps: {
    reserve: ({ order }) => {
      expectTypeOf(order).toEqualTypeOf<{ total: number }>();
      return { shelf: 'B5' };
    },
    charge: [new Error('down'), async ({ stock }, { sleep }) => sleep('1d').then(() => ({ paid: stock.shelf.length }))],
    size: () => 'large',
    brief: () => 'short',
    full: ({ stock }) => stock.shelf.length,
    audit: () => 'SUCCEEDED',
    mail: ({ body }) => {
      expectTypeOf(body).toEqualTypeOf<string | number | undefined>();
      return false;
    },
  },
  also: { notify: () => undefined },
  now: new Date(0),
}).then(async (run) => {
  expectTypeOf(run.result()).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(run.calls('charge')).toEqualTypeOf<readonly Call<{ readonly stock: { shelf: string } }>[]>();
  expectTypeOf(run.calls('notify')).toEqualTypeOf<readonly Call<unknown>[]>();
  await run.until('charge', 'after');
  // @ts-expect-error
  await run.until('charge', 'sometime');
});

// A step that does not exist.
// @ts-expect-error
testRun(order, input, { steps: { chrge: () => ({ paid: 1 }) } });
// One the output does not depend on: its name is not known here.
// @ts-expect-error
testRun(order, input, { steps: { notify: () => undefined } });
// A wrong result.
// @ts-expect-error
testRun(order, input, { steps: { charge: () => ({ paid: '1' }) } });
// @ts-expect-error
testRun(order, input, { steps: { charge: [new Error('down'), () => ({})] } });
// @ts-expect-error
testRun(order, input, { steps: { size: () => 'huge' } });
// A need it has not.
// @ts-expect-error
testRun(order, input, { steps: { charge: ({ order }) => ({ paid: order }) } });
// A value is no fake, and neither is a list of none.
// @ts-expect-error
testRun(order, input, { steps: { charge: { paid: 1 } } });
// @ts-expect-error
testRun(order, input, { steps: { charge: [] } });
// A wrong input.
// @ts-expect-error
testRun(order, { total: '40' });

// Literals inside of a result stay literals.
const kinds = workflow('kinds', ($) => $.step('kind', {}, (): { kind: 'a' | 'b' } => ({ kind: 'a' })));
testRun(kinds, undefined, { steps: { kind: () => ({ kind: 'b' }) } });
// @ts-expect-error
testRun(kinds, undefined, { steps: { kind: () => ({ kind: 'c' }) } });

// All the outputs of a record.
const both = workflow('both', ($) => ({ a: $.step('a', {}, () => 1), b: $.step('b', {}, () => 'b') }));
testRun(both, undefined, { steps: { a: () => 2, b: () => 'c' } });

// Names that are made, not written, are known by their pattern; a variable of handles keeps its first one's steps.
const loop = workflow('loop', ($) => {
  let last = $.step('first', {}, () => 0);
  for (let i = 1; i < 9; i++) last = $.step(`step ${i}`, { last }, ({ last }) => last + 1);
  return $.step(`end ${Math.random()}`, { last }, ({ last }) => last);
});
testRun(loop, undefined, { steps: { first: () => 1, 'end 5': () => 1 }, also: { 'step 2': () => 5 } });
// @ts-expect-error
testRun(loop, undefined, { steps: { 'end 5': () => 'text' } });

// A graph from data, or a workflow whose steps an annotation does not tell, takes any name; the test run checks it.
const generated = defineGraph({ name: 'g', steps: [{ name: 'a' }] }, { a: () => 1 });
testRun(generated, undefined, { steps: { a: () => 1, whatever: () => 'text' } });
const annotated: Workflow<{ total: number }, boolean> = order;
testRun(annotated, input, { steps: { charge: () => 1 } });

// Worlds take the same fakes.
simulated(order, { input, steps: { charge: [new Error('down'), () => ({ paid: 1 })] }, also: { notify: () => 1 } });
// @ts-expect-error
simulated(order, { input, steps: { charge: () => 'paid' } });
// @ts-expect-error
simulated(order, { input: { total: '40' } });
