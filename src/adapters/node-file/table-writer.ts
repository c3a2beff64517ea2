import { crc32 } from 'node:zlib';
import type { Key } from '../../core/store.ts';
import type { Files } from './files.ts';
import { addHashes, filterOf } from './key-filter.ts';
import { FORMAT_VERSION, Lines, type ListedBlock, type ListedPage } from './record.ts';

const WRITE_BYTES = 256 * 1024;
const PAGE_BLOCKS = 128;

/** Writes a table from its first line to its last, with no more of it in memory than a page and a piece to write. */
export class TableWriter {
  readonly #files: Files;
  readonly #fd: number;
  readonly #blockBytes: number;
  readonly #lines = new Lines();
  /** So much lies in the file, and everything in `#lines` behind it. */
  #written = 0;
  #blockAt = 0;
  #first: Key | undefined;
  #blocks: ListedBlock[] = [];
  /** Of this page. */
  #hashes: number[] = [];
  #last: Key = '';
  readonly #pages: ListedPage[] = [];

  constructor(files: Files, fd: number, blockBytes: number) {
    this.#files = files;
    this.#fd = fd;
    this.#blockBytes = blockBytes;
    this.#lines.say({ fuseline: FORMAT_VERSION });
    this.#blockAt = this.#lines.length;
  }

  /** `say` adds one line, of a key behind all that were there. Answers how long the line is. */
  add(key: Key, say: (lines: Lines) => void): number {
    const lines = this.#lines;
    const before = lines.length;
    this.#first ??= key;
    addHashes(this.#hashes, key, this.#last);
    this.#last = key;
    say(lines);
    const added = lines.length - before;
    if (lines.length - this.#blockAt >= this.#blockBytes) this.#endBlock();
    return added;
  }

  /** Answers where the last line begins, and how long the table is. The file still has to be synced. */
  end(): { readonly root: number; readonly bytes: number } {
    this.#endBlock();
    this.#endPage();
    const root = this.#written + this.#lines.length;
    this.#lines.say({ pages: this.#pages });
    this.#flush();
    return { root, bytes: this.#written };
  }

  #endBlock(): void {
    if (this.#first === undefined) return;
    const bytes = this.#lines.buffer.subarray(this.#blockAt, this.#lines.length);
    this.#blocks.push([this.#first, bytes.length, crc32(bytes)]);
    this.#first = undefined;
    if (this.#blocks.length >= PAGE_BLOCKS) this.#endPage();
    if (this.#lines.length >= WRITE_BYTES) this.#flush();
    this.#blockAt = this.#lines.length;
  }

  #endPage(): void {
    const [first] = this.#blocks;
    if (!first) return;
    const before = this.#lines.length;
    this.#lines.say({ blocks: this.#blocks, filter: filterOf(this.#hashes).toString('base64') });
    this.#pages.push([first[0], this.#written + before, this.#lines.length - before]);
    this.#blocks = [];
    this.#hashes = [];
    this.#last = '';
  }

  #flush(): void {
    const { buffer, length } = this.#lines;
    // Nobody else writes here, so the rest of a short write may follow; the next one says why it was short.
    for (let done = 0; done < length; ) {
      done += this.#files.write(this.#fd, buffer.subarray(done), length - done);
    }
    this.#written += length;
    this.#lines.clear();
  }
}
