import { crc32 } from 'node:zlib';
import type { Batch, Key } from '../../core/store.ts';

/**
 * One line of a log or snapshot. On disk: `\n{"crc":"1a2b3c4d",…,"values":[…]}\t\n`, a line of JSON that `tail -f` and
 * `jq` can read. The checksum covers everything after itself, up to the closing brace.
 *
 * Several processes append to one file, and any of them may die in the middle of a write. The leading newline keeps a
 * record apart from whatever torn piece lies before it. The tab is the terminator: JSON has no raw tab inside, and no
 * leading newline of a later record can supply it, so a record is complete from its tab on and never before.
 */
export type Line =
  | { readonly kind: 'record'; readonly head: Head; readonly valuesAt: number }
  | { readonly kind: 'blank' }
  /** A beginning without an end: its writer died, or the disk was full. */
  | { readonly kind: 'torn' }
  /**
   * Sectors of zeros: a power cut took away what nobody had synced. So many bytes before the zeros are the beginning of
   * a record that never had an end.
   */
  | { readonly kind: 'lost'; readonly torn: number }
  /** Neither a record nor the beginning of one: a crash does not leave this behind. */
  | { readonly kind: 'damaged' };

/** What a record says before its values come. `put` holds the length of each value in bytes. */
export interface Head {
  /** In the first line of a file: the version of this format. */
  readonly fuseline?: number;
  /** Which segment comes first, or goes on where a catalogue or snapshot ends, and its base. */
  readonly next?: string;
  readonly base?: number;
  /** In a table or snapshot: the version of the row. */
  readonly at?: number;
  /** In a snapshot's last line: how many rows it has. */
  readonly end?: number;
  /** In a catalogue: the tables, from the oldest on. */
  readonly tables?: readonly ListedTable[];
  /** In a page of a table: its blocks, and a filter of their keys in base64. */
  readonly blocks?: readonly ListedBlock[];
  readonly filter?: string;
  /** In a table's last line. */
  readonly pages?: readonly ListedPage[];
  /** In a log: who wrote it, as `writer.counter`. */
  readonly by?: string;
  /** This segment ends here and goes on in that one. */
  readonly seal?: string;
  readonly expect?: readonly (readonly [key: Key, version: number | null])[];
  readonly put?: readonly (readonly [key: Key, bytes: number])[];
  readonly delete?: readonly Key[];
}

export interface ListedTable {
  readonly name: string;
  readonly bytes: number;
  /** Where its last line begins. */
  readonly root: number;
  /** So many bytes of the tables below it are dead because of it. */
  readonly dead: number;
}

/** Blocks lie one behind the other, and end where their page begins. */
export type ListedBlock = readonly [first: Key, bytes: number, checksum: number];
export type ListedPage = readonly [first: Key, offset: number, bytes: number];

/** Where `Lines` put a record: offsets from the start of its buffer. */
export interface Placed {
  /** Of the opening brace, which is the record's position. */
  readonly start: number;
  readonly values: readonly { readonly offset: number; readonly length: number }[];
}

/** Format 1 had no tables; what else it wrote is read and continued. */
export const FORMAT_VERSION = 2;

const NEWLINE = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPENING = Buffer.from('{"crc":"');
const BODY = OPENING.length + '1a2b3c4d",'.length;
const VALUES = Buffer.from(',"values":[');
/** What a line has beside its body: newline, opening, checksum, tab, newline. */
const FRAME = BODY + 3;
const MAX_BYTES_PER_UNIT = 3;
const SECTOR = 512;
const CHECKSUM_DIGITS = 8;
const HEX_DIGITS = '0123456789abcdef';
// biome-ignore-start lint/suspicious/noControlCharactersInRegex: these are what must not stand raw in a line.
const BEYOND_ASCII = /[^\u0020-\u007e]/;
const NEVER_RAW = /[\u0000-\u001f\ud800-\udfff]/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: see above.
const QUOTE_FREE = /^[\u0020!#-[\]-\u007e]*$/;
const USUAL_BUFFER = 64 * 1024;

/** A buffer that records are written into, one after another, to leave in one write. */
export class Lines {
  #buffer = Buffer.allocUnsafe(USUAL_BUFFER);
  length = 0;

  /** Its first `length` bytes are the lines. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  clear(): void {
    this.length = 0;
    if (this.#buffer.length > 16 * USUAL_BUFFER) this.#buffer = Buffer.allocUnsafe(USUAL_BUFFER);
  }

  commit(by: string, { expect = [], put = [], delete: gone = [] }: Batch): Placed {
    let fields = `"by":"${by}"`;
    if (expect.length > 0) {
      let conditions = '';
      for (const { key, version } of expect) conditions += `,[${quoted(key)},${version ?? null}]`;
      fields += `,"expect":[${conditions.slice(1)}]`;
    }
    if (gone.length > 0) fields += `,"delete":${JSON.stringify(gone)}`;
    return this.#add(fields, put);
  }

  row(key: Key, version: number, value: string): Placed {
    return this.#add(`"at":${version}`, [{ key, value }]);
  }

  /** That a key which lies below is gone. */
  gone(key: Key): void {
    this.#addLine(`"delete":[${quoted(key)}]}`, []);
  }

  /** Lines as they stand in a table. */
  copy(bytes: Buffer, from: number, to: number): void {
    this.#reserve(this.length + to - from);
    bytes.copy(this.#buffer, this.length, from, to);
    this.length += to - from;
  }

  say(head: Head): Placed {
    return this.#add(JSON.stringify(head).slice(1, -1), []);
  }

  #add(fields: string, put: NonNullable<Batch['put']>): Placed {
    if (put.length === 0) return this.#addLine(`${fields}}`, []);
    let sizes = '';
    let values = '';
    const lengths: number[] = [];
    for (const { key, value } of put) {
      const { text, length } = encodeValue(value);
      lengths.push(length);
      sizes += `,[${quoted(key)},${length}]`;
      values += `,${text}`;
    }
    return this.#addLine(`${fields},"put":[${sizes.slice(1)}],"values":[${values.slice(1)}]}`, lengths);
  }

  #addLine(body: string, lengths: readonly number[]): Placed {
    this.#reserve(this.length + FRAME + MAX_BYTES_PER_UNIT * body.length);
    const start = this.length + 1;
    this.length += this.#buffer.write(`\n{"crc":"${hex(crc32(body))}",${body}\t\n`, this.length);
    // The values end before the two closing brackets and the two last bytes, with commas between.
    let offset = this.length - 3;
    for (const length of lengths) offset -= length + 1;
    const values = lengths.map((length) => {
      const at = offset;
      offset += length + 1;
      return { offset: at, length };
    });
    return { start, values };
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }
}

/**
 * Judges the line `bytes[start, end)`, newline excluded, that lies at `position` in its file.
 *
 * Four things may be found between newlines after crashes: records, nothing, beginnings of records, and sectors of
 * zeros where a power cut took away what nobody had synced. Anything else was altered after it was written.
 */
export function readLine(bytes: Buffer, start: number, end: number, position: number, next: number | undefined): Line {
  if (start === end) return { kind: 'blank' };
  const line = bytes.subarray(start, end);
  const opened = beginsLikeRecord(line);
  if (opened && line[line.length - 1] === TAB && line.length > BODY + 1 && checks(line, line.length - 1)) {
    return { kind: 'record', ...readHead(bytes, start, end) };
  }
  if (line[0] === SPACE && line.every((byte) => byte === SPACE)) return { kind: 'blank' };
  if (line.includes(0)) return readZeros(line, position);
  if (!opened || line.includes(TAB)) return { kind: 'damaged' };
  // Whole but for its tab: a write may end just there, but then the next record's newline comes alone.
  if (checks(line, line.length - 1) || (checks(line, line.length) && next === NEWLINE)) return { kind: 'damaged' };
  return { kind: 'torn' };
}

/** What a whole line says, whose checksum was verified, its own or that of the block it stands in. */
export function readHead(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly head: Head; readonly valuesAt: number } {
  const mark = bytes.indexOf(VALUES, start + BODY);
  const isPlain = mark < 0 || mark >= end;
  const head = JSON.parse(`{${bytes.toString('utf8', start + BODY, isPlain ? end - 2 : mark)}}`);
  return { head, valuesAt: isPlain ? end : mark + VALUES.length };
}

export function decodeValue(bytes: Buffer): string {
  return bytes[0] === QUOTE ? JSON.parse(bytes.toString()) : bytes.toString();
}

/** Objects and arrays stand in the line as they are, everything else as a JSON string. `length` is in bytes. */
function encodeValue(value: string): { readonly text: string; readonly length: number } {
  const first = value[0];
  const last = value[value.length - 1];
  if ((first === '{' && last === '}') || (first === '[' && last === ']')) {
    if (!BEYOND_ASCII.test(value)) return { text: value, length: value.length };
    if (!NEVER_RAW.test(value)) return { text: value, length: Buffer.byteLength(value) };
  }
  const text = JSON.stringify(value);
  return { text, length: Buffer.byteLength(text) };
}

function quoted(key: Key): string {
  return QUOTE_FREE.test(key) ? `"${key}"` : JSON.stringify(key);
}

function beginsLikeRecord(line: Buffer): boolean {
  const length = Math.min(line.length, OPENING.length);
  return line.compare(OPENING, 0, length, 0, length) === 0;
}

function checks(line: Buffer, end: number): boolean {
  if (end <= BODY) return false;
  return saysChecksum(line, crc32(line.subarray(BODY, end)));
}

/** Digit by digit: a string for each line that is read would cost more than its checksum. */
function saysChecksum(line: Buffer, checksum: number): boolean {
  for (let i = 0; i < CHECKSUM_DIGITS; i++) {
    const digit = HEX_DIGITS.charCodeAt((checksum >>> (4 * (CHECKSUM_DIGITS - 1 - i))) & 0xf);
    if (line[OPENING.length + i] !== digit) return false;
  }
  return true;
}

/**
 * Every run of zeros must cover whole sectors, as far as the line reaches. One may begin inside a sector, behind a torn
 * piece: there the file ended when that sector was written last. One zero alone there is a changed byte.
 */
function readZeros(line: Buffer, position: number): Line {
  let torn = 0;
  for (let behind = 0, from = line.indexOf(0); from >= 0; ) {
    const piece = line.subarray(behind, from);
    let to = from;
    while (to < line.length && line[to] === 0) to++;
    if (to < line.length && (position + to) % SECTOR !== 0) return { kind: 'damaged' };
    if (from > 0 && (position + from) % SECTOR !== 0) {
      // Behind other zeros it is the rest of a record that is lost anyway.
      if (to - from === 1 || !(behind === 0 ? isTorn(piece) : !piece.includes(TAB))) return { kind: 'damaged' };
      if (behind === 0) torn = from;
    }
    behind = to;
    from = line.indexOf(0, to);
  }
  return { kind: 'lost', torn };
}

function isTorn(piece: Buffer): boolean {
  return beginsLikeRecord(piece) && !piece.includes(TAB) && !checks(piece, piece.length);
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(CHECKSUM_DIGITS, '0');
}
