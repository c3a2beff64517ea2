import { constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Key, Range } from '../../core/store.ts';
import { Block, type TableLine } from './block.ts';
import type { Directory } from './directory.ts';
import { damaged, failed } from './failure.ts';
import { mayHold } from './key-filter.ts';
import type { Recent } from './recent.ts';
import { type Head, type ListedBlock, type ListedPage, type ListedTable, readLine } from './record.ts';

/** Tells of some blocks which keys they begin with, and which they cannot hold. */
interface Page {
  readonly blocks: readonly PlacedBlock[];
  readonly filter: Uint8Array;
}

interface PlacedBlock {
  readonly first: Key;
  readonly offset: number;
  readonly bytes: number;
  readonly checksum: number;
}

/** Pages and blocks of any table, read lately. */
export type RecentPieces = Recent<ListedPage | PlacedBlock, Page | Block>;

/**
 * A file of sorted lines, searched where it lies: its last line finds the page for a key, the page finds the block, and
 * nothing else is read. Says what a key is from the table on, or that the table does not speak of it. Whatever is read
 * is held against its checksum, so that a table answers truly or refuses with `STORAGE_CORRUPT`.
 */
export class Table {
  readonly listed: ListedTable;
  readonly #path: string;
  readonly #directory: Directory;
  readonly #fd: number;
  readonly #recent: RecentPieces;
  readonly #meter: { bytesRead: number };
  readonly #pages: readonly ListedPage[];

  constructor(directory: Directory, listed: ListedTable, recent: RecentPieces, meter: { bytesRead: number }) {
    this.listed = listed;
    this.#path = directory.at(listed.name);
    this.#directory = directory;
    this.#recent = recent;
    this.#meter = meter;
    this.#fd = directory.files.open(this.#path, constants.O_RDONLY);
    try {
      const { root, bytes } = listed;
      if (directory.files.fstat(this.#fd).size !== bytes) throw damaged(this.#path, bytes);
      const { pages } = this.#readHead(root, bytes - root);
      if (!pages) throw damaged(this.#path, root);
      this.#pages = pages;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** `false` for nearly all keys the table does not speak of, mostly without a look at the disk. */
  mayHold(key: Key, hash: number): boolean {
    const page = this.#pageOf(key);
    return page !== undefined && mayHold(page.filter, hash);
  }

  find(key: Key, hash: number): TableLine | undefined {
    const page = this.#pageOf(key);
    if (!page || !mayHold(page.filter, hash)) return undefined;
    const placed = page.blocks[lastNotAfter(page.blocks, ({ first }) => first, key)];
    if (!placed) return undefined;
    const block = this.#block(placed);
    const at = block.indexOf(key);
    if (at === block.length) return undefined;
    const line = block.line(at);
    return line.key === key ? line : undefined;
  }

  /** `folder` is the hash of one that all of the range lies in, if there is one. */
  *range({ from, to, order = 'ascending' }: Range, folder?: number): Generator<TableLine, void, undefined> {
    const upwards = order === 'ascending';
    const step = upwards ? 1 : -1;
    const seam = upwards ? from : to;
    let isEntered = false;
    for (
      let p = Math.max(
        0,
        lastNotAfter(this.#pages, ([first]) => first, seam),
      );
      ;
      p += step
    ) {
      const listed = this.#pages[p];
      if (!listed || (upwards && listed[0] >= to)) return;
      const { blocks, filter } = this.#page(listed);
      if (folder === undefined || mayHold(filter, folder)) {
        let b = upwards ? 0 : blocks.length - 1;
        if (!isEntered)
          b = Math.max(
            0,
            lastNotAfter(blocks, ({ first }) => first, seam),
          );
        for (; blocks[b]; b += step) {
          const block = this.#block(blocks[b] as PlacedBlock);
          const end = upwards ? 0 : block.length;
          const edge = isEntered ? end : block.indexOf(seam);
          isEntered = true;
          for (let i = upwards ? edge : edge - 1; i >= 0 && i < block.length; i += step) {
            const line = block.line(i);
            if (upwards ? line.key >= to : line.key < from) return;
            yield line;
          }
        }
      }
      if (!upwards && listed[0] <= from) return;
      isEntered = true;
    }
  }

  /** All of it, in order, past what was read lately. */
  *lines(): Generator<TableLine, void, undefined> {
    for (const listed of this.#pages) {
      for (const placed of this.#readPage(listed).blocks) yield* this.#readBlock(placed).lines();
    }
  }

  close(): void {
    this.#directory.files.close(this.#fd);
  }

  #pageOf(key: Key): Page | undefined {
    const listed = this.#pages[lastNotAfter(this.#pages, ([first]) => first, key)];
    return listed && this.#page(listed);
  }

  #page(listed: ListedPage): Page {
    const page = (this.#recent.get(listed) as Page | undefined) ?? this.#readPage(listed);
    this.#recent.keep(listed, page, listed[2]);
    return page;
  }

  #block(placed: PlacedBlock): Block {
    const block = (this.#recent.get(placed) as Block | undefined) ?? this.#readBlock(placed);
    this.#recent.keep(placed, block, placed.bytes);
    return block;
  }

  #readPage([, offset, bytes]: ListedPage): Page {
    const { blocks, filter } = this.#readHead(offset, bytes);
    if (!blocks || filter === undefined) throw damaged(this.#path, offset);
    let at = blocks.reduce((start, [, length]) => start - length, offset);
    const placed = blocks.map(([first, length, checksum]: ListedBlock): PlacedBlock => {
      const block = { first, offset: at, bytes: length, checksum };
      at += length;
      return block;
    });
    return { blocks: placed, filter: Buffer.from(filter, 'base64') };
  }

  #readBlock({ offset, bytes, checksum }: PlacedBlock): Block {
    const read = this.#read(offset, bytes);
    if (crc32(read) !== checksum) throw damaged(this.#path, offset);
    return new Block(read);
  }

  /** Of a line that stands there with its newlines. */
  #readHead(offset: number, bytes: number): Head {
    const read = this.#read(offset, bytes);
    const line = readLine(read, 1, Math.max(1, read.length - 1), offset + 1, undefined);
    if (line.kind !== 'record') throw damaged(this.#path, offset);
    return line.head;
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    let read = 0;
    try {
      read = this.#directory.files.read(this.#fd, bytes, length, offset);
    } catch (error) {
      throw failed(`cannot read ${this.#path}`, error);
    }
    this.#meter.bytesRead += read;
    if (read < length) throw damaged(this.#path, offset + read);
    return bytes;
  }
}

/** Of the last one that begins at or before a key; `-1` if none does. */
function lastNotAfter<T>(sorted: readonly T[], first: (one: T) => Key, key: Key): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (first(sorted[middle] as T) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
