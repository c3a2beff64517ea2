import { IndexedDBStorage } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { describe, expect, inject, test } from 'vitest';
import { type Backend, dispatched, runCorpus } from '../../corpus/verdicts.ts';

/** In `npm test` a quarter of the cases with each number of workers on each backend: every case runs once in a browser. */
const quarter = inject('backend') === 'SQLite' ? 0 : 2;

/** Several cases at a time share transactions; with too many, all their workers hear of all their news. */
const WAYS = [
  { workers: 1, lanes: 32, quarter },
  { workers: 3, lanes: 8, quarter: quarter + 1 },
];

describe('the corpus on IndexedDB', () => {
  test.each(WAYS)(
    'with $workers at work',
    async ({ workers, lanes, quarter }) => {
      const whole = inject('corpusIn') === 'every browser';
      const cases = inject('corpus').filter((_, i) => whole || i % 4 === quarter);
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
    600_000,
  );
});
