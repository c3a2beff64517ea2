import type { Keep } from '../../core/retention.ts';
import { type NewWorker, RuntimeStorage } from '../../core/storage.ts';
import { withBlobs } from '../blobs.ts';
import { type IndexedDBStats, IndexedDBStore, type IndexedDBStoreOptions } from './indexeddb-store.ts';
import { pageHost } from './page-host.ts';
import { pageNetwork } from './page-network.ts';
import { Presence } from './presence.ts';

export interface IndexedDBStorageOptions extends IndexedDBStoreOptions {
  /** How long, or how many, finished runs are kept; all of them unless told. */
  readonly keep?: Keep;
  /** What is asked for to find out whether there is a network: the root of the page's own server unless told. */
  readonly probe?: string | URL;
}

/**
 * Keeps runs in a database of the browser, for all tabs and workers of an origin. Steps of a tab that is closed or
 * crashes are taken over by the others at once. The database is made at first use, and until then nothing of the browser is
 * touched, so a page may also be rendered on a server.
 */
export class IndexedDBStorage extends RuntimeStorage {
  readonly name: string;
  readonly #store: IndexedDBStore;
  readonly #presence: Presence;

  constructor(name: string, { keep, probe, ...options }: IndexedDBStorageOptions = {}) {
    const database = `fuseline/${name}`;
    const store = new IndexedDBStore(database, options);
    const presence = new Presence(database);
    super({
      store,
      host: pageHost,
      codec: withBlobs,
      liveness: presence,
      network: pageNetwork(probe),
      ...(keep && { keep }),
    });
    this.name = name;
    this.#store = store;
    this.#presence = presence;
  }

  /** What this storage did to the database so far. */
  stats(): IndexedDBStats {
    return this.#store.stats();
  }

  override async register(worker: string, session: NewWorker): Promise<void> {
    await this.#presence.hold();
    await super.register(worker, session);
  }

  override async close(): Promise<void> {
    await super.close();
    this.#presence.leave();
  }
}
