import type { Key } from '../../core/store.ts';
import { decodeValue, readHead } from './record.ts';
import type { Found, ValueSource } from './rows.ts';

/** A line of a block, its newlines included. */
export type TableLine = Found & {
  readonly block: Block;
  readonly from: number;
  readonly to: number;
};

/** A stretch of a table's lines, whose checksum was verified as a whole. */
export class Block implements ValueSource {
  readonly bytes: Buffer;
  readonly lines: readonly TableLine[];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const lines: TableLine[] = [];
    for (let from = 0; from < bytes.length; ) {
      // A line begins with a newline of its own.
      const newline = bytes.indexOf('\n', from + 1);
      lines.push(this.#line(from, newline));
      from = newline + 1;
    }
    this.lines = lines;
  }

  readValue(offset: number, length: number): string {
    return decodeValue(this.bytes.subarray(offset, offset + length));
  }

  /** Of the first line whose key is not before `key`. */
  indexOf(key: Key): number {
    return firstNotBefore(this.lines, (line) => line.key < key);
  }

  #line(from: number, newline: number): TableLine {
    const { head, valuesAt } = readHead(this.bytes, from + 1, newline);
    const place = { block: this, from, to: newline + 1 };
    const [put] = head.put ?? [];
    if (!put) return { kind: 'gone', key: head.delete?.[0] ?? '', ...place };
    const [key, length] = put;
    const version = head.at ?? 0;
    return { kind: 'row', key, version, text: undefined, source: this, offset: valuesAt, length, ...place };
  }
}

/** Where in a sorted list the first stands that is not `before`; behind the last if there is none. */
export function firstNotBefore<T>(sorted: readonly T[], before: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
