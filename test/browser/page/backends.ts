import { IndexedDBStore } from 'fuseline/indexeddb';
import { type Bracket, bracket } from 'fuseline/testing';
import { deleteDB } from 'idb';

/** The store of a page, in both durabilities. A line here buys every suite. */
export const backends: Readonly<Record<string, Bracket>> = {
  relaxed: bracket(() => inDatabase('relaxed')),
  strict: bracket(() => inDatabase('strict')),
};

function inDatabase(durability: 'relaxed' | 'strict') {
  const name = `store-${crypto.randomUUID()}`;
  return { open: () => new IndexedDBStore(name, { durability }), remove: () => deleteDB(name) };
}
