import type { ListedTable } from './record.ts';

/** The oldest of the tables that are merged is at most this share of those above it, so that each grows threefold. */
const LARGEST_SHARE = 1 / 2;
const FEWEST = 3;
const MOST_DEAD = 1 / 2;

/**
 * From which table on they should become one; `undefined` if they are well as they are. So a row is written again about
 * once for each threefold growth of what lies above the oldest table, there are a few tables of each size, and no more
 * than half of all they hold is dead.
 */
export function mergeFrom(tables: readonly ListedTable[]): number | undefined {
  let dead = 0;
  let bytes = 0;
  let from: number | undefined;
  for (let i = tables.length - 1; i >= 0; i--) {
    const table = tables[i] as ListedTable;
    if (table.bytes <= bytes * LARGEST_SHARE && tables.length - i >= FEWEST) from = i;
    bytes += table.bytes;
    dead += table.dead;
  }
  return dead > bytes * MOST_DEAD ? 0 : from;
}
