import type { Keep } from '../../core/retention.ts';
import { RuntimeStorage } from '../../core/storage.ts';
import { webHost } from '../host.ts';
import { processLiveness } from '../node/liveness.ts';
import { FileStore, type FileStoreOptions, type FileStoreStats } from './file-store.ts';

export interface FileStorageOptions extends FileStoreOptions {
  /** How long, or how many, finished runs are kept; all of them unless told. */
  readonly keep?: Keep;
}

/**
 * Keeps runs in a directory of this machine, for any number of processes. Steps of a process that is killed are taken
 * over by the others at once. The directory is made at first use.
 */
export class FileStorage extends RuntimeStorage {
  readonly directory: string;
  readonly #store: FileStore;

  constructor(directory: string, { keep, ...options }: FileStorageOptions = {}) {
    const store = new FileStore(directory, options);
    super({ store, host: webHost, liveness: processLiveness(), ...(keep && { keep }) });
    this.directory = directory;
    this.#store = store;
  }

  /** What this process did to the directory since it opened it. */
  stats(): FileStoreStats | undefined {
    return this.#store.stats();
  }
}
