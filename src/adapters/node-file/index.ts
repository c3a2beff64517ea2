export { FileStorage, type FileStorageOptions } from './file-storage.ts';
export { type Durability, FileStore, type FileStoreOptions, type FileStoreStats } from './file-store.ts';
export { processLiveness, type ProcessLivenessOptions } from './liveness.ts';
