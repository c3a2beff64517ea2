import { FuselineError } from './errors.ts';
import { keys, lastPart, under } from './keys.ts';
import { parseHead, type RunHead } from './rows.ts';
import type { RunStatus } from './run-state.ts';
import type { Store } from './store.ts';

export interface RunQuery {
  readonly workflow?: string;
  readonly status?: RunStatus | readonly RunStatus[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Epoch milliseconds: created at or after, and before. */
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  /** Runs in a page; 100 unless told, at most 1,000. */
  readonly limit?: number;
  /** Where the last page ended. */
  readonly cursor?: string;
}

export interface Listed {
  readonly id: string;
  readonly head: RunHead;
}

const DEFAULT_LIMIT = 100;
const MOST = 1000;
const PAGE = 200;

/** Walks the runs of a store, newest first, until a page is full. `cursor` says where the next page goes on. */
export async function listRuns(
  store: Store,
  { createdFrom = 0, createdBefore, limit = DEFAULT_LIMIT, cursor, ...wanted }: RunQuery,
): Promise<{ readonly found: readonly Listed[]; readonly cursor?: string }> {
  if (!(Number.isInteger(limit) && limit >= 1)) {
    throw new FuselineError('INVALID_INPUT', `the limit of a list is ${limit}; use a whole number from 1 to ${MOST}`);
  }
  const count = Math.min(limit, MOST);
  const fits = filterOf(wanted);
  const found: Listed[] = [];
  const from = keys.time(createdFrom, '');
  let to = cursor ?? (createdBefore === undefined ? under('time/').to : keys.time(createdBefore, ''));
  for (;;) {
    const index = await store.scan({ from, to, limit: PAGE, order: 'descending' });
    const heads = await store.read(index.map(({ key }) => keys.head(lastPart(key))));
    for (const [i, { key }] of index.entries()) {
      const row = heads[i];
      to = key;
      if (row && fits(parseHead(row.value))) found.push({ id: lastPart(key), head: parseHead(row.value) });
      if (found.length === count)
        return i < index.length - 1 || index.length === PAGE ? { found, cursor: to } : { found };
    }
    if (index.length < PAGE) return { found };
  }
}

function filterOf({
  workflow,
  status,
  labels = {},
}: Pick<RunQuery, 'workflow' | 'status' | 'labels'>): (head: RunHead) => boolean {
  const statuses = status === undefined ? undefined : new Set([status].flat());
  const pairs = Object.entries(labels);
  return (head) =>
    (workflow === undefined || head.workflow === workflow) &&
    (!statuses || statuses.has(head.status)) &&
    pairs.every(([name, value]) => head.labels?.[name] === value);
}
