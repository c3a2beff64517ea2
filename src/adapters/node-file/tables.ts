import type { Key, Range } from '../../core/store.ts';
import type { TableLine } from './block.ts';
import type { Directory } from './directory.ts';
import { folderHashOf, hashOf } from './key-filter.ts';
import { overlay } from './overlay.ts';
import type { ListedTable } from './record.ts';
import { type RecentPieces, Table } from './table.ts';

/** Tables on top of each other: what a newer one says of a key hides what an older one does. */
export class Tables {
  readonly list: readonly Table[];
  readonly #newestFirst: readonly Table[];

  /** From the oldest on. */
  constructor(list: readonly Table[]) {
    this.list = list;
    this.#newestFirst = list.toReversed();
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  /** `false` for nearly all keys that no table speaks of. */
  mayHold(key: Key): boolean {
    if (this.isEmpty) return false;
    const hash = hashOf(key);
    return this.list.some((table) => table.mayHold(key, hash));
  }

  /** The newest line about a key, which may say that it is gone. */
  find(key: Key): TableLine | undefined {
    if (this.isEmpty) return undefined;
    const hash = hashOf(key);
    for (const table of this.#newestFirst) {
      const line = table.find(key, hash);
      if (line) return line;
    }
    return undefined;
  }

  /** The newest lines of each table's, the newest table first. */
  ranges(range: Range): Generator<TableLine, void, undefined>[] {
    const folder = folderHashOf(range);
    return this.#newestFirst.map((table) => table.range(range, folder));
  }

  /** All there is to say of every key, in order, past what was read lately. */
  lines(): Generator<TableLine, void, undefined> {
    return overlay(this.#newestFirst.map((table) => table.lines()));
  }

  /** Closes those that are not among `others`. */
  close(others?: Tables): void {
    for (const table of this.list) if (!others?.list.includes(table)) table.close();
  }
}

export interface Reading {
  readonly directory: Directory;
  readonly recent: RecentPieces;
  readonly meter: { bytesRead: number };
}

/** Opens all of them, or none: one that others replaced meanwhile is an `ENOENT`. Those in `open` are taken from there. */
export function openTables(
  { directory, recent, meter }: Reading,
  listed: readonly ListedTable[],
  open?: Tables,
): Tables {
  const list: Table[] = [];
  try {
    for (const one of listed) {
      const before = open?.list.find((table) => table.listed.name === one.name);
      list.push(before ?? new Table(directory, one, recent, meter));
    }
    return new Tables(list);
  } catch (error) {
    new Tables(list).close(open);
    throw error;
  }
}
