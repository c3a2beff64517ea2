import type { Batch, Entry, Key, Range, Store, Version } from '../../core/store.ts';
import { ensure } from '../check.ts';

/** Every key there can be. */
export const EVERYTHING: Range = { from: '!', to: '~~' };

export async function readOne(store: Store, key: Key): Promise<Entry | undefined> {
  return (await store.read([key]))[0];
}

export async function keysIn(store: Store, range: Range): Promise<readonly Key[]> {
  return (await store.scan(range)).map(({ key }) => key);
}

/** Keys and values, as a test wants to compare them. */
export async function contents(store: Store): Promise<readonly (readonly [Key, string])[]> {
  return (await store.scan(EVERYTHING)).map(({ key, value }) => [key, value]);
}

/** Commits what must not conflict. */
export async function write(store: Store, batch: Batch): Promise<Version> {
  const result = await store.commit(batch);
  ensure(result.status === 'committed', 'a commit whose expectations hold was refused as a conflict');
  return result.version;
}

export async function put(store: Store, key: Key, value: string): Promise<Version> {
  return write(store, { put: [{ key, value }] });
}
