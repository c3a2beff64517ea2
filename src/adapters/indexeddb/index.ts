export { IndexedDBStorage, type IndexedDBStorageOptions } from './indexeddb-storage.ts';
export { type Durability, type IndexedDBStats, IndexedDBStore, type IndexedDBStoreOptions } from './indexeddb-store.ts';
