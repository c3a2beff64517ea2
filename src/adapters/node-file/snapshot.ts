import { constants } from 'node:fs';
import { FuselineError } from '../../core/errors.ts';
import type { Key } from '../../core/store.ts';
import { checkFormat, type Directory, snapshotName } from './directory.ts';
import type { LogFile } from './log-file.ts';
import { decodeValue, FORMAT_VERSION, type Head, Lines } from './record.ts';
import { type Place, type Row, textOf } from './rows.ts';

/** The rows as they were where one segment ended and the next begins. */
export interface Cut {
  /** Of the next segment; `base` is its base. */
  readonly ordinal: number;
  readonly next: string;
  readonly base: number;
  readonly rows: readonly (readonly [Key, Row])[];
}

export interface SnapshotRow {
  readonly key: Key;
  readonly version: number;
  readonly place: Place;
  text(): string;
}

const WRITE_BYTES = 256 * 1024;

/**
 * Writes a cut where everybody finds it, then removes the files it replaces. Two processes may do this at once: a cut
 * follows from the log alone, so both write the same. Gives the event loop its turn after every piece, and gives up
 * when `abandoned`.
 */
export async function compact(directory: Directory, cut: Cut, abandoned: () => boolean): Promise<boolean> {
  const { files } = directory;
  const temporary = directory.temporary(cut.ordinal);
  const fd = files.open(
    directory.at(temporary),
    constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND,
  );
  try {
    const lines = new Lines();
    const flush = (): void => {
      // Nobody else writes here, so the rest of a short write may follow; the next one says why it was short.
      for (let done = 0; done < lines.length; ) {
        done += files.write(fd, lines.buffer.subarray(done), lines.length - done);
      }
      lines.clear();
    };
    lines.say({ fuseline: FORMAT_VERSION, next: cut.next, base: cut.base });
    for (const [key, row] of cut.rows) {
      lines.row(key, row.version, textOf(row));
      if (lines.length < WRITE_BYTES) continue;
      flush();
      await new Promise(setImmediate);
      if (abandoned()) return false;
    }
    lines.say({ end: cut.rows.length });
    flush();
    await new Promise<void>((done, fail) => files.datasync(fd, (error) => (error ? fail(error) : done())));
    if (abandoned()) return false;
    directory.publish(temporary, snapshotName(cut.ordinal));
    directory.removeBefore(cut.ordinal);
    return true;
  } finally {
    files.close(fd);
    directory.remove(temporary);
  }
}

/** Reads a snapshot, which is whole or was never published, and tells where the log goes on. */
export function readSnapshot(
  file: LogFile,
  see: (row: SnapshotRow) => void,
): { readonly next: string; readonly base: number } {
  let first: Head | undefined;
  let count = 0;
  file.size = file.status().size;
  for (const { line, bytes, start, at } of file.lines(file.size)) {
    if (line.kind === 'blank') continue;
    if (line.kind !== 'record') break;
    const { head, valuesAt } = line;
    if (!first) {
      checkFormat(head, file.path);
      first = head;
    } else if (head.end === undefined) {
      const [key, length] = head.put?.[0] ?? ['', 0];
      const place = { source: file, offset: at - start + valuesAt, length };
      see({ key, version: head.at ?? 0, place, text: () => decodeValue(bytes.subarray(valuesAt, valuesAt + length)) });
      count++;
    } else if (head.end === count && first.next !== undefined && first.base !== undefined) {
      return { next: first.next, base: first.base };
    }
  }
  throw new FuselineError(
    'STORAGE_CORRUPT',
    `the snapshot ${file.path} is damaged; restore the directory from a backup`,
  );
}
