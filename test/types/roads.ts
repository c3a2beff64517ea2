import { type Branch, workflow } from 'fuseline';
import { expectTypeOf } from 'vitest';

/** Roads are literals, inferred from what the handler returns, without `as const`. */

declare const load: () => Promise<number>;

workflow('roads', ($) => {
  const number = $.step('number', {}, () => 5);

  const ternary = $.branch('ternary', { number }, ({ number }) => (number > 3 ? 'high' : 'low'));
  expectTypeOf(ternary).toExtend<Branch<'high' | 'low'>>();

  const ifs = $.branch('if', { number }, ({ number }) => {
    if (number > 3) return 'high';
    if (number > 1) return 'middle';
    return 'low';
  });
  expectTypeOf(ifs.on).parameter(0).toEqualTypeOf<'high' | 'middle' | 'low'>();

  const switched = $.branch('switch', { number }, ({ number }) => {
    switch (number) {
      case 1:
        return 'one';
      case 2:
        return 'two';
      default:
        return 'many';
    }
  });
  expectTypeOf(switched.on).parameter(0).toEqualTypeOf<'one' | 'two' | 'many'>();

  const waited = $.branch('async', { number }, async ({ number }) => {
    const limit = await load();
    return number > limit ? 'over' : 'under';
  });
  expectTypeOf(waited.on).parameter(0).toEqualTypeOf<'over' | 'under'>();

  const waitedIfs = $.branch('async-if', {}, async () => {
    if ((await load()) > 3) return 'over';
    return 'under';
  });
  expectTypeOf(waitedIfs.on).parameter(0).toEqualTypeOf<'over' | 'under'>();

  const one = $.branch('one', {}, () => 'only');
  expectTypeOf(one.on).parameter(0).toEqualTypeOf<'only'>();

  // An undeclared road.
  // @ts-expect-error
  ternary.on('huge');
  // @ts-expect-error
  ternary.on('high', 'huge');
  // @ts-expect-error
  waited.on('high');
  // No road at all.
  // @ts-expect-error
  ternary.on();
  // Only a branch step has roads.
  // @ts-expect-error
  number.on('high');
  // A road is an order, not a value.
  // @ts-expect-error
  $.step('need-road', { road: ternary.on('high') }, () => 1);
  // A branch step chooses with text.
  // @ts-expect-error
  $.branch('by-number', {}, () => 5);

  // What it chose is a value as well.
  $.step('chosen', { ternary }, ({ ternary }) => expectTypeOf(ternary).toEqualTypeOf<'high' | 'low'>(), {
    after: [switched.on('one', 'two'), ifs.otherwise],
  });
  return number;
});
