export { type Durability, IndexedDBStore, type IndexedDBStoreOptions } from './indexeddb-store.ts';
