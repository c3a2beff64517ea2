import type { Key } from '../../core/store.ts';
import { ensure, equal } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { EVERYTHING, keysIn, put, write } from './store-face.ts';

/** By code unit. An alphabet, a locale, a byte order of something else or numbers would each sort them otherwise. */
const SORTED: readonly Key[] = [
  '!',
  '0',
  '10',
  '9',
  'A',
  'Z',
  '_',
  'a',
  'a!',
  'a.b',
  'a/',
  'a/1',
  'a/1/x',
  'a/10',
  'a/2',
  'a/B',
  'a/b',
  'a/~',
  'a0',
  'aB',
  'ab',
  'b',
  'z',
  '{',
  '~',
];

/** The same keys, far from their order. */
const SCRAMBLED = SORTED.map((_, i) => SORTED[(i * 7 + 3) % SORTED.length] as Key);

/** Scans: what they find, from where to where, how much of it and in which direction. */
export const orderCases: readonly ContractCase[] = [
  {
    name: 'a scan hands out keys in the order of their code units, whatever order they were put in',
    async run(open) {
      const store = await open();
      const half = SCRAMBLED.length >> 1;
      for (const key of SCRAMBLED.slice(0, half)) await put(store, key, key);
      await write(store, { put: SCRAMBLED.slice(half).map((key) => ({ key, value: key })) });
      equal(await keysIn(store, EVERYTHING), SORTED, 'the keys');
      const entries = await store.scan(EVERYTHING);
      equal(
        entries.map(({ value }) => value),
        SORTED,
        'the values beside them',
      );
    },
  },
  {
    name: 'a range contains its start and not its end, whether those keys exist or not',
    async run(open) {
      const store = await open();
      await write(store, { put: ['a', 'b', 'b/1', 'c'].map((key) => ({ key, value: key })) });
      equal(await keysIn(store, { from: 'a', to: 'c' }), ['a', 'b', 'b/1'], 'from a to c');
      equal(await keysIn(store, { from: 'a/', to: 'b/' }), ['b'], 'from a/ to b/');
      equal(await keysIn(store, { from: 'b/', to: 'b0' }), ['b/1'], 'under b/');
      equal(await keysIn(store, { from: 'b', to: 'b!' }), ['b'], 'b alone');
      equal(await keysIn(store, { from: '!', to: 'a' }), [], 'before the first');
      equal(await keysIn(store, { from: 'c!', to: '~' }), [], 'behind the last');
    },
  },
  {
    name: 'nothing lies in a range whose end is not after its start',
    async run(open) {
      const store = await open();
      await write(store, { put: SORTED.map((key) => ({ key, value: key })) });
      for (const order of ['ascending', 'descending'] as const) {
        equal(await keysIn(store, { from: 'a', to: 'a', order }), [], `from a to a, ${order}`);
        equal(await keysIn(store, { from: 'b', to: 'a', order }), [], `from b to a, ${order}`);
      }
    },
  },
  {
    name: 'a descending scan hands out the same range from its end',
    async run(open) {
      const store = await open();
      await write(store, { put: SCRAMBLED.map((key) => ({ key, value: key })) });
      equal(await keysIn(store, { ...EVERYTHING, order: 'descending' }), SORTED.toReversed(), 'the keys');
      const range = { from: 'a/', to: 'a0' };
      const up = await keysIn(store, { ...range, order: 'ascending' });
      equal(await keysIn(store, { ...range, order: 'descending' }), up.toReversed(), 'the keys under a/');
    },
  },
  {
    name: 'a limit cuts a scan off behind that many, counted from where it starts',
    async run(open) {
      const store = await open();
      await write(store, { put: ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, value: key })) });
      const range = { from: 'b', to: 'e' };
      equal(await keysIn(store, { ...range, limit: 2 }), ['b', 'c'], 'the first two');
      equal(await keysIn(store, { ...range, limit: 2, order: 'descending' }), ['d', 'c'], 'the last two');
      equal(await keysIn(store, { ...range, limit: 3 }), ['b', 'c', 'd'], 'as many as there are');
      equal(await keysIn(store, { ...range, limit: 100 }), ['b', 'c', 'd'], 'more than there are');
      equal(await keysIn(store, { ...range, limit: 0 }), [], 'none');
    },
  },
  {
    name: 'thousands of keys can be walked in pages, up and down, and thinned out',
    async run(open) {
      const store = await open();
      const all = Array.from({ length: 3000 }, (_, i) => `page/${String(i).padStart(6, '0')}`);
      for (let at = 0; at < all.length; at += 1000) {
        // Every thousand backwards, so that none of it comes in order.
        await write(store, {
          put: all
            .slice(at, at + 1000)
            .toReversed()
            .map((key) => ({ key, value: key })),
        });
      }
      const up: Key[] = [];
      for (let from = 'page/'; ; from = `${up.at(-1)}!`) {
        const page = await keysIn(store, { from, to: 'page0', limit: 700 });
        if (page.length === 0) break;
        up.push(...page);
        ensure(up.length <= all.length, 'a page holds a key that an earlier page ended with');
      }
      equal(up, all, 'the keys, page by page');
      const down: Key[] = [];
      for (let to = 'page0'; ; to = down.at(-1) as Key) {
        const page = await keysIn(store, { from: 'page/', to, limit: 700, order: 'descending' });
        if (page.length === 0) break;
        down.push(...page);
        ensure(down.length <= all.length, 'a page holds a key that an earlier page ended with');
      }
      equal(down, all.toReversed(), 'the keys, page by page from the end');
      const odd = all.filter((_, i) => i % 2 === 1);
      for (let at = 0; at < odd.length; at += 500) await write(store, { delete: odd.slice(at, at + 500) });
      equal(
        await keysIn(store, { from: 'page/', to: 'page0' }),
        all.filter((_, i) => i % 2 === 0),
        'every other key',
      );
    },
  },
];
