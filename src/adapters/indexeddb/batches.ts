import { wrap } from 'idb';
import type { Batch, Entry, Key, Version } from '../../core/store.ts';
import { ROWS, unlessLost } from './connection.ts';
import { isNamed } from './failure.ts';

export type Verdict = 'committed' | 'conflict';

/** A batch and the version its puts will carry. */
export interface Numbered {
  readonly batch: Batch;
  readonly version: Version;
}

/**
 * Commits one batch without waiting for an answer before it writes: the database checks an absence itself (`add`), and
 * what else is expected is asked for first and judged while the writes are on their way. Rejects with what aborted it.
 */
export async function commitAlone(transaction: IDBTransaction, { batch, version }: Numbered): Promise<Verdict> {
  const rows = transaction.objectStore(ROWS);
  const ended = unlessLost(transaction.db, end(transaction));
  const { expect = [], put = [], delete: gone = [] } = batch;
  const added = new Set<Key>();
  const checks: Promise<boolean>[] = [];
  for (const expected of expect) {
    const { key } = expected;
    const byAdd = expected.version === undefined && put.some((one) => one.key === key) && !gone.includes(key);
    if (byAdd) added.add(key);
    else checks.push(holds(rows, key, expected.version));
  }
  for (const key of gone) rows.delete(key);
  for (const { key, value } of put) {
    const entry: Entry = { key, value, version };
    if (added.delete(key)) rows.add(entry);
    else rows.put(entry);
  }
  let refused = false;
  if (checks.length === 0) transaction.commit();
  else {
    Promise.all(checks).then(
      (answers) => {
        refused = !answers.every(Boolean);
        if (refused) transaction.abort();
        else transaction.commit();
      },
      // The transaction has ended, and says why.
      () => undefined,
    );
  }
  try {
    await ended;
    return 'committed';
  } catch (error) {
    if (refused || isNamed(error, 'ConstraintError')) return 'conflict';
    throw error;
  }
}

/**
 * Commits several batches in one transaction as if one came after the other: all that they expect is asked for at once,
 * then each is judged by what was found and by what those before it write.
 */
export async function commitTogether(
  transaction: IDBTransaction,
  batches: readonly Numbered[],
): Promise<readonly Verdict[]> {
  const rows = transaction.objectStore(ROWS);
  const ended = unlessLost(transaction.db, end(transaction));
  const verdicts = judge(rows, batches).then((found) => {
    transaction.commit();
    return found;
  });
  // What ended the transaction is the better reason.
  verdicts.catch(() => undefined);
  await ended;
  return verdicts;
}

async function judge(rows: IDBObjectStore, batches: readonly Numbered[]): Promise<readonly Verdict[]> {
  const keys = [...new Set(batches.flatMap(({ batch }) => (batch.expect ?? []).map(({ key }) => key)))];
  const found = await Promise.all(keys.map((key) => wrap(rows.get(key)) as Promise<Entry | undefined>));
  const versions = new Map<Key, Version | undefined>(keys.map((key, i) => [key, found[i]?.version]));
  return batches.map(({ batch: { expect = [], put = [], delete: gone = [] }, version }): Verdict => {
    if (!expect.every((one) => versions.get(one.key) === one.version)) return 'conflict';
    for (const key of gone) {
      rows.delete(key);
      versions.set(key, undefined);
    }
    for (const { key, value } of put) {
      rows.put({ key, value, version } satisfies Entry);
      versions.set(key, version);
    }
    return 'committed';
  });
}

async function holds(rows: IDBObjectStore, key: Key, version: Version | undefined): Promise<boolean> {
  if (version === undefined) return (await wrap(rows.getKey(key))) === undefined;
  const entry = (await wrap(rows.get(key))) as Entry | undefined;
  return entry?.version === version;
}

/**
 * When the transaction is durable, not when its requests were answered: a full disk shows only in between. `idb` has a
 * promise for it that rejects at the first failed request already, before the reason is known.
 */
function end(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () =>
      reject(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError')),
    );
  });
}
