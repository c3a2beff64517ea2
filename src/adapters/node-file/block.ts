import type { Key } from '../../core/store.ts';
import { decodeValue, type Lines, readHead } from './record.ts';
import type { Found, ValueSource } from './row.ts';

const NEWLINE = 0x0a;

/** A line of a block, its newlines included. */
export type TableLine = Found & {
  readonly block: Block;
  readonly from: number;
  readonly to: number;
};

/** A stretch of a table's lines, whose checksum was verified as a whole. Lines are parsed when they are asked for. */
export class Block implements ValueSource {
  readonly #bytes: Buffer;
  readonly #starts: readonly number[];
  readonly #lines: (TableLine | undefined)[];

  constructor(bytes: Buffer) {
    const starts: number[] = [];
    // A line begins with a newline of its own.
    for (let from = 0; from < bytes.length; from = bytes.indexOf(NEWLINE, from + 1) + 1) starts.push(from);
    this.#bytes = bytes;
    this.#starts = starts;
    this.#lines = starts.map(() => undefined);
  }

  /** How many lines there are. */
  get length(): number {
    return this.#starts.length;
  }

  line(i: number): TableLine {
    const line = this.#lines[i] ?? this.#parse(i);
    this.#lines[i] = line;
    return line;
  }

  *lines(): Generator<TableLine, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.#parse(i);
  }

  /** Of the first line whose key is not before `key`. */
  indexOf(key: Key): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.line(middle).key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  readValue(offset: number, length: number): string {
    return decodeValue(this.#bytes.subarray(offset, offset + length));
  }

  /** Adds a line as it stands here. */
  copy({ from, to }: TableLine, into: Lines): void {
    into.copy(this.#bytes, from, to);
  }

  #parse(i: number): TableLine {
    const from = this.#starts[i] as number;
    const to = this.#starts[i + 1] ?? this.#bytes.length;
    const { head, valuesAt } = readHead(this.#bytes, from + 1, to - 1);
    const place = { block: this, from, to };
    const [put] = head.put ?? [];
    if (!put) return { kind: 'gone', key: head.delete?.[0] ?? '', ...place };
    const [key, length] = put;
    const version = head.at ?? 0;
    return { kind: 'row', key, version, text: undefined, source: this, offset: valuesAt, length, ...place };
  }
}
