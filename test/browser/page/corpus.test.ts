import { IndexedDBStorage } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { describe, expect, inject, test } from 'vitest';
import { type Backend, dispatched, runCorpus } from '../../corpus/verdicts.ts';

/** Each case runs with both numbers of workers, once on each of the two backends. */
const isOdd = inject('backend') === 'SQLite';

/** Several cases at a time share transactions; with too many, all their workers hear of all their news. */
const WAYS = [
  { workers: 1, lanes: 32, odd: isOdd },
  { workers: 3, lanes: 8, odd: !isOdd },
];

describe('the corpus on IndexedDB', () => {
  test.each(WAYS)(
    'with $workers at work',
    async ({ workers, lanes, odd }) => {
      const cases = inject('corpus').filter((_, i) => (i % 2 === 1) === odd);
      const name = `corpus-${workers}`;
      const backend: Backend = {
        name: 'indexeddb',
        bracket: (body) => body(() => new IndexedDBStorage(name)),
        run: dispatched,
      };
      const verdicts = await runCorpus(cases, backend, workers, lanes);
      await deleteDB(`fuseline/${name}`);
      expect(verdicts.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
      expect(verdicts).toHaveLength(cases.length);
      expect(cases.length).toBeGreaterThan(100);
    },
    180_000,
  );
});
