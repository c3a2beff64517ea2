import { FuselineError } from '../../core/errors.ts';
import { checkFormat } from './directory.ts';
import type { LogFile } from './log-file.ts';
import { decodeValue, type Head } from './record.ts';
import { ALWAYS_RESIDENT_LENGTH, Rows } from './rows.ts';
import { Tables } from './tables.ts';

/**
 * Reads what format 1 had in place of tables: the rows as they were where a segment begins, whole in one file. They are
 * in memory until the next table is written.
 */
export function readSnapshot(file: LogFile): { readonly rows: Rows; readonly next: string; readonly base: number } {
  let first: Head | undefined;
  let rows = new Rows();
  let count = 0;
  file.size = file.status().size;
  for (const { line, bytes, start, at } of file.lines(file.size)) {
    if (line.kind === 'blank') continue;
    if (line.kind !== 'record') break;
    const { head, valuesAt } = line;
    if (!first) {
      checkFormat(head, file.path);
      first = head;
      rows = new Rows(new Tables([]), head.base);
    } else if (head.end === undefined) {
      const [key, length] = head.put?.[0] ?? ['', 0];
      const isShort = length <= ALWAYS_RESIDENT_LENGTH;
      const text = isShort ? decodeValue(bytes.subarray(valuesAt, valuesAt + length)) : undefined;
      rows.put(key, head.at ?? 0, { source: file, offset: at - start + valuesAt, length }, text);
      count++;
    } else if (head.end === count && first.next !== undefined && first.base !== undefined) {
      return { rows, next: first.next, base: first.base };
    }
  }
  throw new FuselineError(
    'STORAGE_CORRUPT',
    `the snapshot ${file.path} is damaged; restore the directory from a backup`,
  );
}
