import type { ListedTable } from './record.ts';

/** The oldest of the tables that are merged is at most this share of those above it, so that each grows threefold. */
const LARGEST_SHARE = 1 / 2;
const FEWEST = 3;
/** With more of them at once a merge would take longer than some processes live, and begin again for ever. */
const MOST = 12;
const MOST_DEAD = 1 / 2;

/**
 * Which neighbours should become one table, `to` not among them; `undefined` if all are well as they are. So a row is
 * written again about once for each threefold growth of what lies above the oldest table, there are a few tables of each
 * size, and no more than half of all they hold is dead. Where too many should become one, the lightest of them come first.
 */
export function mergeWindow(
  tables: readonly ListedTable[],
): { readonly from: number; readonly to: number } | undefined {
  const from = oldestOf(tables);
  if (from === undefined || tables.length < 2) return undefined;
  if (tables.length - from <= MOST) return { from, to: tables.length };
  let lightest = from;
  let fewest = Number.POSITIVE_INFINITY;
  for (let at = from; at + MOST <= tables.length; at++) {
    const bytes = tables.slice(at, at + MOST).reduce((sum, table) => sum + table.bytes, 0);
    if (bytes >= fewest) continue;
    fewest = bytes;
    lightest = at;
  }
  return { from: lightest, to: lightest + MOST };
}

function oldestOf(tables: readonly ListedTable[]): number | undefined {
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
