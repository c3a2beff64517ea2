import { SortedMap } from '../../core/sorted-map.ts';
import type { Batch, Entry, Key, Range } from '../../core/store.ts';
import type { Head } from './record.ts';

/** The file that holds a value's text. */
export interface ValueSource {
  readValue(offset: number, length: number): string;
}

/** What is stored under a key. The text may be left on disk. */
export interface Row {
  readonly version: number;
  text: string | undefined;
  source: ValueSource;
  offset: number;
  readonly length: number;
}

export interface Place {
  readonly source: ValueSource;
  readonly offset: number;
  readonly length: number;
}

/** A row costs about this much of a snapshot beside its key and its value. */
const ROW_BYTES = 70;

/**
 * The state that follows from the records read so far, and the rule that decides over a record: it happened if every
 * version it expects is the current one. Everybody who reads the same records in the same order comes to the same rows.
 */
export class Rows {
  readonly #rows = new SortedMap<Row>();
  /** What a snapshot of these rows would take, roughly. */
  bytes = 0;

  meet(expect: Head['expect']): boolean {
    return expect === undefined || expect.every(([key, version]) => (this.#rows.get(key)?.version ?? null) === version);
  }

  meetBatch({ expect }: Batch): boolean {
    return expect === undefined || expect.every(({ key, version }) => this.#rows.get(key)?.version === version);
  }

  version(key: Key): number | undefined {
    return this.#rows.get(key)?.version;
  }

  get(key: Key): Row | undefined {
    return this.#rows.get(key);
  }

  put(key: Key, version: number, { source, offset, length }: Place, text: string | undefined): Row {
    const row = { version, text, source, offset, length };
    const old = this.#rows.get(key);
    this.bytes += old ? length - old.length : key.length + length + ROW_BYTES;
    this.#rows.set(key, row);
    return row;
  }

  delete(key: Key): void {
    const old = this.#rows.get(key);
    if (!old) return;
    this.bytes -= key.length + old.length + ROW_BYTES;
    this.#rows.delete(key);
  }

  scan({ from, to, limit, order }: Range): (readonly [Key, Row])[] {
    return [...this.#rows.range(from, to, limit, order)];
  }

  all(): (readonly [Key, Row])[] {
    return [...this.#rows.entries()];
  }
}

export function textOf(row: Row): string {
  return row.text ?? row.source.readValue(row.offset, row.length);
}

export function entryOf(key: Key, row: Row): Entry {
  return { key, value: textOf(row), version: row.version };
}
