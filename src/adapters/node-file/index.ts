/// <reference types="node" preserve="true" />

export { type ProcessLivenessOptions, processLiveness } from '../node/liveness.ts';
export { FileStorage, type FileStorageOptions } from './file-storage.ts';
export { type Durability, FileStore, type FileStoreOptions, type FileStoreStats } from './file-store.ts';
export type { Files } from './files.ts';
