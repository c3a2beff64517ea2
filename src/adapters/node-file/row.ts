import type { Entry, Key } from '../../core/store.ts';

/** Holds a value's text. */
export interface ValueSource {
  readValue(offset: number, length: number): string;
}

export interface Place {
  readonly source: ValueSource;
  readonly offset: number;
  readonly length: number;
}

/** What is stored under a key. The text may be left on disk. */
export interface Row extends Place {
  readonly kind: 'row';
  readonly key: Key;
  readonly version: number;
  text: string | undefined;
}

/** What is said of a key: its row, or that the row below is gone. */
export type Found = Row | { readonly kind: 'gone'; readonly key: Key };

export function textOf(row: Row): string {
  return row.text ?? row.source.readValue(row.offset, row.length);
}

export function entryOf(row: Row): Entry {
  return { key: row.key, value: textOf(row), version: row.version };
}
