import { FuselineError } from '../../core/errors.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { refuseOversize } from '../bounds.ts';
import { Committer } from './committer.ts';
import { Compactor } from './compactor.ts';
import { Directory } from './directory.ts';
import { failed } from './failure.ts';
import { type Files, nodeFiles } from './files.ts';
import { Log } from './log.ts';
import type { LogStats } from './log-stats.ts';
import { entryOf, type Row } from './row.ts';
import { Watcher } from './watcher.ts';

export interface FileStoreOptions {
  /**
   * `strict`: a commit is on disk when it resolves. `relaxed`: it is in the hands of the operating system; it survives
   * the death of this process, but a power cut may take the last ones away.
   */
  readonly durability?: Durability;
  /** A segment of this size is sealed, and becomes a table. */
  readonly segmentBytes?: number;
  /** For tests that make the disk fail. */
  readonly files?: Files;
}

export type Durability = 'strict' | 'relaxed';

export interface FileStoreStats extends Readonly<LogStats> {
  readonly conflicts: number;
}

export const SEGMENT_BYTES = 1024 * 1024;

const LIMITS: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };
const MAX_BATCH_LENGTH = 256 * 1024 * 1024;
/** How long a directory that was moved away may go on receiving commits. */
const PLACE_CHECK_MS = 1000;

interface Open {
  readonly log: Log;
  readonly committer: Committer;
  readonly compactor: Compactor;
}

/** A directory as a store, for any number of processes on one machine. */
export class FileStore implements Store {
  readonly limits = LIMITS;
  readonly directory: string;
  readonly #files: Files;
  readonly #durability: Durability;
  readonly #segmentBytes: number;
  readonly #watcher: Watcher;
  #opened: Open | undefined;
  #placeCheckedAt = Number.NEGATIVE_INFINITY;
  /** Why nothing is answered any more. */
  #end: FuselineError | undefined;

  /** Touches nothing before the first call. */
  constructor(directory: string, options: FileStoreOptions = {}) {
    this.directory = directory;
    this.#files = options.files ?? nodeFiles;
    this.#durability = options.durability ?? 'strict';
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#watcher = new Watcher(directory, () => this.#lookAround());
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    const { rows } = this.#upToDate().log;
    const found = keys.map((key) => rows.get(key));
    const entries = found.map((row) => row && entryOf(row));
    await this.#durable(found);
    return entries;
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    const found = this.#upToDate().log.rows.scan(range);
    const entries = found.map(entryOf);
    await this.#durable(found);
    return entries;
  }

  // Not `async`: the turns of the microtask queue that takes lie between one sync and the next write.
  commit(batch: Batch): Promise<CommitResult> {
    try {
      refuseOversize(batch, LIMITS);
      refuseLongBatch(batch);
      const { log, committer } = this.#open();
      this.#checkPlace(log);
      return committer.commit(batch);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  watch(listener: (hint: Hint) => void): () => void {
    const stop = this.#watcher.add(listener);
    // What changes from now on is news.
    this.#lookAround();
    return stop;
  }

  async close(): Promise<void> {
    this.#end ??= new FuselineError('STORAGE_CLOSED', `the storage in ${this.directory} is closed`);
    this.#watcher.close();
    await this.#opened?.committer.idle();
    await this.#opened?.compactor.close();
    this.#opened?.log.close();
    this.#opened = undefined;
  }

  /** What this process did since it opened the storage; nothing before the first call. */
  stats(): FileStoreStats | undefined {
    if (!this.#opened) return undefined;
    const { log, committer } = this.#opened;
    return { ...log.stats, conflicts: committer.conflicts };
  }

  #open(): Open {
    if (this.#end) throw this.#end;
    if (this.#opened) return this.#opened;
    const log = new Log(new Directory(this.directory, this.#files));
    if (this.#durability === 'relaxed') log.syncs.durable = Number.POSITIVE_INFINITY;
    const compactor = new Compactor(log, this.#segmentBytes);
    const committer = new Committer(log, {
      failed: (cause) => this.#fail(cause),
      after: () => {
        this.#watcher.countOwn();
        this.#tellForeign(log);
        compactor.consider();
      },
    });
    this.#opened = { log, committer, compactor };
    return this.#opened;
  }

  #upToDate(): Open {
    const open = this.#open();
    try {
      open.log.catchUp();
      this.#checkPlace(open.log);
    } catch (error) {
      throw failed(`cannot read the storage in ${this.directory}`, error);
    }
    open.compactor.adopt();
    this.#tellForeign(open.log);
    return open;
  }

  /** What was read may rest on records, this process's or another's, that are not on disk yet. */
  async #durable(rows: readonly (Row | undefined)[]): Promise<void> {
    const { log, committer } = this.#open();
    let newest = log.lastDelete;
    for (const row of rows) if (row && row.version > newest) newest = row.version;
    if (newest >= log.syncs.durable) await committer.durable();
  }

  #checkPlace(log: Log): void {
    const now = performance.now();
    if (now - this.#placeCheckedAt < PLACE_CHECK_MS) return;
    log.checkPlace();
    this.#placeCheckedAt = now;
  }

  /**
   * After a failed sync the kernel may have dropped what it could not write, and it says so only once: nothing that this
   * process knows about its storage can be trusted any more.
   */
  #fail(cause: unknown): void {
    this.#end = new FuselineError(
      'STORAGE_FAILED',
      `the disk failed to keep what was written to ${this.directory}; this process stops using it, so check the disk and start again`,
      { cause },
    );
    this.#opened?.committer.abandon(this.#end);
    this.#watcher.close();
  }

  #tellForeign(log: Log): void {
    const foreign = log.takeForeign();
    if (foreign === 'unknown') this.#watcher.tell({});
    else if (foreign.length > 0) this.#watcher.tell({ keys: foreign });
  }

  #lookAround(): void {
    if (this.#end) return;
    try {
      this.#upToDate().compactor.consider();
    } catch {
      // Whoever reads or commits next is told. A hint carries no truth, nor does its absence.
    }
  }
}

/** All values of a batch stand in one line, which must fit into one write. */
function refuseLongBatch({ put = [] }: Batch): void {
  const length = put.reduce((sum, { value }) => sum + value.length, 0);
  if (length <= MAX_BATCH_LENGTH) return;
  throw new FuselineError(
    'VALUE_TOO_LARGE',
    `a batch of ${length} characters is more than this storage takes at once (${MAX_BATCH_LENGTH}); commit it in parts`,
  );
}
