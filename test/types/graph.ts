import { type ItemOutcome, type Outcome, type Step, typed, workflow } from 'fuseline';
import { expectTypeOf } from 'vitest';

/** The graph with everything: compiles as it is written, and every result is inferred from the handlers. */

interface Files {
  readonly length: number;
}
declare function scan(path: string, signal: AbortSignal): Promise<Files>;
declare function countLines(files: Files): number;
declare function hashAll(needs: { readonly files: Files }): Promise<Map<string, string>>;
declare function summarise(lines: number): string;
declare function detail(needs: { readonly lines: number; readonly hashes: Map<string, string> }): Promise<string>;
declare function writeReport(body: string): Promise<{ readonly bytes: number }>;

export const report = workflow('folder-report', { input: typed<{ path: string }>() }, ($) => {
  const files = $.step('scan', { folder: $.input }, ({ folder }, { signal }) => scan(folder.path, signal));
  const lines = $.step('count', { files }, ({ files }) => countLines(files), { timeout: '30s' });
  const hashes = $.step('hash', { files }, hashAll, { retry: 3 });
  const size = $.branch('size', { files }, ({ files }) => (files.length > 500 ? 'large' : 'small'));
  const brief = $.step('brief', { lines }, ({ lines }) => summarise(lines), { after: size.on('small') });
  const full = $.step('full', { lines, hashes }, detail, { after: size.on('large') });
  const audit = $.step('audit', { hashes: $.settled(hashes) }, ({ hashes }) => hashes.status);

  expectTypeOf(files).toExtend<Step<Files>>();
  expectTypeOf(lines).toExtend<Step<number>>();
  expectTypeOf(hashes).toExtend<Step<Map<string, string>>>();
  expectTypeOf(brief).toExtend<Step<string>>();
  expectTypeOf(audit).toExtend<Step<'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'CANCELLED'>>();

  return $.step('write', { body: $.any(brief, full) }, ({ body }) => writeReport(body), { after: audit });
});

expectTypeOf(report.run).parameter(0).toEqualTypeOf<{ path: string }>();
expectTypeOf(report.run({ path: '.' })).resolves.toEqualTypeOf<{ readonly bytes: number }>();

workflow('results', { input: typed<{ id: number }>() }, ($) => {
  const order = $.step('order', { input: $.input }, ({ input }) => ({ id: input.id, lines: ['a'] }));

  // What a dependent sees is what the handler returned, awaited, and nothing besides.
  $.step('all', { order, input: $.input }, (needs, context) => {
    expectTypeOf(needs.order).toEqualTypeOf<{ id: number; lines: string[] }>();
    expectTypeOf(needs.input).toEqualTypeOf<{ id: number }>();
    expectTypeOf<keyof typeof needs>().toEqualTypeOf<'order' | 'input'>();
    expectTypeOf(context.attempt).toEqualTypeOf<number>();
    expectTypeOf(context.key).toEqualTypeOf<string>();
    expectTypeOf(context.once('a', async () => 1)).resolves.toEqualTypeOf<number>();
  });
  const later = $.step('async', { order }, async ({ order }) => order.id);
  $.step('awaited', { later }, ({ later }) => expectTypeOf(later).toEqualTypeOf<number>());

  // A wrong field.
  // @ts-expect-error
  $.step('wrong-field', { order }, ({ order }) => order.total);
  // A need that was not declared.
  // @ts-expect-error
  $.step('missing-need', { order }, ({ input }) => input);
  // A handler that wants what nobody hands it.
  const wantsBoth = (_: { readonly order: { id: number }; readonly price: number }) => 1;
  // @ts-expect-error
  $.step('missing-need-of-handler', { order }, wantsBoth);
  // A handler that wants another type.
  const wantsText = (_: { readonly order: string }) => 1;
  // @ts-expect-error
  $.step('wrong-need-of-handler', { order }, wantsText);
  // A name is no reference.
  // @ts-expect-error
  $.step('by-name', { order: 'order' }, () => 1);
  // Nor is one in `after`.
  // @ts-expect-error
  $.step('after-name', {}, () => 1, { after: 'order' });
  // The input is no step: nothing waits for it.
  // @ts-expect-error
  $.step('after-input', {}, () => 1, { after: $.input });
  // A value is no reference.
  // @ts-expect-error
  $.step('by-value', { order: 1 }, () => 1);

  return order;
});

workflow('fallbacks', ($) => {
  const price = $.step('price', {}, () => 5, { fallback: (error) => error.message.length });
  $.step('awaited', {}, async () => ({ cents: 5 }), { fallback: async () => ({ cents: 0 }) });
  // A fallback of another type.
  // @ts-expect-error
  $.step('other', {}, () => 5, { fallback: () => 'none' });
  // @ts-expect-error
  $.step('other-async', {}, async () => 5, { fallback: async () => undefined });
  // @ts-expect-error
  $.branch('road', {}, () => (Math.random() > 0.5 ? 'a' : 'b'), { fallback: () => 'c' });
  $.branch('road', {}, () => (Math.random() > 0.5 ? 'a' : 'b'), { fallback: () => 'b' });
  // The fallback does not widen what the step hands on.
  $.step('next', { price }, ({ price }) => expectTypeOf(price).toEqualTypeOf<number>());

  // Durations and retries that are none.
  $.step('ok', {}, () => 1, {
    timeout: '1.5m',
    retry: { attempts: 3, backoff: 'linear', base: 100, when: () => true },
  });
  // @ts-expect-error
  $.step('bad-unit', {}, () => 1, { timeout: '3 fortnights' });
  // @ts-expect-error
  $.step('bad-backoff', {}, () => 1, { retry: { attempts: 3, backoff: 'quadratic' } });
  // @ts-expect-error
  $.step('no-attempts', {}, () => 1, { retry: { backoff: 'linear' } });
  return price;
});

workflow('settled', ($) => {
  const price = $.step('price', {}, () => 5);
  $.step('look', { price: $.settled(price) }, ({ price }) => {
    expectTypeOf(price).toEqualTypeOf<Outcome<number>>();
    if (price.status === 'SUCCEEDED') expectTypeOf(price.value).toEqualTypeOf<number>();
    if (price.status === 'FAILED') expectTypeOf(price.error).toEqualTypeOf<Error>();
    // There is no value before the status is known.
    // @ts-expect-error
    return price.value;
  });
  return price;
});

workflow('any', ($) => {
  const one = $.step('one', {}, () => 1);
  const text = $.step('text', {}, () => 'a');
  $.step('either', { it: $.any(one, text) }, ({ it }) => expectTypeOf(it).toEqualTypeOf<string | number>());
  // A group of one is no group.
  // @ts-expect-error
  $.any(one);
  // Its members are steps: neither the input, nor a condition, nor another group.
  // @ts-expect-error
  $.any(one, $.input);
  const conditional = text.when((it) => it !== '');
  // @ts-expect-error
  $.any(one, conditional);
  // @ts-expect-error
  $.any(one, $.any(one, text));
  // @ts-expect-error
  $.any(one, $.settled(text));
  // What settles is a step, too.
  // @ts-expect-error
  $.settled($.any(one, text));
  // @ts-expect-error
  $.settled(text.when((it) => it !== ''));
  return { one, text };
});

workflow('waiting', ($) => {
  const begun = $.step('begun', {}, () => ({ at: 5 }));
  const slept = $.sleep('slept', '3d', { after: begun });
  const woken = $.sleepUntil('woken', { begun }, ({ begun }) => begun.at + 1, { retry: 2 });
  const answer = $.waitFor('answer', typed<{ readonly by: string }>(), {
    after: [slept, woken],
    timeout: '7d',
    fallback: () => ({ by: 'nobody' }),
  });
  $.step('told', { answer, slept }, ({ answer, slept }) => {
    expectTypeOf(answer).toEqualTypeOf<{ readonly by: string }>();
    expectTypeOf(slept).toEqualTypeOf<undefined>();
  });
  // A moment is a Date or a number.
  // @ts-expect-error
  $.sleepUntil('text', {}, () => 'tomorrow');
  // @ts-expect-error
  $.sleep('unit', '3 fortnights');
  // A fallback of another type.
  // @ts-expect-error
  $.waitFor('other', typed<number>(), { fallback: () => 'none' });
  // Nothing says what comes.
  // @ts-expect-error
  $.waitFor('untyped');
  // On a road, what waits may not come.
  const road = $.branch('road', {}, () => (Math.random() > 0.5 ? 'a' : 'b'));
  const asked = $.waitFor('asked', typed<number>(), { after: road.on('a') });
  return { answer, asked };
});

workflow('loops', ($) => {
  const start = $.step('start', {}, () => ({ n: 0 }));
  const end = $.loop('end', start, ({ n }, { attempt }) => ({ n: n + attempt }), {
    until: ({ n }) => n > 3,
    every: '1s',
  });
  $.step('next', { end }, ({ end }) => expectTypeOf(end).toEqualTypeOf<{ n: number }>());
  // A body hands back what it was given.
  // @ts-expect-error
  $.loop('other', start, ({ n }) => String(n), { until: () => true });
  // It says when it is enough.
  // @ts-expect-error
  $.loop('endless', start, (state) => state, {});
  return end;
});

workflow('lists', ($) => {
  const list = $.step('list', {}, () => [{ n: 1 }, { n: 2 }]);
  const texts = $.each('texts', list, ({ n }, { item }) => `${n} ${item}`, { limit: 4, retry: 3 });
  const ends = $.each('ends', list, async ({ n }) => n, { settle: true });
  $.step('next', { texts, ends }, ({ texts, ends }) => {
    expectTypeOf(texts).toEqualTypeOf<readonly string[]>();
    expectTypeOf(ends).toEqualTypeOf<readonly ItemOutcome<number>[]>();
  });
  // A condition on the list may skip the step.
  const some = $.each(
    'some',
    list.when((all) => all.length > 1),
    ({ n }) => n,
  );
  $.step('after-some', { some }, ({ some }) => expectTypeOf(some).toEqualTypeOf<readonly number[] | undefined>());
  // What is no list.
  const one = $.step('one', {}, () => 1);
  // @ts-expect-error
  $.each('of-one', one, (n) => n);
  // A fallback of another type.
  // @ts-expect-error
  $.each('fallback', list, ({ n }) => n, { fallback: () => 'none' });
  return texts;
});

const onRoads = workflow('lists-on-roads', ($) => {
  const road = $.branch('road', {}, () => (Math.random() > 0.5 ? 'a' : 'b'));
  const list = $.step('list', {}, () => [1], { after: road.on('a') });
  return { each: $.each('each', list, (n) => n), loop: $.loop('loop', list, (all) => all, { until: () => true }) };
});
expectTypeOf(onRoads.run()).resolves.toEqualTypeOf<{
  readonly each: readonly number[] | undefined;
  readonly loop: number[] | undefined;
}>();

const priced = workflow('priced', { input: typed<{ readonly item: string; readonly price?: number }>() }, ($) =>
  $.step('paid', { order: $.input }, ({ order }) => ({ paid: order.price ?? 0 })),
);
const plain = workflow('plain', ($) => $.step('it', {}, () => 'it'));

workflow('runs', { input: typed<{ readonly item: string }>() }, ($) => {
  const whole = $.run('whole', priced, $.input);
  const item = $.step('item', {}, () => 'book');
  const parts = $.run('parts', () => priced, { item }, { timeout: '1h', fallback: () => ({ paid: 0 }) });
  const none = $.run('none', plain, {});
  $.step('next', { whole, parts, none }, (all) =>
    expectTypeOf(all).toEqualTypeOf<{
      readonly whole: { paid: number };
      readonly parts: { paid: number };
      readonly none: string;
    }>(),
  );
  const maybe = $.run('maybe', priced, { item: item.when((text) => text !== '') });
  $.step('after-maybe', { maybe }, ({ maybe }) => expectTypeOf(maybe).toEqualTypeOf<{ paid: number } | undefined>());
  const number = $.step('number', {}, () => 1);
  // Of another type than the workflow takes.
  // @ts-expect-error
  $.run('wrong', priced, { item: number });
  // @ts-expect-error
  $.run('wrong-whole', priced, number);
  // Not all of it.
  // @ts-expect-error
  $.run('too-little', priced, {});
  // Retries are the workflow's own.
  // @ts-expect-error
  $.run('again', priced, { item }, { retry: 3 });
  return whole;
});
