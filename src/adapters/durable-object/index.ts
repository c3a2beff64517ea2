export { DurableObjectStorage, type DurableObjectStorageOptions } from './durable-object-storage.ts';
export {
  DurableObjectStore,
  type DurableObjectStoreOptions,
  type DurableObjectStoreStats,
} from './durable-object-store.ts';
