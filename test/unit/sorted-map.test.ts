import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedMap } from '../../src/core/sorted-map.js';

type Order = 'ascending' | 'descending';

/** What the map is compared with: all of it is sorted for every answer. */
class Plain {
  readonly rows = new Map<string, number>();

  range(from: string, to: string, limit: number | undefined, order: Order | undefined) {
    const rows = [...this.rows].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
    return (order === 'descending' ? rows.reverse() : rows).slice(0, limit);
  }
}

/** Enough of them to fill, split, thin out and join several chunks. */
const KEYS = 3000;
const keyOf = (n: number): string => `${['A/', 'a/', 'b'][n % 3]}${n.toString(36)}`;

const number = fc.nat({ max: KEYS - 1 });
const many = fc.record({ start: number, count: fc.nat({ max: KEYS }), step: fc.constantFrom(1, 2, 7, KEYS - 1) });
const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('set' as const), keys: many }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('delete' as const), keys: many }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('range' as const),
      from: number,
      to: number,
      limit: fc.option(fc.nat({ max: 2000 }), { nil: undefined }),
      order: fc.constantFrom<(Order | undefined)[]>('ascending', 'descending', undefined),
    }),
  },
);

test('a sorted map does what a sorted array would do, through any history', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), (history) => {
      const map = new SortedMap<number>();
      const plain = new Plain();
      let value = 0;
      for (const step of history) {
        if (step.act === 'range') {
          const [from, to] = [keyOf(step.from), keyOf(step.to)];
          expect([...map.range(from, to, step.limit, step.order)]).toEqual(
            plain.range(from, to, step.limit, step.order),
          );
        } else {
          for (const key of keysOf(step.keys)) {
            if (step.act === 'delete') {
              expect(map.delete(key)).toBe(plain.rows.delete(key));
            } else {
              map.set(key, value);
              plain.rows.set(key, value++);
            }
          }
        }
        expect(map.size).toBe(plain.rows.size);
      }
      for (const [key, expected] of plain.rows) expect(map.get(key)).toBe(expected);
      const all = plain.range('', '~', undefined, 'ascending');
      expect([...map.entries()]).toEqual(all);
      expect([...map.range('', '~', undefined, 'descending')]).toEqual(all.reverse());
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('a key that is not there is neither found nor deleted', () => {
  const map = new SortedMap<number>();
  expect(map.get('a')).toBeUndefined();
  expect(map.delete('a')).toBe(false);
  map.set('b', 1);
  expect(map.get('a')).toBeUndefined();
  expect(map.delete('a')).toBe(false);
  expect([...map.range('a', 'z')]).toEqual([['b', 1]]);
});

test('a value may be undefined and is still there', () => {
  const map = new SortedMap<number | undefined>();
  map.set('a', undefined);
  map.set('a', undefined);
  expect([...map.entries()]).toEqual([['a', undefined]]);
});

function keysOf({ start, count, step }: { start: number; count: number; step: number }): string[] {
  return Array.from({ length: count }, (_, i) => keyOf((start + i * step) % KEYS));
}
