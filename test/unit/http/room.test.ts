import { ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { pagesOf, rowsOf } from '../../../src/http/row-pages.ts';
import { served } from './rig.ts';

const MEBI = 1024 * 1024;

interface Row {
  readonly key: string;
  readonly value: string;
  readonly version: string;
}

/** Rows that count how many of them are read at once. */
function counted(rows: readonly Row[]) {
  const portions: number[] = [];
  const noted = <T extends readonly unknown[]>(portion: T): T => {
    portions.push(portion.length);
    return portion;
  };
  return {
    portions,
    rows: {
      read: async (keys: readonly string[]) => noted(keys.map((key) => rows.find((row) => row.key === key))),
      scan: async ({ from, to, limit, order }: { from: string; to: string; limit?: number; order?: string }) => {
        const found = rows.filter(({ key }) => key >= from && key < to);
        return noted((order === 'descending' ? found.toReversed() : found).slice(0, limit));
      },
    },
  };
}

const rowsWith = (count: number, length: number): readonly Row[] =>
  Array.from({ length: count }, (_, i) => ({ key: `head/${1000 + i}`, value: 'x'.repeat(length), version: '1' }));

test.each(['ascending', 'descending'] as const)(
  'pages of several ranges share the room of one answer, %s',
  async (order) => {
    const { rows } = counted(rowsWith(60, 91));
    const ranges = [
      { from: 'head/1000', to: 'head/1030', order },
      { from: 'head/1030', to: 'head/1060', order, limit: 20 },
    ];
    const [first, second] = await pagesOf(rows, ranges, 2500);
    expect([first?.rows.length, first?.isCut, second]).toEqual([25, true, { rows: [], isCut: true }]);
    expect((await pagesOf(rows, ranges, 10_000)).map((page) => [page.rows.length, page.isCut])).toEqual([
      [30, false],
      [20, false],
    ]);
    expect((await pagesOf(rows, ranges, 1)).map((page) => [page.rows.length, page.isCut])).toEqual([
      [1, true],
      [0, true],
    ]);
  },
);

test('rows are read a few at a time where they are long, and many where they are short', async () => {
  const long = counted(rowsWith(40, MEBI));
  expect((await pagesOf(long.rows, [{ from: 'head/', to: 'head0' }], 20 * MEBI))[0]?.rows).toHaveLength(19);
  expect(
    await rowsOf(
      long.rows,
      rowsWith(40, 0).map(({ key }) => key),
      20 * MEBI,
    ),
  ).toHaveLength(20);
  expect(Math.max(...long.portions.filter((_, i) => i !== 0 && long.portions[i] !== 16))).toBe(2);
  const short = counted(rowsWith(1200, 10));
  expect((await pagesOf(short.rows, [{ from: 'head/', to: 'head0' }], MEBI))[0]?.rows).toHaveLength(1000);
  expect(short.portions.length).toBeLessThan(5);
});

test('what is asked for together and has no room in one answer comes in several', () => {
  const large = workflow('large', ($) => $.step('makes', {}, () => 'x'.repeat(3 * MEBI)));
  return served([large], async ({ far, behind }) => {
    const lengths: number[] = [];
    const storage = far((fetch) => async (url, init) => {
      const response = await fetch(url, init);
      if (!url.includes('/rows/')) return response;
      const text = await response.text();
      if (url.endsWith('/scan')) lengths.push(text.length);
      const body = JSON.parse(text);
      // A service may have less room than this one.
      return Response.json(body.rows ? { rows: body.rows.slice(0, 1) } : body);
    });
    const runs = await Promise.all([1, 2, 3, 4].map(() => large.dispatch(undefined, { storage: behind })));
    await new ProcessEngine(large, behind).work();
    const found = await Promise.all(runs.map(({ id }) => storage.result(id)));
    expect(found.map((value) => (value as string).length)).toEqual(runs.map(() => 3 * MEBI));
    expect(Math.max(...lengths)).toBeLessThan(9 * MEBI);
    const heads = await storage.rows.read(runs.map(({ id }) => `head/${id}`));
    expect(heads.map((row) => row?.key)).toEqual(runs.map(({ id }) => `head/${id}`));
  });
});

test('the needs of a claim that have no room in its answer are read by their rows', () => {
  const wide = workflow('wide', ($) => {
    const sides = Array.from(
      { length: 36 },
      (_, i) => [`side${i}`, $.step(`side ${i}`, {}, () => 'x'.repeat(240 * 1024))] as const,
    );
    return $.step('joins', Object.fromEntries(sides), (all) => Object.values(all).join('').length, { queue: 'far' });
  });
  return served([wide], async ({ far, behind }) => {
    const run = await wide.dispatch(undefined, { storage: behind });
    await new ProcessEngine(wide, behind, { queues: ['default'], stranded: 'ignored' }).work();
    const lengths: number[] = [];
    const storage = far((fetch) => async (url, init) => {
      const response = await fetch(url, init);
      const text = await response.clone().text();
      if (url.endsWith('/fetch')) lengths.push(text.length);
      return response;
    });
    await new ProcessEngine(wide, storage, { queues: ['far'] }).work(run.id);
    expect(await behind.result(run.id)).toBe(36 * 240 * 1024);
    expect(Math.max(...lengths)).toBeLessThan(8.5 * MEBI);
    expect(Math.max(...lengths)).toBeGreaterThan(7 * MEBI);
  });
});
