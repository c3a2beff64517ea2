import { FuselineError } from '../../core/errors.ts';
import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';
import { Directory } from './directory.ts';
import { failed } from './failure.ts';
import { type Files, nodeFiles } from './files.ts';
import { Log, type LogStats } from './log.ts';
import { entryOf, type Row } from './rows.ts';
import { compact } from './snapshot.ts';
import { Watcher } from './watcher.ts';

export interface FileStoreOptions {
  /**
   * `strict`: a commit is on disk when it resolves. `relaxed`: it is in the hands of the operating system, and survives
   * the death of this process, but a power cut may take the last ones away.
   */
  readonly durability?: Durability;
  /** A segment of this size is sealed; a log of this size is compacted when more than half of it is dead. */
  readonly segmentBytes?: number;
  /** For tests that make the disk fail. */
  readonly files?: Files;
}

export type Durability = 'strict' | 'relaxed';

export interface FileStoreStats extends Readonly<LogStats> {
  readonly conflicts: number;
}

export const SEGMENT_BYTES = 8 * 1024 * 1024;

/** So much of a segment must be there before it is sealed early, because most of the log is dead. */
const EARLY_SEAL_SHARE = 1 / 8;
/** How long to leave a compaction alone that failed, or that another process is about to do. */
const COMPACTION_PAUSE_MS = 1000;
const MAX_BATCH_LENGTH = 256 * 1024 * 1024;
const MAX_KEY_LENGTH = 1024;

interface Pending {
  readonly batch: Batch;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** An answer that must not leave before the log is on disk up to `needs`. */
interface Answer {
  readonly needs: number;
  give(): void;
  reject(error: unknown): void;
}

/** A directory as a store, for any number of processes on one machine. */
export class FileStore implements Store {
  readonly limits: StoreLimits = { valueLength: 16 * 1024 * 1024, batchOps: 10_000 };
  readonly directory: string;
  readonly #files: Files;
  readonly #durability: Durability;
  readonly #segmentBytes: number;
  readonly #watcher: Watcher;
  #log: Log | undefined;
  #pending: Pending[] = [];
  #answers: Answer[] = [];
  #turnScheduled = false;
  #syncing: Promise<void> | undefined;
  #compaction: Promise<void> | undefined;
  #compactNotBefore = 0;
  #conflicts = 0;
  #end: FuselineError | undefined;

  constructor(directory: string, options: FileStoreOptions = {}) {
    this.#files = options.files ?? nodeFiles;
    this.#durability = options.durability ?? 'strict';
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.directory = directory;
    this.#watcher = new Watcher(directory, () => this.#lookAround());
  }

  async read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    const log = this.#upToDate();
    const found = keys.map((key) => log.rows.get(key));
    const entries = found.map((row, i) => row && entryOf(keys[i] as Key, row));
    await this.#whenDurable(log, found);
    return entries;
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    const log = this.#upToDate();
    const found = log.rows.scan(range);
    const entries = found.map(([key, row]) => entryOf(key, row));
    await this.#whenDurable(log, found.map(([, row]) => row));
    return entries;
  }

  commit(batch: Batch): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#refuseAfterEnd();
      this.#refuseOversize(batch);
      this.#pending.push({ batch, resolve, reject });
      this.#scheduleTurn();
    });
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
    while (this.#turnScheduled || this.#syncing) await (this.#syncing ?? new Promise(setImmediate));
    await this.#compaction;
    this.#log?.close();
    this.#log = undefined;
  }

  stats(): FileStoreStats | undefined {
    return this.#log && { ...this.#log.stats, conflicts: this.#conflicts };
  }

  #open(): Log {
    if (this.#log) return this.#log;
    this.#log = new Log(new Directory(this.directory, this.#files));
    if (this.#durability === 'relaxed') this.#log.durable = Number.POSITIVE_INFINITY;
    return this.#log;
  }

  #upToDate(): Log {
    this.#refuseAfterEnd();
    try {
      const log = this.#open();
      log.catchUp();
      this.#tellForeign(log);
      return log;
    } catch (error) {
      throw failed(`cannot read the storage in ${this.directory}`, error);
    }
  }

  /** What was read may rest on records, this process's or another's, that are not on disk yet. */
  #whenDurable(log: Log, rows: readonly (Row | undefined)[]): Promise<void> | undefined {
    let newest = log.lastDelete;
    for (const row of rows) if (row && row.version > newest) newest = row.version;
    if (newest === 0 || newest < log.durable) return undefined;
    return new Promise((give, reject) => {
      this.#answers.push({ needs: log.position, give, reject });
      this.#scheduleTurn();
    });
  }

  /** At the end of the tick, so that everything it commits shares one write, unless a sync is under way. */
  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#syncing) return;
    this.#turnScheduled = true;
    process.nextTick(() => {
      this.#turnScheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const arrived = this.#pending;
    this.#pending = [];
    if (arrived.length > 0) {
      this.#watcher.countOwn();
      this.#decide(arrived);
    }
    const log = this.#log;
    if (!log) return;
    this.#giveAnswers(log);
    if (this.#answers.length > 0) this.#sync(log);
    this.#maintain(log);
  }

  #decide(arrived: readonly Pending[]): void {
    let undecided = arrived;
    try {
      const log = this.#open();
      log.catchUp();
      while (undecided.length > 0) undecided = this.#decideSome(log, undecided);
      this.#tellForeign(log);
    } catch (error) {
      const failure = failed(`cannot commit to the storage in ${this.directory}`, error);
      for (const { reject } of undecided) reject(failure);
    }
  }

  /** Writes those that can succeed and do not depend on each other, and returns those still to be decided. */
  #decideSome(log: Log, commits: readonly Pending[]): readonly Pending[] {
    const group: Pending[] = [];
    const later: Pending[] = [];
    const touched = new Set<Key>();
    const losers: Pending[] = [];
    for (const commit of commits) {
      const { expect, put, delete: gone } = commit.batch;
      if (!log.rows.meetBatch(commit.batch)) losers.push(commit);
      else if (touched.size > 0 && expect?.some(({ key }) => touched.has(key))) later.push(commit);
      else {
        group.push(commit);
        if (commits.length === 1) continue;
        for (const { key } of put ?? []) touched.add(key);
        for (const key of gone ?? []) touched.add(key);
      }
    }
    const verdicts = group.length > 0 ? log.append(group.map(({ batch }) => batch)) : [];
    const needs = log.position;
    group.forEach((commit, i) => {
      const verdict = verdicts[i] ?? 'again';
      if (verdict === 'again') later.push(commit);
      else if (verdict === 'void') losers.push(commit);
      else if (typeof verdict === 'number') {
        this.#answers.push({ needs, give: () => commit.resolve({ status: 'committed', version: verdict }), reject: commit.reject });
      } else commit.reject(verdict);
    });
    this.#conflicts += losers.length;
    for (const { resolve, reject } of losers) {
      this.#answers.push({ needs, give: () => resolve({ status: 'conflict' }), reject });
    }
    return later;
  }

  #sync(log: Log): void {
    this.#syncing = log.sync().then(
      () => {
        this.#syncing = undefined;
        this.#giveAnswers(log);
        if (this.#pending.length > 0 || this.#answers.length > 0) this.#scheduleTurn();
      },
      (error: unknown) => {
        this.#syncing = undefined;
        this.#fail(error);
      },
    );
  }

  #giveAnswers(log: Log): void {
    const answers = this.#answers;
    this.#answers = answers.filter(({ needs }) => needs > log.durable);
    for (const { needs, give } of answers) if (needs <= log.durable) give();
  }

  /**
   * After a failed sync the kernel may have dropped what it could not write, and says so only once: nothing that this
   * process knows about its storage can be trusted any more.
   */
  #fail(cause: unknown): void {
    this.#end = new FuselineError(
      'STORAGE_FAILED',
      `the disk failed to keep what was written to ${this.directory}; this process stops using it, so check the disk and start again`,
      { cause },
    );
    for (const { reject } of [...this.#answers, ...this.#pending]) reject(this.#end);
    this.#answers = [];
    this.#pending = [];
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
      this.#maintain(this.#upToDate());
    } catch {
      // Whoever reads or commits next is told. A hint carries no truth, nor does its absence.
    }
  }

  /** Gives the space of what is dead back to the disk. */
  #maintain(log: Log): void {
    const { segment, older, rows } = log;
    const early = this.#segmentBytes * EARLY_SEAL_SHARE;
    if (segment.size < early && older.every(({ ordinal }) => ordinal === segment.ordinal)) return;
    if (this.#compaction || this.#end || performance.now() < this.#compactNotBefore) return;
    this.#compactNotBefore = performance.now() + COMPACTION_PAUSE_MS;
    try {
      log.adopt();
      const total = log.older.reduce((sum, { size }) => sum + size, segment.size);
      const mostlyDead = total >= this.#segmentBytes && rows.bytes * 2 < total;
      if (segment.size < (mostlyDead ? early : this.#segmentBytes)) return;
      const cut = log.seal();
      if (!cut || !mostlyDead) return;
      this.#compaction = compact(log.directory, cut, () => this.#end !== undefined)
        .then((done) => {
          if (!done) return;
          log.stats.compactions++;
          log.adopt();
        })
        // The log is whole without it, and the next attempt comes with the next writes.
        .catch(() => undefined)
        .finally(() => {
          this.#compaction = undefined;
        });
    } catch {
      // As above.
    }
  }

  #refuseAfterEnd(): void {
    if (this.#end) throw this.#end;
  }

  #refuseOversize({ expect = [], put = [], delete: gone = [] }: Batch): void {
    const ops = expect.length + put.length + gone.length;
    if (ops > this.limits.batchOps) {
      throw new FuselineError('VALUE_TOO_LARGE', `a batch of ${ops} operations is larger than the ${this.limits.batchOps} this storage takes at once`);
    }
    let length = 0;
    for (const { key, value } of put) {
      length += value.length;
      if (value.length > this.limits.valueLength) {
        throw new FuselineError(
          'VALUE_TOO_LARGE',
          `the value of ${key} has ${value.length} characters, more than the ${this.limits.valueLength} this storage takes; keep large data elsewhere and store where it is`,
        );
      }
      if (key.length > MAX_KEY_LENGTH) throw new FuselineError('VALUE_TOO_LARGE', `the key ${key.slice(0, 64)}… is longer than ${MAX_KEY_LENGTH} characters`);
    }
    if (length > MAX_BATCH_LENGTH) {
      throw new FuselineError('VALUE_TOO_LARGE', `a batch of ${length} characters is larger than the ${MAX_BATCH_LENGTH} this storage takes at once`);
    }
  }
}
