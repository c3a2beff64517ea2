import { IndexedDBStorage } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { describe, expect, inject, test } from 'vitest';
import { type Backend, dispatched, runCorpus } from '../../corpus/verdicts.ts';

/** Several cases at a time share transactions; with too many, all their workers hear of all their news. */
const WAYS = [
  { workers: 1, lanes: 32 },
  { workers: 3, lanes: 8 },
];

describe('every case of the corpus on IndexedDB', () => {
  test.each(WAYS)(
    'with $workers at work',
    async ({ workers, lanes }) => {
      const cases = inject('corpus');
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
    },
    180_000,
  );
});
