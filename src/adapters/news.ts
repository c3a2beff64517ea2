import { Listeners } from '../core/listeners.ts';
import type { Batch, Hint, Key } from '../core/store.ts';

/** What the handles of one process on the same rows tell each other. */
export class News {
  readonly #listeners = new Listeners<Hint>();
  #keys: Key[] = [];

  listen(listener: (hint: Hint) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** What changed in one turn is told at its end, because a listener may want to read or write. */
  tell({ put = [], delete: gone = [] }: Batch): void {
    if (this.#listeners.size === 0 || put.length + gone.length === 0) return;
    if (this.#keys.length === 0) Promise.resolve().then(() => this.#tellAll());
    for (const { key } of put) this.#keys.push(key);
    for (const key of gone) this.#keys.push(key);
  }

  #tellAll(): void {
    const keys = this.#keys;
    this.#keys = [];
    this.#listeners.tell({ keys });
  }
}
