/** Those who want to be told something. A function that is added twice is told twice, and taken back once by each answer. */
export class Listeners<T> {
  readonly #all = new Set<(told: T) => void>();

  get size(): number {
    return this.#all.size;
  }

  add(listener: (told: T) => void): () => void {
    const own = (told: T): void => {
      if (this.#all.has(own)) listener(told);
    };
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Each hears it in a turn of its own, later: what one throws is reported like every unhandled error, and stops nobody. */
  tell(told: T): void {
    for (const own of this.#all) Promise.resolve(told).then(own);
  }

  clear(): void {
    this.#all.clear();
  }
}
