import type { FuselineError } from '../../core/errors.ts';
import type { Batch, Key } from '../../core/store.ts';
import { type Catalogue, newestCatalogue } from './catalogue.ts';
import { checkFormat, type Directory } from './directory.ts';
import { damaged, failed, goneFrom, lost } from './failure.ts';
import { segmentOrdinal, suffix } from './file-names.ts';
import { hasCode } from './files.ts';
import { type FoundLine, LogFile } from './log-file.ts';
import { type LogStats, noStats } from './log-stats.ts';
import { Losses } from './losses.ts';
import { openLog } from './opening.ts';
import { Recent } from './recent.ts';
import { decodeValue, type Head, Lines, type Placed } from './record.ts';
import type { Place } from './row.ts';
import type { Rows } from './rows.ts';
import { Syncs } from './syncs.ts';
import type { Cut } from './table-work.ts';
import { openTables, type Reading } from './tables.ts';

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
  readonly buried: ReadonlySet<Key>;
}

/** Longer values stay on disk. */
const RESIDENT_LENGTH = 1024;
/** Of the tables, in memory. */
const RECENT_BYTES = 16 * 1024 * 1024;
const GROUP_BYTES = 64 * 1024 * 1024;
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
 * Segments whose rows are in tables may be gone. A process that slept through that still finds the seal in the file it
 * holds open, therefore never takes a record behind it for committed.
 */
export class Log {
  readonly stats: LogStats = noStats();
  /** Position of the last record that deleted something. */
  lastDelete = 0;
  rows!: Rows;
  readonly directory: Directory;
  readonly syncs: Syncs;
  readonly #reading: Reading;
  readonly #first: string;
  readonly #writer = suffix();
  #counter = 0;
  readonly #lines = new Lines();
  #segment!: LogFile;
  /** The tables below the rows in memory; `undefined` while there are none. */
  #catalogue: Catalogue | undefined;
  /** What came before the current segment and still holds rows: sealed segments, perhaps a snapshot. */
  #older: readonly LogFile[] = [];
  readonly #losses = new Losses();
  readonly #verdicts = new Map<string, Verdict>();
  #foreign: Key[] | 'unknown' = [];
  /** Own writes in a row that nobody else's record came between. */
  #undisturbed = 0;
  /** The segment a seal of this process would lead to, and the changes up to the seal once it did. */
  #sealing: string | undefined;
  #cut: Cut | undefined;

  constructor(directory: Directory) {
    this.directory = directory;
    this.#first = directory.prepare();
    this.#reading = { directory, recent: new Recent(RECENT_BYTES), meter: this.stats };
    this.syncs = new Syncs(directory.files, this.stats);
    this.#load();
    this.catchUp();
    this.#foreign = [];
  }

  get position(): number {
    return this.#segment.base + this.#segment.folded;
  }

  get segment(): LogFile {
    return this.#segment;
  }

  /** So much lies before the current segment and is in no table. */
  get sealedBytes(): number {
    return this.#older.reduce((sum, { size }) => sum + size, 0);
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
      // Asked before anything is written: the answer may have to come from the disk, which may fail.
      const buried = this.rows.buried(batch.delete ?? []);
      records.push({ by, batch, placed: lines.commit(by, batch), buried });
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
      this.syncs.covered = this.position;
      this.#undisturbed++;
      this.stats.commits += records.length;
      return records.map((record) => this.#apply(before, record));
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
   * Ends the current segment. Returns what changed up to its end if it was this process that ended it, and `undefined`
   * if another did or there was no room for a next one: the log goes on either way.
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

  /** Calls back when everything folded so far is on disk; see `Syncs`. */
  sync(done: (error: unknown) => void): void {
    this.syncs.sync(this.#segment, this.position, done);
  }

  /** The keys others changed since the last call; `unknown` if this process lost track. */
  takeForeign(): readonly Key[] | 'unknown' {
    const foreign = this.#foreign;
    if (foreign === 'unknown' || foreign.length > 0) this.#foreign = [];
    return foreign;
  }

  /**
   * Moves over to the newest tables, whoever wrote them, so that memory and the space of what they replaced are returned.
   * Tables that reach beyond the current segment have to wait until it is read to its end.
   */
  adopt(): void {
    const newest = newestCatalogue(this.directory);
    if (!newest || newest.generation === this.#catalogue?.generation || newest.base > this.#segment.base) return;
    const { tables } = this.rows;
    this.rows = this.rows.on(openTables(this.#reading, newest.tables, tables), newest.base);
    tables.close(this.rows.tables);
    this.#catalogue = newest;
    const left = this.#older.filter(({ ordinal }) => ordinal < newest.ordinal);
    this.#older = this.#older.filter((file) => !left.includes(file));
    for (const file of left) this.syncs.leave(file);
  }

  close(): void {
    this.syncs.close();
    this.rows.tables.close();
    for (const file of [...this.#older, this.#segment]) file.close();
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
  #apply(at: number, { placed: { start, values }, batch, buried }: OwnRecord): number {
    const source = this.#segment;
    const version = source.base + at + start;
    for (const key of batch.delete ?? []) this.rows.delete(key, version, buried);
    if (batch.delete && batch.delete.length > 0) this.lastDelete = version;
    batch.put?.forEach(({ key, value }, i) => {
      const { offset, length } = values[i] as Placed['values'][number];
      this.#put(key, version, { source, offset: at + offset, length }, () => value);
    });
    return version;
  }

  #put(key: Key, version: number, place: Place, text: () => string): void {
    this.rows.put(key, version, place, place.length <= RESIDENT_LENGTH ? text() : undefined);
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
        if (line.kind === 'torn' || line.torn > 0) this.#losses.skipTorn(segment.base + at);
        if (line.kind === 'lost') this.#losses.skipZeros(segment.base + at + line.torn, segment.base + end);
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
    const buried = this.rows.buried(met ? gone : []);
    const proof = met ? undefined : this.#losses.proofIn(expect, this.rows);
    if (proof !== undefined) throw lost(segment.path, at, proof);
    if (this.#verdicts.has(by)) {
      this.#verdicts.set(by, met ? version : 'void');
      this.syncs.covered = segment.base + end;
    } else if (met) this.#noteForeign(put, gone);
    if (!met) return;
    for (const key of gone) this.rows.delete(key, version, buried);
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
    let next: LogFile | undefined;
    try {
      next = new LogFile(directory.files, directory.at(name), { ordinal, base }, this.stats);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw failed(`cannot continue the log in ${directory.at(name)}`, error);
    }
    old.successor = name;
    old.folded = end;
    old.size = end;
    this.syncs.sealed(old);
    // Without the next segment: it was sealed and became a table as well, while this process slept.
    if (!next) return this.#load();
    this.#older = [...this.#older, old];
    this.#segment = next;
    this.rows.seal(base);
    if (name !== this.#sealing) return this.rows.forgetTexts();
    this.#cut = { next: name, base, floor: this.#catalogue?.base ?? 0, changes: this.rows.changes() };
  }

  /** Starts over from the newest tables. */
  #load(): void {
    const opened = openLog(this.#reading, this.#first);
    this.rows?.tables.close();
    for (const file of this.#older) this.syncs.leave(file);
    // None at the first load.
    if (this.#segment) this.syncs.leave(this.#segment);
    this.rows = opened.rows;
    this.#segment = opened.segment;
    this.#catalogue = opened.catalogue;
    this.#older = opened.older;
    this.#foreign = 'unknown';
    this.syncs.durable = Math.max(this.syncs.durable, opened.segment.base);
  }
}
