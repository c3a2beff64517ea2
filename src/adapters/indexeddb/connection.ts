import { openDB, unwrap } from 'idb';
import { FuselineError } from '../../core/errors.ts';
import { webHost } from '../host.ts';
import { failed, isNamed } from './failure.ts';

/** Stays what it is while rows can be read by old and new code alike; the journal names its protocol in every entry. */
const VERSION = 1;

export const ROWS = 'rows';
const ABOUT = 'about';
const IDENTITY = 'identity';

/** A tab that is frozen neither lets others in nor says so, for as long as it is frozen. */
const OPEN_MS = 10_000;

/** While a browser clears the data of a site it cuts who opens a database meanwhile, more than once if need be. */
const TRIES = 3;

/** The answer to a request. Without the wrapper of `idb`, which costs a page a tenth of what the request does. */
export function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Rejects if the browser closes the connection before the answer is there. Chromium 156 then aborts what is open, but
 * forgets a transaction that was being committed: neither of its events comes.
 */
export function unlessLost<T>(database: IDBDatabase, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new DOMException('the connection was lost', 'AbortError'));
    database.addEventListener('close', lost);
    answer.then(resolve, reject).finally(() => database.removeEventListener('close', lost));
  });
}

/**
 * The way to one database, which may break at any time: the browser closes connections when it clears data and when its
 * own storage process fails, and this side closes them for whoever wants to delete or upgrade the database. The next
 * use opens it again, unless what is there is another database by the same name.
 */
export class Connection {
  readonly #name: string;
  #opening: Promise<IDBDatabase> | undefined;
  #database: IDBDatabase | undefined;
  /** Made up when the database was created. */
  #identity: string | undefined;
  #closed = false;

  constructor(name: string) {
    this.#name = name;
  }

  open(): Promise<IDBDatabase> {
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Gives up a connection: the one there is, or that one if it still is. */
  drop(database: IDBDatabase | undefined = this.#database): void {
    if (!database) return;
    database.close();
    if (this.#database !== database) return;
    this.#database = undefined;
    this.#opening = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const database = await this.#opening?.catch(() => undefined);
    if (database) this.drop(database);
  }

  async #open(): Promise<IDBDatabase> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#openOnce();
      } catch (error) {
        if (tries === TRIES || !wasCut(error)) throw error;
      }
    }
  }

  async #openOnce(): Promise<IDBDatabase> {
    if (this.#closed) throw new FuselineError('STORAGE_CLOSED', `the storage in ${this.#name} was closed`);
    const database = await this.#reach();
    try {
      const about = database.transaction(ABOUT).objectStore(ABOUT);
      const identity = (await unlessLost(database, answered(about.get(IDENTITY)))) as string;
      this.#identity ??= identity;
      if (this.#identity === identity) {
        this.#database = database;
        return database;
      }
    } catch (cause) {
      database.close();
      throw failed(`the database ${this.#name} could not be read`, cause);
    }
    database.close();
    throw new FuselineError(
      'STORAGE_CLOSED',
      `the database ${this.#name} was deleted while it was in use, as clearing the data of a site does, and its runs with it; make a new storage to begin anew`,
    );
  }

  /** Opens the database, or says after a while why it cannot be had. */
  #reach(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      let holder = 'another tab keeps it and does not answer';
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(
          new FuselineError(
            'STORAGE_FAILED',
            `the database ${this.#name} could not be opened within ${OPEN_MS / 1000} s: ${holder}; close the other tabs of this site`,
          ),
        );
      }, OPEN_MS);
      const blocked = (): void => {
        holder = 'another tab that was asked to let go of it has not';
      };
      this.#request(blocked)
        .then(
          (database) => (late ? database.close() : resolve(database)),
          (cause) => reject(this.#refused(cause)),
        )
        .finally(() => clearTimeout(timer));
    });
  }

  async #request(blocked: () => void): Promise<IDBDatabase> {
    let aborted: DOMException | null = null;
    const opened = await openDB(this.#name, VERSION, {
      upgrade(database, _from, _to, transaction) {
        const made = unwrap(transaction);
        made.addEventListener('abort', () => {
          aborted = made.error;
        });
        unwrap(database).createObjectStore(ROWS, { keyPath: 'key' });
        unwrap(database).createObjectStore(ABOUT).put(webHost.id(), IDENTITY);
      },
      blocked,
    }).catch((cause) => {
      // The request itself says no more than that the creation was aborted.
      throw aborted ?? cause;
    });
    const database = unwrap(opened);
    const gone = (): void => this.drop(database);
    database.addEventListener('close', gone);
    database.addEventListener('versionchange', gone);
    return database;
  }

  #refused(cause: unknown): FuselineError {
    if (isNamed(cause, 'VersionError')) {
      return new FuselineError(
        'PROTOCOL_TOO_NEW',
        `the database ${this.#name} was taken over by a newer version of Fuseline in another tab; load this page anew`,
        { cause },
      );
    }
    const missing = typeof indexedDB === 'undefined' || indexedDB === null;
    if (missing || isNamed(cause, 'SecurityError', 'InvalidStateError', 'NotSupportedError') || isForbidden(cause)) {
      return new FuselineError(
        'STORAGE_UNSUPPORTED',
        `the database ${this.#name} cannot be opened here: ${missing ? 'there is no IndexedDB' : String(cause)}; where the browser keeps nothing, as in a frame without an origin and some private windows, use MemoryStorage, and say that work will be forgotten`,
        { cause },
      );
    }
    return failed(`the database ${this.#name} could not be opened`, cause);
  }
}

/** Whether the browser ended an opening that it may well grant when asked again. */
function wasCut(error: unknown): boolean {
  return (
    error instanceof FuselineError &&
    error.code === 'STORAGE_FAILED' &&
    isNamed(error.cause, 'AbortError', 'InvalidStateError', 'UnknownError')
  );
}

/** Chromium has no name of its own for it: a user who wants no site to keep anything. */
function isForbidden(cause: unknown): boolean {
  return isNamed(cause, 'UnknownError') && /denied permission/.test(String(cause));
}
