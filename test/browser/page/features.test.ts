import { IndexedDBStorage } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { test } from 'vitest';
import { features } from '../../features/cases/index.ts';

test.each(features)('on IndexedDB: $name', async ({ run }) => {
  const name = crypto.randomUUID();
  await run({ open: () => new IndexedDBStorage(name) });
  await deleteDB(`fuseline/${name}`);
});
