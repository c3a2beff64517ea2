import { FuselineError } from '../../core/errors.ts';
import type { Directory } from './directory.ts';
import { generationAfter, segmentOrdinal } from './file-names.ts';
import { hasCode } from './files.ts';
import type { ListedTable } from './record.ts';

/** Which tables hold what the log said, up to where its next segment begins. */
export interface Catalogue {
  /** Each catalogue is made of the one before it. */
  readonly generation: number;
  /** From the oldest on. */
  readonly tables: readonly ListedTable[];
  readonly next: string;
  readonly ordinal: number;
  readonly base: number;
}

/** What comes after a catalogue; a table without a name is the one that is to be published with it. */
export interface Successor extends Pick<Catalogue, 'next' | 'base'> {
  readonly tables: readonly (ListedTable | Omit<ListedTable, 'name'>)[];
}

/** `undefined`: there is none yet. */
export function newestCatalogue(directory: Directory): Catalogue | undefined {
  for (;;) {
    const newest = directory.newest();
    if (newest?.kind !== 'catalogue') return undefined;
    try {
      return read(directory, newest.name, newest.number);
    } catch (error) {
      // There is a newer one by now.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}

/**
 * Publishes a finished, synced table in a catalogue that follows on the newest one, then removes what that replaces. Of
 * two processes at it one is first, and the other asks `successor` again, which says `undefined` if the table has no
 * place any more. A table that a catalogue no longer names is named by none of its successors, so whoever removes it may
 * be as late as he likes, but only if his catalogue was ever the newest: its name is free for who comes late, too.
 */
export function publishTable(
  directory: Directory,
  temporary: string,
  successor: (newest: Catalogue | undefined) => Successor | undefined,
): boolean {
  try {
    for (;;) {
      const newest = newestCatalogue(directory);
      const after = successor(newest);
      if (!after) return false;
      const generation = generationAfter(newest?.generation);
      const name = directory.nameTable(temporary, generation);
      if (name === undefined) return false;
      const tables = after.tables.map((table) => ({ name, ...table }));
      if (directory.publishCatalogue(generation, { tables, next: after.next, base: after.base })) {
        const now = newestCatalogue(directory);
        if (now?.generation === generation) {
          const listed = new Set(tables.map((table) => table.name));
          directory.removeBefore(generation, segmentOrdinal(after.next) ?? 0, listed);
          return true;
        }
        // Others went on from it already. Or it came so late that the one of its generation was replaced and removed.
        if (now?.tables.some((table) => table.name === name)) return true;
        directory.removeCatalogue(generation);
      }
      directory.remove(name);
    }
  } finally {
    directory.remove(temporary);
  }
}

function read(directory: Directory, name: string, generation: number): Catalogue {
  const { tables, next, base } = directory.readHead(name);
  const ordinal = segmentOrdinal(next ?? '');
  if (tables === undefined || next === undefined || base === undefined || ordinal === undefined) {
    throw new FuselineError(
      'STORAGE_CORRUPT',
      `${directory.at(name)} is no list of tables; restore the directory from a backup`,
    );
  }
  return { generation, tables, next, ordinal, base };
}
