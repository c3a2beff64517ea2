import type { Batch, Entry, Key, Version } from '../../core/store.ts';
import { answered, ROWS, unlessLost } from './connection.ts';
import { isNamed } from './failure.ts';

export type Verdict = 'committed' | 'conflict';

/** A batch and the version its puts will carry. */
export interface Numbered {
  readonly batch: Batch;
  readonly version: Version;
}

/** Whether no batch expects anything of what one before it changes: then what there is decides, for each of them. */
export function areIndependent(batches: readonly Numbered[]): boolean {
  const changed = new Set<Key>();
  for (const one of batches) {
    if (one.batch.expect?.some(({ key }) => changed.has(key))) return false;
    for (const key of changesOf([one]).keys()) changed.add(key);
  }
  return true;
}

/**
 * Commits independent batches, all or none of them, without waiting for an answer before it writes: the database checks
 * an absence itself (`add`), and what else is expected is asked for first and judged while the writes are on their way.
 * Rejects with what aborted it.
 */
export async function commitAtOnce(transaction: IDBTransaction, batches: readonly Numbered[]): Promise<Verdict> {
  const rows = transaction.objectStore(ROWS);
  const ended = unlessLost(transaction.db, end(transaction));
  const after = changesOf(batches);
  const added = new Set<Key>();
  let refused = false;
  let unanswered = 0;
  for (const { batch } of batches) {
    for (const { key, version } of batch.expect ?? []) {
      if (version === undefined && after.get(key)) {
        added.add(key);
        continue;
      }
      const request: IDBRequest<Entry | undefined> = rows.get(key);
      unanswered++;
      request.onsuccess = () => {
        refused ||= request.result?.version !== version;
        if (--unanswered > 0) return;
        if (refused) transaction.abort();
        else transaction.commit();
      };
    }
  }
  for (const [key, entry] of after) {
    if (!entry) rows.delete(key);
    else if (added.has(key)) rows.add(entry);
    else rows.put(entry);
  }
  if (unanswered === 0) transaction.commit();
  try {
    await ended;
    return 'committed';
  } catch (error) {
    if (refused || isNamed(error, 'ConstraintError')) return 'conflict';
    throw error;
  }
}

/** What batches come to, one after the other: a request for each key is what a transaction costs. */
export function changesOf(batches: readonly Numbered[]): ReadonlyMap<Key, Entry | undefined> {
  const after = new Map<Key, Entry | undefined>();
  for (const { batch, version } of batches) {
    for (const key of batch.delete ?? []) after.set(key, undefined);
    for (const { key, value } of batch.put ?? []) after.set(key, { key, value, version });
  }
  return after;
}

/**
 * Commits batches in one transaction as if one came after the other, each with a verdict of its own: all that they
 * expect is asked for at once, then each is judged by what was found and by what those before it write.
 */
export async function commitInTurn(
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
  const found = await Promise.all(keys.map((key) => answered<Entry | undefined>(rows.get(key))));
  const versions = new Map<Key, Version | undefined>(keys.map((key, i) => [key, found[i]?.version]));
  return batches.map((one): Verdict => {
    if (one.batch.expect?.some(({ key, version }) => versions.get(key) !== version)) return 'conflict';
    for (const [key, entry] of changesOf([one])) {
      if (entry) rows.put(entry);
      else rows.delete(key);
      versions.set(key, entry?.version);
    }
    return 'committed';
  });
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
