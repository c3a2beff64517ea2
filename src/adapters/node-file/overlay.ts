import type { Key, Range } from '../../core/store.ts';

interface Keyed {
  readonly key: Key;
}

/**
 * Walks several sorted lists as one, in which the first list that speaks of a key is the one that is heard. Each list
 * names a key at most once.
 */
export function* overlay<T extends Keyed>(
  lists: readonly Iterator<T, void>[],
  order: NonNullable<Range['order']> = 'ascending',
): Generator<T, void, undefined> {
  const heads = lists.map((list) => list.next().value ?? undefined);
  for (;;) {
    let nearest: T | undefined;
    for (const head of heads) {
      if (!head) continue;
      if (!nearest || (order === 'ascending' ? head.key < nearest.key : head.key > nearest.key)) nearest = head;
    }
    if (!nearest) return;
    yield nearest;
    const { key } = nearest;
    for (let i = 0; i < heads.length; i++) {
      if (heads[i]?.key === key) heads[i] = lists[i]?.next().value ?? undefined;
    }
  }
}
