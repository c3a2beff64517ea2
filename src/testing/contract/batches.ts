import { ensure, equal } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { contents, EVERYTHING, put, readOne, write } from './store-face.ts';

/** Puts, deletes, expectations and versions, through one handle. */
export const batchCases: readonly ContractCase[] = [
  {
    name: 'a key that was never put reads as undefined, in its place among the others',
    async run(open) {
      const store = await open();
      await put(store, 'there', 'x');
      const entries = await store.read(['none', 'there', 'nor/this', 'there']);
      equal(
        entries.map((entry) => entry?.value),
        [undefined, 'x', undefined, 'x'],
        'the values read',
      );
      equal(await store.read([]), [], 'a read of nothing');
    },
  },
  {
    name: 'every put of a batch carries the version the commit answered with',
    async run(open) {
      const store = await open();
      const version = await write(store, {
        put: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      });
      const expected = [
        { key: 'a', value: '1', version },
        { key: 'b', value: '2', version },
      ];
      equal(await store.read(['a', 'b']), expected, 'the entries read');
      equal(await store.scan(EVERYTHING), expected, 'the entries scanned');
    },
  },
  {
    name: 'a version stays until the key is put again',
    async run(open) {
      const store = await open();
      const version = await put(store, 'a', '1');
      await put(store, 'b', '2');
      await write(store, { expect: [{ key: 'a', version }], delete: ['b'] });
      equal((await readOne(store, 'a'))?.version, version, 'the version of a key nobody touched');
    },
  },
  {
    name: 'a commit that expects the current version wins, one that expects an older one conflicts',
    async run(open) {
      const store = await open();
      const first = await put(store, 'a', '1');
      const second = await write(store, { expect: [{ key: 'a', version: first }], put: [{ key: 'a', value: '2' }] });
      const late = await store.commit({ expect: [{ key: 'a', version: first }], put: [{ key: 'a', value: '3' }] });
      equal(late, { status: 'conflict' }, 'a commit that expects the first version after the second');
      equal(await readOne(store, 'a'), { key: 'a', value: '2', version: second }, 'the entry after the conflict');
    },
  },
  {
    name: 'a commit that expects absence wins on an absent key, and conflicts on one that is there',
    async run(open) {
      const store = await open();
      const create = { expect: [{ key: 'a', version: undefined }], put: [{ key: 'a', value: '1' }] };
      const version = await write(store, create);
      equal(await store.commit(create), { status: 'conflict' }, 'the second creation');
      await write(store, { expect: [{ key: 'a', version }], delete: ['a'] });
      await write(store, create);
      equal(await contents(store), [['a', '1']], 'the rows');
    },
  },
  {
    name: 'a commit that expects a version of an absent key conflicts',
    async run(open) {
      const store = await open();
      const version = await put(store, 'a', '1');
      await write(store, { delete: ['a'] });
      for (const key of ['a', 'never']) {
        equal(
          await store.commit({ expect: [{ key, version }] }),
          { status: 'conflict' },
          `expecting a version of ${key}`,
        );
      }
    },
  },
  {
    name: 'a conflict writes nothing of its puts and deletes, wherever the expectation that failed stands',
    async run(open) {
      const store = await open();
      const version = await write(store, {
        put: [
          { key: 'a', value: '1' },
          { key: 'b', value: '1' },
        ],
      });
      const holds = [
        { key: 'a', version },
        { key: 'c', version: undefined },
      ];
      const fails = { key: 'b', version: undefined };
      for (const at of [0, 1, 2]) {
        const expect = holds.toSpliced(at, 0, fails);
        const result = await store.commit({
          expect,
          put: [
            { key: 'a', value: '2' },
            { key: 'd', value: '2' },
          ],
          delete: ['b'],
        });
        equal(result, { status: 'conflict' }, `a commit whose expectation number ${at + 1} fails`);
      }
      equal(
        await contents(store),
        [
          ['a', '1'],
          ['b', '1'],
        ],
        'the rows',
      );
    },
  },
  {
    name: 'expectations are about the state before the batch',
    async run(open) {
      const store = await open();
      const version = await put(store, 'old', '1');
      await write(store, {
        expect: [
          { key: 'old', version },
          { key: 'new', version: undefined },
        ],
        put: [{ key: 'new', value: '1' }],
        delete: ['old'],
      });
      equal(await contents(store), [['new', '1']], 'the rows');
    },
  },
  {
    name: 'expectations alone are judged and change nothing, and an empty batch commits',
    async run(open) {
      const store = await open();
      const version = await put(store, 'a', '1');
      await write(store, {
        expect: [
          { key: 'a', version },
          { key: 'b', version: undefined },
        ],
      });
      await write(store, { expect: [], put: [], delete: [] });
      await write(store, {});
      equal(
        await store.commit({ expect: [{ key: 'b', version }] }),
        { status: 'conflict' },
        'an expectation that fails',
      );
      equal(await readOne(store, 'a'), { key: 'a', value: '1', version }, 'the entry afterwards');
    },
  },
  {
    name: 'a put without expectations replaces what is there',
    async run(open) {
      const store = await open();
      const first = await put(store, 'a', '1');
      const second = await put(store, 'a', '2');
      ensure(first !== second, 'two puts of a key carry the same version');
      equal(await readOne(store, 'a'), { key: 'a', value: '2', version: second }, 'the entry');
    },
  },
  {
    name: 'a deleted key is gone from reads and scans, and deleting an absent one is no conflict',
    async run(open) {
      const store = await open();
      await write(store, {
        put: [
          { key: 'a', value: '1' },
          { key: 'b', value: '1' },
          { key: 'c', value: '1' },
        ],
      });
      await write(store, { delete: ['b', 'never', 'b'] });
      await write(store, { delete: ['b'] });
      equal(await readOne(store, 'b'), undefined, 'the deleted key');
      equal(
        await contents(store),
        [
          ['a', '1'],
          ['c', '1'],
        ],
        'the rows',
      );
    },
  },
  {
    name: 'in one batch deletes go before puts, and the last put of a key stays',
    async run(open) {
      const store = await open();
      await put(store, 'a', '1');
      const version = await write(store, {
        put: [
          { key: 'a', value: '2' },
          { key: 'b', value: '1' },
          { key: 'a', value: '3' },
        ],
        delete: ['a', 'b'],
      });
      const expected = [
        { key: 'a', value: '3', version },
        { key: 'b', value: '1', version },
      ];
      equal(await store.scan(EVERYTHING), expected, 'the entries');
    },
  },
  {
    name: 'a version is never used again for its key, whether it was put again, deleted or recreated with the same value',
    async run(open) {
      const store = await open();
      const seen = new Set<string | number>();
      for (let round = 0; round < 20; round++) {
        seen.add(await put(store, 'a', 'same'));
        await write(store, { put: [{ key: 'other', value: 'same' }] });
        seen.add(await put(store, 'a', 'same'));
        await write(store, { delete: ['a'] });
        for (const version of seen) {
          const result = await store.commit({ expect: [{ key: 'a', version }], put: [{ key: 'a', value: 'stale' }] });
          equal(result, { status: 'conflict' }, `expecting ${version}, a version of before the delete`);
        }
      }
      equal(seen.size, 40, 'how many versions 40 puts had');
    },
  },
];
