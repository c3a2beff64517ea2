import { openDB, unwrap } from 'idb';

export interface RawRows {
  readonly rows: number;
  /** Characters of a value. */
  readonly length: number;
  readonly durability: 'strict' | 'relaxed';
}

/** The least a page can do that has every row in the database before it writes the next one. Answers milliseconds. */
export async function rawRows(name: string, { rows, length, durability }: RawRows): Promise<number> {
  const opened = await openDB(name, 1, {
    upgrade: (database) => void database.createObjectStore('rows', { keyPath: 'key' }),
  });
  const database = unwrap(opened);
  const value = 'x'.repeat(length);
  const add = (key: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction('rows', 'readwrite', { durability });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      transaction.objectStore('rows').add({ key, value, version: key });
      transaction.commit();
    });
  for (let i = 0; i < 20; i++) await add(`warm-up ${i}`);
  const since = performance.now();
  for (let i = 0; i < rows; i++) await add(`row ${i}`);
  const ms = performance.now() - since;
  opened.close();
  return ms;
}
