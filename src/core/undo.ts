/**
 * Writes that can be taken back. Between `begin` and `accept` every write notes what it replaces; `rollback` restores
 * all of it, last first. Outside of that, writes are just writes.
 */
export class Undo {
  #log: unknown[] | undefined;
  /** Used again and again: most drafts are short, and accepted. */
  readonly #spare: unknown[] = [];

  begin(): void {
    this.#spare.length = 0;
    this.#log = this.#spare;
  }

  accept(): void {
    this.#log = undefined;
  }

  rollback(): void {
    const log = this.#log ?? [];
    this.#log = undefined;
    while (log.length > 0) {
      const old = log.pop();
      const key = log.pop() as never;
      const target = log.pop() as Record<never, unknown> | (() => void);
      if (typeof target === 'function') target();
      else target[key] = old as never;
    }
  }

  // Three of the same, because each is fast only while it sees few kinds of targets.
  number(target: Int32Array | Float64Array, at: number, value: number): void {
    this.#log?.push(target, at, target[at]);
    target[at] = value;
  }

  item<T>(target: T[], at: number, value: T): void {
    this.#log?.push(target, at, target[at]);
    target[at] = value;
  }

  field<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    this.#log?.push(target, key, target[key]);
    target[key] = value;
  }

  put<K, V>(map: Map<K, V>, key: K, value: V): void {
    this.#noteEntry(map, key);
    map.set(key, value);
  }

  remove<K, V>(map: Map<K, V>, key: K): void {
    this.#noteEntry(map, key);
    map.delete(key);
  }

  /** For what the other methods cannot express. */
  note(takeBack: () => void): void {
    this.#log?.push(takeBack, undefined, undefined);
  }

  #noteEntry<K, V>(map: Map<K, V>, key: K): void {
    if (!this.#log) return;
    const had = map.has(key);
    const old = map.get(key) as V;
    this.note(() => void (had ? map.set(key, old) : map.delete(key)));
  }
}
