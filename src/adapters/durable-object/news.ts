import type { Hint, Key } from '../../core/store.ts';

const everybodys = new WeakMap<object, News>();

/** What all handles on one object's storage tell each other. Nobody else writes to it. */
export function newsOf(storage: object): News {
  const news = everybodys.get(storage) ?? new News();
  everybodys.set(storage, news);
  return news;
}

export class News {
  readonly #listeners = new Set<(hint: Hint) => void>();
  #keys: Key[] = [];

  listen(listener: (hint: Hint) => void): () => void {
    // Its own identity, so that a function added twice is called twice and removed once.
    const own = (hint: Hint): void => {
      if (this.#listeners.has(own)) listener(hint);
    };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells what changed in this turn at its end, because a listener may want to read or write. */
  tell(keys: Iterable<Key>): void {
    if (this.#listeners.size === 0) return;
    if (this.#keys.length === 0) Promise.resolve().then(() => this.#tellAll());
    for (const key of keys) this.#keys.push(key);
  }

  #tellAll(): void {
    const hint: Hint = { keys: this.#keys };
    this.#keys = [];
    // A turn of its own for each: what one throws is reported as any unhandled error, and the others are told.
    for (const listener of this.#listeners) Promise.resolve(hint).then(listener);
  }
}
