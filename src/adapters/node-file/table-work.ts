import type { TableLine } from './block.ts';
import { type Catalogue, newestCatalogue, publishTable } from './catalogue.ts';
import type { Directory } from './directory.ts';
import { mergeWindow } from './merge-policy.ts';
import { Recent } from './recent.ts';
import type { Lines, ListedTable } from './record.ts';
import { textOf } from './row.ts';
import type { Changes } from './rows.ts';
import { TableWriter } from './table-writer.ts';
import { openTables, Tables } from './tables.ts';

/** What is newer than the tables, as it was where one segment ended and the next began. */
export interface Cut {
  readonly next: string;
  readonly base: number;
  /** Up to where the tables below it reach. */
  readonly floor: number;
  readonly changes: Changes;
}

export interface TableWork {
  readonly directory: Directory;
  readonly blockBytes: number;
  readonly meter: { bytesRead: number };
}

type Written = Omit<ListedTable, 'name'>;

/** How long the rest of the process may wait for its turn. */
const PIECE_MS = 2;
const RECENT_BYTES = 4 * 1024 * 1024;

/** Makes a table of what a cut holds. `false`: others did so before. */
export async function flush(work: TableWork, { changes, next, base, floor }: Cut): Promise<boolean> {
  const newest = newestCatalogue(work.directory);
  if ((newest?.base ?? 0) !== floor) return false;
  const below = open(work, newest?.tables ?? []);
  const own = await write(work, newest, changes, below, () => false).finally(() => below.close());
  if (!own) return false;
  return publishTable(work.directory, own.temporary, (now) => {
    if ((now?.base ?? 0) !== floor) return undefined;
    return { tables: [...(now?.tables ?? []), own.table], next, base };
  });
}

/**
 * Makes one table of several where that is due. `abandoned` is asked now and then, with the size of what is merged.
 * `false`: it was not due, or others did so before, or it was abandoned.
 */
export async function merge(work: TableWork, abandoned: (bytes: number) => boolean): Promise<boolean> {
  const newest = newestCatalogue(work.directory);
  if (!newest) return false;
  const window = mergeWindow(newest.tables);
  if (!window) return false;
  const merged = newest.tables.slice(window.from, window.to);
  const bytes = merged.reduce((sum, table) => sum + table.bytes, 0);
  if (abandoned(bytes)) return false;
  const below = open(work, newest.tables.slice(0, window.from));
  let sources = new Tables([]);
  try {
    sources = open(work, merged);
    const own = await write(work, newest, sources.lines(), below, () => abandoned(bytes));
    if (!own) return false;
    return publishTable(work.directory, own.temporary, (now) => {
      const { tables, next, base } = now ?? newest;
      const at = tables.findIndex(({ name }) => name === merged[0]?.name);
      if (!merged.every(({ name }, i) => tables[at + i]?.name === name)) return undefined;
      return { tables: tables.toSpliced(at, merged.length, own.table as ListedTable), next, base };
    });
  } finally {
    sources.close();
    below.close();
  }
}

function open({ directory, meter }: TableWork, listed: readonly ListedTable[]): Tables {
  return openTables({ directory, meter, recent: new Recent(RECENT_BYTES) }, listed);
}

/**
 * Writes a table of `lines` that lies on those `below`, and syncs it. What it says follows from the log alone, whoever
 * writes it and however often it was merged: the rows that changed in its part of the log, and the keys that were there
 * before it and are gone after it.
 */
async function write(
  { directory, blockBytes }: TableWork,
  newest: Catalogue | undefined,
  lines: Iterable<Changes[number] | TableLine>,
  below: Tables,
  abandoned: () => boolean,
): Promise<{ readonly temporary: string; readonly table: Written } | undefined> {
  const { files } = directory;
  const { name: temporary, fd } = directory.createTemporary(newest?.generation);
  let isFinished = false;
  try {
    const writer = new TableWriter(files, fd, blockBytes);
    let dead = 0;
    let turn = performance.now() + PIECE_MS;
    for (const line of lines) {
      const hidden = below.find(line.key);
      const hides = hidden?.kind === 'row';
      if (hides) dead += hidden.to - hidden.from;
      if (hides || line.kind === 'row') writer.add(line.key, (into) => say(line, into));
      if (performance.now() < turn) continue;
      await new Promise(setImmediate);
      if (abandoned()) return undefined;
      turn = performance.now() + PIECE_MS;
    }
    const { root, bytes } = writer.end();
    await new Promise<void>((done, fail) => files.datasync(fd, (error) => (error ? fail(error) : done())));
    if (abandoned()) return undefined;
    isFinished = true;
    return { temporary, table: { bytes, root, dead } };
  } finally {
    files.close(fd);
    if (!isFinished) directory.remove(temporary);
  }
}

function say(line: Changes[number] | TableLine, into: Lines): void {
  if ('block' in line) line.block.copy(line, into);
  else if (line.kind === 'row') into.row(line.key, line.version, textOf(line));
  else into.gone(line.key);
}
