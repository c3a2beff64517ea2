/// <reference types="node" preserve="true" />
export { SqliteStorage, type SqliteStorageOptions } from './sqlite-storage.ts';
export { type SqliteDurability, SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
