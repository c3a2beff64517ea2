import type { Keep } from '../../core/retention.ts';
import { RuntimeStorage } from '../../core/storage.ts';
import { webHost } from '../host.ts';
import {
  DurableObjectStore,
  type DurableObjectStoreOptions,
  type DurableObjectStoreStats,
} from './durable-object-store.ts';
import { presenceIn } from './presence.ts';

export interface DurableObjectStorageOptions extends DurableObjectStoreOptions {
  /** How long, or how many, finished runs are kept; all of them unless told. */
  readonly keep?: Keep;
}

/**
 * Keeps runs in the SQLite storage of a Durable Object, for engines inside of it. What the object was at when it died is
 * handed out again as soon as it lives.
 */
export class DurableObjectStorage extends RuntimeStorage {
  readonly #store: DurableObjectStore;

  constructor(
    { storage }: Pick<DurableObjectState, 'storage'>,
    { keep, ...options }: DurableObjectStorageOptions = {},
  ) {
    const store = new DurableObjectStore(storage, options);
    super({ store, host: webHost, liveness: presenceIn(storage), ...(keep && { keep }) });
    this.#store = store;
  }

  /** What was read and written through this storage so far. */
  stats(): DurableObjectStoreStats {
    return this.#store.stats();
  }
}
