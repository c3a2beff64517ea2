import { ensure, equal, pause, refused } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { contents, EVERYTHING, put, readOne, write } from './store-face.ts';

/** Several handles on the same data, closing and reopening. */
export const handleCases: readonly ContractCase[] = [
  {
    name: 'what one handle committed the others see at once, without any hint',
    async run(open) {
      const [writer, reader, late] = [await open(), await open(), await open()];
      for (let round = 0; round < 20; round++) {
        const version = await write(writer, {
          put: [
            { key: 'a', value: `${round}` },
            { key: `b/${round}`, value: '' },
          ],
        });
        const entry = await readOne(reader, 'a');
        equal([entry?.value, entry?.version], [`${round}`, version], 'the row read through another handle');
        equal((await reader.scan({ from: 'b/', to: 'b0' })).length, round + 1, 'rows scanned through another handle');
        await write(reader, { expect: [{ key: 'a', version }], delete: ['a'] });
        equal(await readOne(writer, 'a'), undefined, 'the row the other handle deleted');
      }
      equal((await late.scan(EVERYTHING)).length, 20, 'rows scanned through a handle that did nothing so far');
    },
  },
  {
    name: 'what was committed is there after closing and reopening, with the same versions',
    async run(open) {
      const store = await open();
      await write(store, {
        put: [
          { key: 'a', value: '1' },
          { key: 'b', value: '1' },
          { key: 'c', value: '1' },
        ],
      });
      await put(store, 'b', '2');
      await write(store, { delete: ['c'] });
      const before = await store.scan(EVERYTHING);
      await store.close();
      const again = await open();
      equal(await again.scan(EVERYTHING), before, 'the rows');
      const a = await readOne(again, 'a');
      await write(again, {
        expect: [
          { key: 'a', version: a?.version },
          { key: 'c', version: undefined },
        ],
      });
      await again.close();
      equal(await (await open()).scan(EVERYTHING), before, 'the rows, reopened again');
    },
  },
  {
    name: 'no version is used again after reopening',
    async run(open) {
      const versions = new Set<string | number>();
      for (let round = 0; round < 5; round++) {
        const store = await open();
        versions.add(await put(store, 'a', 'same'));
        await write(store, { delete: ['a'] });
        await store.close();
      }
      const store = await open();
      versions.add(await put(store, 'a', 'same'));
      equal(versions.size, 6, 'how many versions six puts had');
    },
  },
  {
    name: 'a closed store refuses every call, closing it again is harmless, and its other handles go on',
    async run(open) {
      const [store, other] = [await open(), await open()];
      await put(store, 'a', '1');
      await store.close();
      await store.close();
      await refused('STORAGE_CLOSED', store.read(['a']), 'a read after close');
      await refused('STORAGE_CLOSED', store.scan(EVERYTHING), 'a scan after close');
      await refused('STORAGE_CLOSED', store.commit({ put: [{ key: 'a', value: '2' }] }), 'a commit after close');
      await refused('STORAGE_CLOSED', store.commit({}), 'an empty commit after close');
      await put(other, 'b', '1');
      equal(
        await contents(other),
        [
          ['a', '1'],
          ['b', '1'],
        ],
        'the rows, through the other handle',
      );
    },
  },
  {
    name: 'a store that was never used can be closed, and is closed then',
    async run(open) {
      const store = await open();
      await store.close();
      await refused('STORAGE_CLOSED', store.read(['a']), 'a read after close');
    },
  },
  {
    name: 'commits under way when a store is closed are settled by then, and what was committed stays',
    async run(open) {
      const store = await open();
      await put(store, 'first', '');
      const keys = Array.from({ length: 20 }, (_, i) => `key/${String(i).padStart(2, '0')}`);
      const committed: string[] = [];
      let settled = 0;
      const under = keys.map(async (key) => {
        try {
          if ((await store.commit({ put: [{ key, value: '' }] })).status === 'committed') committed.push(key);
        } finally {
          settled++;
        }
      });
      const outcomes = Promise.allSettled(under);
      const closing = store.close();
      const late = store.commit({ put: [{ key: 'late', value: '' }] });
      await refused('STORAGE_CLOSED', late, 'a commit after close was called, before it resolved');
      await closing;
      // What was settled is heard of a moment later.
      await pause();
      equal(settled, keys.length, 'how many commits were settled');
      await outcomes;
      const there = new Set((await (await open()).scan({ from: 'key/', to: 'key0' })).map(({ key }) => key));
      ensure(
        committed.every((key) => there.has(key)),
        `of ${committed} only ${[...there]} are there after reopening`,
      );
    },
  },
];
