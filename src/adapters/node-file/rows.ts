import { SortedMap } from '../../core/sorted-map.ts';
import type { Batch, Key, Range } from '../../core/store.ts';
import { overlay } from './overlay.ts';
import type { Head } from './record.ts';
import type { Found, Place, Row } from './row.ts';
import { Tables } from './tables.ts';

/** What is newer than the tables; `version` is the position of the record that said so. */
type Newer = Found & {
  readonly version: number;
  /** The first record since the tables that spoke of the key. */
  readonly since: number;
};

/** All that is newer than the tables, as it was at some position of the log. */
export type Changes = readonly Newer[];

/** Shorter texts stay in memory as long as their rows do. */
export const ALWAYS_RESIDENT_LENGTH = 32;
const NONE: ReadonlySet<Key> = new Set();

/**
 * The state that follows from the records read so far, and the rule that decides over a record: it happened if every
 * version it expects is the current one. Everybody who reads the same records in the same order comes to the same rows.
 *
 * Memory holds what is newer than the tables, and a row on disk is looked for when somebody asks. A key that was deleted
 * is remembered as long as a table may speak of it, now or once the sealed segments have become one.
 */
export class Rows {
  readonly tables: Tables;
  readonly #newer: SortedMap<Newer>;
  /** Where the segment in use begins: what was there then may come to stand in a table. */
  #sealedUpTo: number;

  constructor(tables = new Tables([]), sealedUpTo = 0, newer: SortedMap<Newer> = new SortedMap()) {
    this.tables = tables;
    this.#newer = newer;
    this.#sealedUpTo = sealedUpTo;
  }

  /** How many keys are in memory. */
  get resident(): number {
    return this.#newer.size;
  }

  meet(expect: Head['expect']): boolean {
    return expect === undefined || expect.every(([key, version]) => (this.get(key)?.version ?? null) === version);
  }

  meetBatch({ expect }: Batch): boolean {
    return expect === undefined || expect.every(({ key, version }) => this.get(key)?.version === version);
  }

  get(key: Key): Row | undefined {
    const found: Found | undefined = this.#newer.get(key) ?? this.tables.find(key);
    return found?.kind === 'row' ? found : undefined;
  }

  /** The keys whose deletion must be remembered, as far as the disk knows; to be asked before anything is changed. */
  buried(keys: readonly Key[]): ReadonlySet<Key> {
    const { tables } = this;
    if (tables.isEmpty || keys.length === 0) return NONE;
    return new Set(keys.filter((key) => tables.mayHold(key)));
  }

  put(key: Key, version: number, { source, offset, length }: Place, text: string | undefined): void {
    const since = this.#newer.get(key)?.since ?? version;
    this.#newer.set(key, { kind: 'row', key, version, text, source, offset, length, since });
  }

  delete(key: Key, version: number, buried: ReadonlySet<Key>): void {
    const since = this.#newer.get(key)?.since ?? version;
    if (since < this.#sealedUpTo || buried.has(key)) this.#newer.set(key, { kind: 'gone', key, version, since });
    else this.#newer.delete(key);
  }

  scan(range: Range): readonly Row[] {
    const { from, to, limit = Number.POSITIVE_INFINITY, order } = range;
    const rows: Row[] = [];
    if (limit <= 0 || from >= to) return rows;
    for (const found of this.#found(range, this.#newer.range(from, to, Number.POSITIVE_INFINITY, order))) {
      if (found.kind === 'gone') continue;
      rows.push(found);
      if (rows.length >= limit) break;
    }
    return rows;
  }

  /** The segment in use ended, and the next begins at `position`. */
  seal(position: number): void {
    this.#sealedUpTo = position;
  }

  /** Longer texts are on disk as well. */
  forgetTexts(): void {
    for (const [, newer] of this.#newer.entries()) {
      if (newer.kind === 'row' && newer.length > ALWAYS_RESIDENT_LENGTH) newer.text = undefined;
    }
  }

  changes(): Changes {
    return [...values(this.#newer.entries())];
  }

  /** The same rows on newer tables, which hold all that was said before `position`. */
  on(tables: Tables, position: number): Rows {
    const left = new SortedMap<Newer>();
    for (const [key, newer] of this.#newer.entries()) if (newer.version >= position) left.set(key, newer);
    return new Rows(tables, this.#sealedUpTo, left);
  }

  #found(range: Range, newer: Iterable<readonly [Key, Newer]>): Iterable<Found> {
    if (this.tables.isEmpty) return values(newer);
    return overlay<Found>([values(newer), ...this.tables.ranges(range)], range.order);
  }
}

function* values<V>(entries: Iterable<readonly [Key, V]>): Generator<V, void, undefined> {
  for (const [, value] of entries) yield value;
}
