export { IndexedDBStorage, type IndexedDBStorageOptions } from './indexeddb-storage.ts';
export { type Durability, IndexedDBStore, type IndexedDBStoreOptions } from './indexeddb-store.ts';
