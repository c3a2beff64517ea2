import { FuselineError } from '../../core/errors.ts';
import type { Batch, Key } from '../../core/store.ts';
import { checkFormat, type Directory, segmentOrdinal, snapshotName, suffix } from './directory.ts';
import { failed } from './failure.ts';
import { hasCode } from './files.ts';
import { type FoundLine, LogFile, type Position } from './log-file.ts';
import { damaged, goneFrom, Losses, lost } from './losses.ts';
import { decodeValue, type Head, Lines, type Placed } from './record.ts';
import { type Place, Rows } from './rows.ts';
import { type Cut, readSnapshot } from './snapshot.ts';
import { SyncPace } from './sync-pace.ts';

/**
 * What became of an appended batch: the version of its puts; `void` if another commit came first; `again` if it was
 * not decided (its segment ended before it); or why it was not written.
 */
export type Verdict = number | 'void' | 'again' | FuselineError;

export interface Written {
  readonly records: readonly OwnRecord[];
  readonly segment: LogFile;
  /** The size of the segment as last seen before the write, and how much should have been added to it. */
  readonly before: number;
  readonly length: number;
  readonly failure: FuselineError | undefined;
}

interface OwnRecord {
  readonly by: string;
  readonly batch: Batch;
  readonly placed: Placed;
}

export interface LogStats {
  /** Commits in the log by this process, and the writes that carried them. */
  commits: number;
  groups: number;
  /** Records of this process that another commit made void. */
  voids: number;
  syncs: number;
  bytesWritten: number;
  bytesRead: number;
  /** Pieces of records whose writers died, as read by this process. */
  torn: number;
  seals: number;
  compactions: number;
}

/** Longer values stay on disk, and so do all but the shortest once their segment is sealed. */
const RESIDENT_LENGTH = 1024;
const ALWAYS_RESIDENT_LENGTH = 32;
const GROUP_BYTES = 64 * 1024 * 1024;
const RELOAD_ATTEMPTS = 100;
/** After so many own writes that met nobody, this process takes itself to be alone. */
const UNDISTURBED = 64;
/** A leading newline, then the line that names the format. */
const HEADER_AT = 1;

/**
 * A log that many processes append to without a lock: the order in it decides. A record says which versions it
 * expects; whoever reads the log skips a record whose expectations are not met, its writer included, which reads up to
 * its own record to learn the verdict. Nothing is ever cut off or written over.
 *
 * A segment ends with its first `seal`, and goes on in the segment the seal names; what lies behind a seal is void.
 * Segments before a snapshot may be gone. A process that slept through that still finds the seal in the file it holds
 * open, therefore never takes a record behind it for committed.
 */
export class Log {
  readonly stats: LogStats = {
    commits: 0,
    groups: 0,
    voids: 0,
    syncs: 0,
    bytesWritten: 0,
    bytesRead: 0,
    torn: 0,
    seals: 0,
    compactions: 0,
  };
  /** Up to which position this process knows the log to be on disk. */
  durable = 0;
  /** Position of the last record that deleted something. */
  lastDelete = 0;
  rows = new Rows();
  readonly directory: Directory;
  readonly #first: string;
  readonly #writer = suffix();
  #counter = 0;
  readonly #lines = new Lines();
  #segment!: LogFile;
  /** What came before the current segment and still holds values: a snapshot and sealed segments. */
  #older: LogFile[] = [];
  readonly #pace = new SyncPace();
  /** Sealed segments this process has not synced since it read them. */
  #unsynced = new Set<LogFile>();
  readonly #losses = new Losses();
  readonly #verdicts = new Map<string, Verdict>();
  #foreign: Key[] | 'unknown' = [];
  /** Own writes in a row that nobody else's record came between. */
  #undisturbed = 0;
  #covered = 0;
  /** The segment a seal of this process would lead to, and the rows at the seal once it did. */
  #sealing: string | undefined;
  #cut: Cut | undefined;

  constructor(directory: Directory) {
    this.directory = directory;
    this.#first = directory.prepare();
    this.#load();
    this.catchUp();
    this.#foreign = [];
  }

  get position(): number {
    return this.#segment.base + this.#segment.folded;
  }

  /** Up to where the sync under way reaches at least, or the next one. */
  get covered(): number {
    return this.#covered;
  }

  get segment(): LogFile {
    return this.#segment;
  }

  get older(): readonly LogFile[] {
    return this.#older;
  }

  /** Folds whatever any process has appended since. */
  catchUp(): void {
    for (;;) {
      const segment = this.#segment;
      const { size, nlink } = segment.status();
      if (size < segment.folded) throw goneFrom(segment.path, 'shortened');
      if (size > segment.size) this.#foldTo(size);
      if (this.#segment !== segment) continue;
      // A compaction removes segments too, but only those whose last word is a seal.
      if (nlink === 0) throw goneFrom(segment.path, 'removed');
      return;
    }
  }

  /** Saves a record from becoming void where others are about, and a system call where they are not. */
  catchUpInCompany(): void {
    if (this.#undisturbed < UNDISTURBED) this.catchUp();
  }

  /** Whether the segment still stands where others look for it. A directory may be moved away or restored over it. */
  checkPlace(): void {
    const segment = this.#segment;
    if (this.directory.files.stat(segment.path)?.ino === segment.ino) return;
    this.catchUp();
    if (this.#segment === segment) throw goneFrom(segment.path, 'moved or replaced');
  }

  /** Appends the batches in one write. They must not depend on each other, and wait for `judge`. */
  write(batches: readonly Batch[]): Written {
    const lines = this.#lines;
    lines.clear();
    const records: OwnRecord[] = [];
    for (const batch of batches) {
      if (lines.length > GROUP_BYTES) break;
      const by = `${this.#writer}.${++this.#counter}`;
      records.push({ by, batch, placed: lines.commit(by, batch) });
    }
    const segment = this.#segment;
    const before = segment.size;
    const failure = this.#append(lines);
    this.stats.groups++;
    return { records, segment, before, length: lines.length, failure };
  }

  /**
   * The verdict on each record of the last write. Does not wait for a sync, so that a sync may be under way already: it
   * covers the records, and all that lies before them and decides over them.
   */
  judge(written: Written): readonly Verdict[] {
    const { records, segment, before, length, failure } = written;
    const end = before + length;
    if (failure === undefined && segment.folded === before && this.#grewOnlyTo(end)) {
      segment.size = segment.folded = end;
      this.#covered = this.position;
      this.#undisturbed++;
      this.stats.commits += records.length;
      return records.map(({ batch, placed }) => this.#apply(before, placed, batch));
    }

    for (const { by } of records) this.#verdicts.set(by, 'again');
    try {
      this.catchUp();
      return records.map(({ by }) => {
        const verdict = this.#verdicts.get(by) ?? 'again';
        if (verdict === 'again' && this.#segment === segment) return failure ?? goneFrom(segment.path, 'written over');
        if (typeof verdict === 'number') this.stats.commits++;
        if (verdict === 'void') this.stats.voids++;
        return verdict;
      });
    } finally {
      this.#verdicts.clear();
    }
  }

  /**
   * Ends the current segment. Returns the rows at its end if it was this process that ended it, and `undefined` if
   * another did or there was no room for a next one: the log goes on either way.
   */
  seal(): Cut | undefined {
    const old = this.#segment;
    const next = this.directory.createSegment(old.ordinal + 1);
    const lines = this.#lines;
    lines.clear();
    lines.say({ by: `${this.#writer}.${++this.#counter}`, seal: next });
    this.#sealing = next;
    try {
      this.#append(lines);
      this.catchUp();
    } finally {
      this.#sealing = undefined;
    }
    // The log may be two segments further by now. Only what `old` goes on with tells whose the new file is.
    if (old.successor !== next) this.directory.remove(next);
    else this.stats.seals++;
    const cut = this.#cut;
    this.#cut = undefined;
    return cut;
  }

  /** Whether the next sync is waited for in place. */
  get syncsInPlace(): boolean {
    return this.directory.files.datasyncNow !== undefined && this.#pace.isQuick;
  }

  /**
   * Calls back when everything folded so far is on disk: before it returns, if it `syncsInPlace`. One at a time. A
   * failure is final: nobody can know what was lost.
   */
  sync(done: (error: unknown) => void): void {
    this.#covered = this.position;
    const current = this.#segment;
    const sealed = [...this.#unsynced];
    const next = (): void => {
      const file = sealed.shift() ?? current;
      const inPlace = this.syncsInPlace;
      this.stats.syncs++;
      const synced = (error: unknown): void => {
        if (error) return done(failed(`cannot sync ${file.path}`, error));
        if (file !== current) {
          this.#unsynced.delete(file);
          if (!this.#older.includes(file)) file.close();
          return next();
        }
        this.durable = Math.max(this.durable, this.#covered);
        done(undefined);
      };
      if (inPlace) synced(this.#syncNow(file));
      else {
        this.#pace.passed();
        this.directory.files.datasync(file.descriptor, synced);
      }
    };
    next();
  }

  /** Answers what went wrong. */
  #syncNow(file: LogFile): unknown {
    const start = performance.now();
    try {
      this.directory.files.datasyncNow?.(file.descriptor);
    } catch (error) {
      return error;
    }
    this.#pace.took(performance.now() - start);
    return undefined;
  }

  /** The keys others changed since the last call; `unknown` if this process lost track. */
  takeForeign(): readonly Key[] | 'unknown' {
    const foreign = this.#foreign;
    if (foreign === 'unknown' || foreign.length > 0) this.#foreign = [];
    return foreign;
  }

  /** Moves over to the snapshot that replaced the older files, if there is one, so that their space is returned. */
  adopt(): void {
    const { directory, rows } = this;
    const { ordinal } = this.#segment;
    if (this.#older.every((file) => file.ordinal === ordinal)) return;
    const path = directory.at(snapshotName(ordinal));
    if (!directory.files.stat(path)) return;
    const snapshot = this.#open(path, { ordinal, base: 0 });
    readSnapshot(snapshot, ({ key, version, place }) => {
      const row = rows.get(key);
      if (row?.version === version) Object.assign(row, { source: snapshot, offset: place.offset });
    });
    this.#replaceOlder([snapshot]);
  }

  close(): void {
    for (const file of [...this.#older, ...this.#unsynced, this.#segment]) file.close();
  }

  #append(lines: Lines): FuselineError | undefined {
    const segment = this.#segment;
    try {
      const written = segment.append(lines);
      this.stats.bytesWritten += written;
      if (written === lines.length) return undefined;
      // What is missing may not be written now: others may have appended in between.
      const cause = Object.assign(new Error(`${written} of ${lines.length} bytes were written`), { code: 'ENOSPC' });
      return failed(`cannot write to ${segment.path}`, cause);
    } catch (error) {
      return failed(`cannot write to ${segment.path}`, error);
    }
  }

  #grewOnlyTo(size: number): boolean {
    const status = this.#segment.status();
    return status.size === size && status.nlink > 0;
  }

  /** An own record that nothing came before since the rows were last looked at. */
  #apply(at: number, { start, values }: Placed, batch: Batch): number {
    const source = this.#segment;
    const version = source.base + at + start;
    for (const key of batch.delete ?? []) this.rows.delete(key);
    if (batch.delete && batch.delete.length > 0) this.lastDelete = version;
    batch.put?.forEach(({ key, value }, i) => {
      const { offset, length } = values[i] as Placed['values'][number];
      this.#put(key, version, { source, offset: at + offset, length }, () => value);
    });
    return version;
  }

  #put(key: Key, version: number, place: Place, text: () => string): void {
    const file = place.source as LogFile;
    const row = this.rows.put(key, version, place, place.length <= RESIDENT_LENGTH ? text() : undefined);
    if (row.text !== undefined && place.length > ALWAYS_RESIDENT_LENGTH) file.resident.push(row);
  }

  #foldTo(size: number): void {
    const segment = this.#segment;
    for (const found of segment.lines(size)) {
      const { line, at, end, ended } = found;
      if (line.kind === 'damaged') throw damaged(segment.path, at);
      if (line.kind === 'torn' || line.kind === 'lost') {
        // Without a newline it may still be growing.
        if (!ended) break;
        this.stats.torn++;
        if (line.kind === 'torn') this.#losses.skipTorn(segment.base + at);
        else this.#losses.skipZeros(segment.base + at, segment.base + end);
      }
      if (line.kind === 'record') {
        if (at === HEADER_AT) checkFormat(line.head, segment.path);
        else if (line.head.seal !== undefined) return this.#follow(line.head.seal, end);
        else this.#fold(found, line.head, line.valuesAt);
      }
      segment.folded = end;
    }
    if (segment.folded <= HEADER_AT) throw damaged(segment.path, 0);
    segment.size = size;
  }

  #fold({ at, end, bytes, start }: FoundLine, head: Head, valuesAt: number): void {
    const segment = this.#segment;
    const { by, expect, put = [], delete: gone = [] } = head;
    if (by === undefined) return checkFormat(head, segment.path);
    const version = segment.base + at;
    const met = this.rows.meet(expect);
    const proof = met ? undefined : this.#losses.proofIn(expect, this.rows);
    if (proof !== undefined) throw lost(segment.path, at, proof);
    if (this.#verdicts.has(by)) {
      this.#verdicts.set(by, met ? version : 'void');
      this.#covered = segment.base + end;
    } else if (met) this.#noteForeign(put, gone);
    if (!met) return;
    for (const key of gone) this.rows.delete(key);
    if (gone.length > 0) this.lastDelete = version;
    let offset = valuesAt;
    for (const [key, length] of put) {
      const from = offset;
      const place = { source: segment, offset: at - start + from, length };
      this.#put(key, version, place, () => decodeValue(bytes.subarray(from, from + length)));
      offset += length + 1;
    }
  }

  #noteForeign(put: NonNullable<Head['put']>, gone: readonly Key[]): void {
    this.#undisturbed = 0;
    if (this.#foreign === 'unknown') return;
    for (const [key] of put) this.#foreign.push(key);
    for (const key of gone) this.#foreign.push(key);
  }

  #follow(name: string, end: number): void {
    const { directory } = this;
    const old = this.#segment;
    const ordinal = segmentOrdinal(name);
    if (ordinal === undefined) throw damaged(old.path, end);
    const base = old.base + end;
    if (name === this.#sealing) this.#cut = { ordinal, next: name, base, rows: this.rows.all() };
    let next: LogFile | undefined;
    try {
      next = this.#open(directory.at(name), { ordinal, base });
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw failed(`cannot continue the log in ${directory.at(name)}`, error);
    }
    old.successor = name;
    old.folded = end;
    old.size = end;
    this.#unsynced.add(old);
    // Without the next segment: it was sealed and compacted as well, while this process slept.
    if (!next) return this.#load();
    this.#older.push(old);
    for (const row of old.resident) row.text = undefined;
    old.resident = [];
    this.#segment = next;
  }

  /** Starts over from the newest snapshot, or from the first segment where there is none. */
  #load(): void {
    const { directory } = this;
    let missing: unknown;
    for (let attempt = 0; attempt < RELOAD_ATTEMPTS; attempt++) {
      const opened: LogFile[] = [];
      try {
        const rows = new Rows();
        const newest = directory.newestSnapshot();
        let start = { next: this.#first, ordinal: 1, base: 0 };
        if (newest) {
          const { ordinal } = newest;
          const snapshot = this.#open(directory.at(newest.name), { ordinal, base: 0 });
          opened.push(snapshot);
          const end = readSnapshot(snapshot, ({ key, version, place, text }) => {
            rows.put(key, version, place, place.length <= ALWAYS_RESIDENT_LENGTH ? text() : undefined);
          });
          start = { ...end, ordinal };
        }
        const segment = this.#open(directory.at(start.next), start);
        this.rows = rows;
        this.#segment = segment;
        this.#replaceOlder(opened);
        this.#foreign = 'unknown';
        this.durable = Math.max(this.durable, segment.base);
        return;
      } catch (error) {
        for (const file of opened) file.close();
        if (!hasCode(error, 'ENOENT')) throw failed(`cannot read the storage in ${directory.path}`, error);
        // A compaction was faster, and there is a newer snapshot by now.
        missing = error;
      }
    }
    throw new FuselineError(
      directory.files.stat(directory.path) ? 'STORAGE_CORRUPT' : 'STORAGE_FAILED',
      `a part of the storage in ${directory.path} is missing (${(missing as Error).message}); restore the directory from a backup`,
      { cause: missing },
    );
  }

  #replaceOlder(files: LogFile[]): void {
    for (const file of this.#older) if (!this.#unsynced.has(file)) file.close();
    this.#older = files;
  }

  #open(path: string, position: Position): LogFile {
    return new LogFile(this.directory.files, path, position, this.stats);
  }
}
