/**
 * What was read of files lately, up to about `bytes` of it. Two generations stand in for an order of use: what is asked
 * for moves to the young one, and when that is full the old one is forgotten.
 */
export class Recent<K extends object, V> {
  readonly #half: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #youngBytes = 0;

  constructor(bytes: number) {
    this.#half = bytes / 2;
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** `bytes` is what it weighs, whether it is new or was there. */
  keep(key: K, value: V, bytes: number): void {
    if (this.#young.has(key)) return;
    if (this.#youngBytes > this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, value);
    this.#youngBytes += bytes;
  }
}
