import { constants } from 'node:fs';
import { FuselineError } from '../../core/errors.ts';
import type { FileStatus, Files } from './files.ts';
import { decodeValue, type Line, type Lines, readLine } from './record.ts';
import type { ValueSource } from './row.ts';

export interface FoundLine {
  readonly line: Line;
  readonly bytes: Buffer;
  /** Where the line starts in `bytes` and in the file. */
  readonly start: number;
  readonly at: number;
  /** Where the next line starts in the file. */
  readonly end: number;
  /** A line without a newline may still be growing. */
  readonly ended: boolean;
}

export interface Position {
  readonly ordinal: number;
  readonly base: number;
}

const CHUNK = 1024 * 1024;

/** An open segment or snapshot: read line by line, appended to, and asked for values it holds. */
export class LogFile implements ValueSource {
  readonly path: string;
  readonly ordinal: number;
  /** What a position in this file adds to, to be unique in the whole log. */
  readonly base: number;
  readonly ino: number;
  /** Everything before is folded into the rows. */
  folded = 0;
  /** As last seen. */
  size = 0;
  /** The segment that follows this one, once it is sealed. */
  successor: string | undefined;
  #fd: number | undefined;
  readonly #files: Files;
  readonly #meter: { bytesRead: number };

  /** Never creates the file: a process that slept while its segment was removed must not bring an empty one to life. */
  constructor(files: Files, path: string, { ordinal, base }: Position, meter: { bytesRead: number }) {
    this.#files = files;
    this.#meter = meter;
    this.path = path;
    this.ordinal = ordinal;
    this.base = base;
    this.#fd = files.open(path, constants.O_RDWR | constants.O_APPEND);
    this.ino = files.fstat(this.#fd).ino;
  }

  get descriptor(): number {
    if (this.#fd === undefined) throw new FuselineError('STORAGE_CLOSED', `${this.path} is closed`);
    return this.#fd;
  }

  append({ buffer, length }: Lines): number {
    return this.#files.write(this.descriptor, buffer, length);
  }

  readValue(offset: number, length: number): string {
    const bytes = Buffer.allocUnsafe(length);
    const read = this.#files.read(this.descriptor, bytes, length, offset);
    this.#meter.bytesRead += read;
    if (read < length)
      throw new FuselineError('STORAGE_FAILED', `${this.path} became shorter while in use; restart this process`);
    return decodeValue(bytes);
  }

  status(): FileStatus {
    return this.#files.fstat(this.descriptor);
  }

  /** The lines from what is folded up to `to`. */
  *lines(to: number): Generator<FoundLine> {
    let from = this.folded;
    let buffer = Buffer.allocUnsafe(Math.min(CHUNK, to - from));
    while (from < to) {
      const read = this.#files.read(this.descriptor, buffer, Math.min(buffer.length, to - from), from);
      this.#meter.bytesRead += read;
      const bytes = buffer.subarray(0, read);
      let start = 0;
      for (let newline = bytes.indexOf('\n'); newline >= 0; newline = bytes.indexOf('\n', start)) {
        const at = from + start;
        const line = readLine(bytes, start, newline, at, bytes[newline + 1]);
        yield { line, bytes, start, at, end: from + newline + 1, ended: true };
        start = newline + 1;
      }
      if (from + read >= to || read === 0) {
        if (start === read) return;
        const line = readLine(bytes, start, read, from + start, undefined);
        return yield { line, bytes, start, at: from + start, end: from + read, ended: false };
      }
      from += start;
      // Read rows keep no part of the buffer, but a line must fit into one.
      if (start === 0) buffer = Buffer.allocUnsafe(2 * buffer.length);
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    this.#files.close(this.#fd);
    this.#fd = undefined;
  }
}
