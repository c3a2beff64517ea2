import { typed, workflow } from 'fuseline';
import { expectTypeOf } from 'vitest';

/** `| undefined` comes from a step's own condition, and a record of outputs; from nothing else. */

workflow('own-condition', { input: typed<{ note?: string }>() }, ($) => {
  const count = $.step('count', {}, () => 5);
  const maybe = $.step('maybe', { count: count.when((n) => n > 3) }, ({ count }) => {
    // The step itself sees the value: it does not run otherwise.
    expectTypeOf(count).toEqualTypeOf<number>();
    return String(count);
  });
  const next = $.step('next', { maybe }, ({ maybe }) => {
    expectTypeOf(maybe).toEqualTypeOf<string | undefined>();
    return 1;
  });
  // Not handed on: the dependent runs, whatever happened above.
  $.step('after-next', { next }, ({ next }) => expectTypeOf(next).toEqualTypeOf<number>());

  // A type predicate narrows what the step sees.
  const text = $.step('text', {}, (): string | number => 'a');
  $.step('narrowed', { text: text.when((it): it is string => typeof it === 'string') }, ({ text }) =>
    expectTypeOf(text).toEqualTypeOf<string>(),
  );

  // On an any-group as well.
  const either = $.step('either', { it: $.any(count, text).when((it) => it !== 0) }, ({ it }) => {
    expectTypeOf(it).toEqualTypeOf<string | number>();
    return true;
  });
  $.step('of-either', { either }, ({ either }) => expectTypeOf(either).toEqualTypeOf<boolean | undefined>());

  // A condition cannot be waited for, handed out, or looked at as a step's end.
  // @ts-expect-error
  $.step('after-condition', {}, () => 1, { after: count.when(() => true) });
  // A predicate of something else.
  // @ts-expect-error
  count.when((it: string) => it === '');
  // A condition has no further condition.
  // @ts-expect-error
  count.when(() => true).when(() => true);

  // A needless undefined nowhere: two conditions make no more of it than one, none makes none.
  const both = $.step('both', { a: count.when(() => true), b: text.when(() => true) }, () => 1);
  $.step('of-both', { both, count }, ({ both, count }) => {
    expectTypeOf(both).toEqualTypeOf<number | undefined>();
    expectTypeOf(count).toEqualTypeOf<number>();
  });
  return count;
});

const roads = workflow('roads', ($) => {
  const size = $.branch('size', {}, () => (Math.random() > 0.5 ? 'large' : 'small'));
  const brief = $.step('brief', {}, () => 'brief', { after: size.on('small') });
  const full = $.step('full', {}, () => 5, { after: [size.on('large')] });
  const other = $.step('other', {}, () => true, { after: size.otherwise });
  // A step on a road not taken skips its dependents, so their needs stay as they are.
  const onward = $.step('onward', { brief }, ({ brief }) => {
    expectTypeOf(brief).toEqualTypeOf<string>();
    return brief.length;
  });
  const whichever = $.any(brief, full);
  const rejoined = $.step('rejoined', { it: whichever }, ({ it }) => {
    expectTypeOf(it).toEqualTypeOf<string | number>();
    return it;
  });
  const sure = $.step('sure', {}, () => 1, { after: size });
  const seen = $.step('seen', { brief: $.settled(brief) }, () => 1n);
  return { brief, full, other, onward, rejoined, sure, seen, size, either: $.any(brief, sure) };
});

// In a record of outputs what lies on a road is `T | undefined`, what does not is `T`.
expectTypeOf(roads.run()).resolves.toEqualTypeOf<{
  readonly brief: string | undefined;
  readonly full: number | undefined;
  readonly other: boolean | undefined;
  readonly onward: number | undefined;
  readonly rejoined: string | number | undefined;
  readonly sure: number;
  readonly seen: bigint;
  readonly size: 'large' | 'small';
  readonly either: string | number;
}>();

// A single output rejects instead, so its type has no undefined.
const single = workflow('single', ($) => {
  const size = $.branch('size', {}, () => (Math.random() > 0.5 ? 'large' : 'small'));
  return $.step('brief', {}, () => 'brief', { after: size.on('small') });
});
expectTypeOf(single.run()).resolves.toEqualTypeOf<string>();

// A branch with a condition of its own may lie on no road, yet its value may be absent.
const plain = workflow('plain', ($) => {
  const a = $.step('a', {}, () => 1);
  const b = $.step('b', { a }, () => 'b');
  return { a, b };
});
expectTypeOf(plain.run()).resolves.toEqualTypeOf<{ readonly a: number; readonly b: string }>();
