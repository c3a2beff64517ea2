import { MAX_KEY_LENGTH } from '../../core/store.ts';
import { ensure, equal, refused } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { contents, EVERYTHING, keysIn, put, readOne, write } from './store-face.ts';

/** Less would make engines write in driblets. */
const LEAST_VALUE_LENGTH = 500_000;
const LEAST_BATCH_OPS = 1000;

/** A character of one, two, three and four bytes in UTF-8, the last of them two code units. */
const MIXED = 'aé€😀';

const TEXTS: readonly string[] = [
  '',
  ' ',
  '\n',
  'two\nlines\r\n',
  '"quoted" \\ and \\u0000',
  '\u0000',
  '\u0000\u0001\u001f\u007f',
  '\u0085\u2028\u2029\ufeff',
  'é ≠ e\u0301',
  '日本語 עברית العربية',
  '😀👩‍👩‍👧‍👦',
  '\uffff\ufffd\u{10ffff}',
  'undefined',
  'null',
  '{"__proto__":{"x":1}}',
  JSON.stringify({ lone: '\ud800', text: 'a"b' }),
  ';\n',
  "'; DROP TABLE rows; --",
];

/** Which values and keys a store takes whole, and what it refuses. */
export const limitCases: readonly ContractCase[] = [
  {
    name: 'the limits are whole numbers that leave room to work',
    async run(open) {
      const { limits } = await open();
      ensure(Number.isSafeInteger(limits.valueLength), `valueLength is ${limits.valueLength}, not a whole number`);
      ensure(Number.isSafeInteger(limits.batchOps), `batchOps is ${limits.batchOps}, not a whole number`);
      ensure(limits.valueLength >= LEAST_VALUE_LENGTH, `valueLength is below ${LEAST_VALUE_LENGTH}`);
      ensure(limits.batchOps >= LEAST_BATCH_OPS, `batchOps is below ${LEAST_BATCH_OPS}`);
    },
  },
  {
    name: 'every well-formed text comes back as it went in, also after reopening',
    async run(open) {
      const store = await open();
      const rows = TEXTS.map((value, i) => ({ key: `text/${i}`, value }));
      await write(store, { put: rows });
      for (const { key, value } of rows) equal((await readOne(store, key))?.value, value, `the value of ${key}`);
      await store.close();
      const again = await open();
      const entries = await again.scan({ from: 'text/', to: 'text0' });
      for (const { key, value } of entries)
        equal(value, rows.find((row) => row.key === key)?.value, `${key}, reopened`);
      equal(entries.length, rows.length, 'how many texts there are');
    },
  },
  {
    name: 'a value as long as the limit comes back whole, also after reopening',
    async run(open) {
      const store = await open();
      const { valueLength } = store.limits;
      const ascii = 'fuseline'.repeat(Math.ceil(valueLength / 8)).slice(0, valueLength);
      const mixed = MIXED.repeat(Math.floor(Math.min(valueLength, 2 ** 20) / MIXED.length));
      await put(store, 'ascii', ascii);
      await put(store, 'mixed', mixed);
      const whole = async (handle: typeof store, when: string): Promise<void> => {
        const [first, second] = await handle.read(['ascii', 'mixed']);
        ensure(first?.value === ascii, `${valueLength} ASCII characters did not come back whole, ${when}`);
        ensure(second?.value === mixed, `${mixed.length} characters did not come back whole, ${when}`);
      };
      await whole(store, 'at once');
      await store.close();
      await whole(await open(), 'reopened');
    },
  },
  {
    name: 'keys of one character and of the greatest length are told apart',
    async run(open) {
      const store = await open();
      const long = 'k'.repeat(MAX_KEY_LENGTH - 1);
      const keys = ['k', long, `${long}k`, `${long}l`];
      for (const key of keys) await put(store, key, `${key.length}${key.at(-1)}`);
      equal(await keysIn(store, EVERYTHING), keys, 'the keys');
      equal((await readOne(store, `${long}l`))?.value, `${MAX_KEY_LENGTH}l`, 'the value of the last');
      await write(store, { delete: [`${long}k`] });
      equal(await keysIn(store, EVERYTHING), keys.toSpliced(2, 1), 'the keys after a delete');
    },
  },
  {
    name: 'a value or a key that is too long is refused before anything is written',
    async run(open) {
      const store = await open();
      await put(store, 'a', '1');
      const long = 'x'.repeat(store.limits.valueLength + 1);
      const beside = { put: [{ key: 'b', value: '2' }], delete: ['a'] };
      const tooLong = { ...beside, put: [...beside.put, { key: 'c', value: long }] };
      await refused('VALUE_TOO_LARGE', store.commit(tooLong), `a value of ${long.length} characters`);
      const longKey = { ...beside, put: [...beside.put, { key: 'k'.repeat(MAX_KEY_LENGTH + 1), value: '' }] };
      await refused('VALUE_TOO_LARGE', store.commit(longKey), `a key of ${MAX_KEY_LENGTH + 1} characters`);
      equal(await contents(store), [['a', '1']], 'the rows');
      await put(store, 'b', '2');
    },
  },
  {
    name: 'a batch as large as the limit is one commit, a larger one is refused before anything is written',
    async run(open) {
      const store = await open();
      const { batchOps } = store.limits;
      const rows = Array.from({ length: batchOps }, (_, i) => ({ key: `row/${i}`, value: String(i) }));
      const version = await write(store, { put: rows });
      const entries = await store.scan({ from: 'row/', to: 'row0' });
      equal(entries.length, batchOps, 'how many rows there are');
      ensure(
        entries.every((entry) => entry.version === version),
        'the rows of one batch carry several versions',
      );
      const tooMany = { expect: [{ key: 'row/0', version }], put: [{ key: 'row/0', value: 'no' }] };
      await refused(
        'VALUE_TOO_LARGE',
        store.commit({ ...tooMany, delete: rows.slice(1).map(({ key }) => key) }),
        `a batch of ${batchOps + 1} operations`,
      );
      equal((await store.scan({ from: 'row/', to: 'row0' })).length, batchOps, 'how many rows there are still');
      await write(store, { delete: rows.map(({ key }) => key) });
      equal(await contents(store), [], 'the rows in the end');
    },
  },
];
