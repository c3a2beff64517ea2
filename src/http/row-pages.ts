import type { FarPage, FarRow } from '../adapters/http/wire.ts';
import type { Entry, Key, Range, Store } from '../core/store.ts';
import { AnswerBudget } from './answer-budget.ts';

type Rows = Pick<Store, 'read' | 'scan'>;

const PAGE_ROWS = 1000;
/** Rows are read in portions, the first of them small: nobody knows before how long they are. */
const PORTION = { first: 16, growth: 8, length: 2 * 1024 * 1024 } as const;

/** A page of each range, all of them within so many characters. Where there was no room left, a page is cut and empty. */
export async function pagesOf(rows: Rows, ranges: readonly Range[], most: number): Promise<readonly FarPage[]> {
  const budget = new AnswerBudget(most);
  const pages: FarPage[] = [];
  for (const range of ranges) pages.push(await pageOf(rows, range, budget));
  return pages;
}

/** The rows of the first keys, as many of them as so many characters have room for. */
export async function rowsOf(rows: Rows, keys: readonly Key[], most: number): Promise<readonly FarRow[]> {
  const budget = new AnswerBudget(most);
  const found: FarRow[] = [];
  for (let size: number = PORTION.first; found.length < keys.length && budget.hasRoom; ) {
    const portion = await rows.read(keys.slice(found.length, found.length + size));
    for (const row of portion) {
      if (!budget.take(row?.value.length ?? 0)) return found;
      found.push(row ? { value: row.value, version: row.version } : null);
    }
    size = sizeAfter(size, portion);
  }
  return found;
}

async function pageOf(rows: Rows, range: Range, budget: AnswerBudget): Promise<FarPage> {
  const most = Math.min(range.limit ?? PAGE_ROWS, PAGE_ROWS);
  const found: Entry[] = [];
  let { from, to } = range;
  for (let size: number = PORTION.first; found.length < most && budget.hasRoom; ) {
    const limit = Math.min(size, most - found.length);
    const portion = await rows.scan({ ...range, from, to, limit });
    for (const row of portion) {
      if (!budget.take(row.key.length + row.value.length)) return { rows: found, isCut: true };
      found.push(row);
    }
    const last = portion.at(-1);
    if (!last || portion.length < limit) return { rows: found, isCut: false };
    if (range.order === 'descending') to = last.key;
    else from = `${last.key}!`;
    size = sizeAfter(size, portion);
  }
  return { rows: found, isCut: found.length !== range.limit };
}

function sizeAfter(size: number, portion: readonly (Entry | undefined)[]): number {
  const length = portion.reduce((sum, row) => sum + (row?.value.length ?? 0), 0);
  const fitting = Math.floor((PORTION.length * portion.length) / Math.max(1, length));
  return Math.max(1, Math.min(size * PORTION.growth, fitting));
}
