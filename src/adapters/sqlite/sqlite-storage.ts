import type { Keep } from '../../core/retention.ts';
import { RuntimeStorage } from '../../core/storage.ts';
import { webHost } from '../host.ts';
import { processLiveness } from '../node/liveness.ts';
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

export interface SqliteStorageOptions extends SqliteStoreOptions {
  /** How long, or how many, finished runs are kept; all of them unless told. */
  readonly keep?: Keep;
}

/**
 * Keeps runs in one SQLite file of this machine, for any number of processes. Steps of a process that is killed are taken
 * over by the others at once. The file is made at first use.
 */
export class SqliteStorage extends RuntimeStorage {
  /** Throws `STORAGE_UNSUPPORTED` on a Node without `node:sqlite`. */
  constructor(path: string, { keep, ...options }: SqliteStorageOptions = {}) {
    super({
      store: new SqliteStore(path, options),
      host: webHost,
      liveness: processLiveness(),
      ...(keep && { keep }),
    });
  }
}
