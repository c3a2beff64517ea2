/** A full chunk is split, a chunk below a quarter of this joins its neighbour. */
const CHUNK = 512;

/** So many keys may wait for their place; more would make whoever asks for the order wait. */
const MOST_WAITING = 4096;

/**
 * A map that can be walked in the order of its keys' code units. Points are read, written and deleted in a hash map
 * alone. The order stands beside it in chunks of at most 512 keys, so that a new key moves few others and a walk costs
 * what it hands back; keys that came or went take their places when somebody asks for the order.
 */
export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  /** No chunk is empty, each is sorted, and all keys of one come before those of the next. */
  readonly #chunks: string[][] = [];
  /** Keys that came or went since the chunks were true, some of them more than once. */
  #waiting: string[] = [];
  /** Where the last key went: the next one often follows it. */
  #recent = 0;

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    const { size } = this.#values;
    this.#values.set(key, value);
    if (this.#values.size > size) this.#wait(key);
  }

  delete(key: string): boolean {
    const found = this.#values.delete(key);
    if (found) this.#wait(key);
    return found;
  }

  /** Walks from `from` on and stops before `to`, or the other way round; the map must not change meanwhile. */
  *range(
    from: string,
    to: string,
    limit: number = Number.POSITIVE_INFINITY,
    order: 'ascending' | 'descending' = 'ascending',
  ): Generator<readonly [key: string, value: V], void, undefined> {
    this.#settle();
    const upwards = order === 'ascending';
    let at = this.#chunkOf(upwards ? from : to);
    let chunk = this.#chunks[at];
    if (!chunk || limit <= 0) return;
    let i = upwards ? position(chunk, from) : position(chunk, to) - 1;
    let left = limit;
    for (;;) {
      const key = chunk[i];
      if (key === undefined) {
        at += upwards ? 1 : -1;
        chunk = this.#chunks[at];
        if (!chunk) return;
        i = upwards ? 0 : chunk.length - 1;
        continue;
      }
      if (upwards ? key >= to : key < from) return;
      yield [key, this.#values.get(key) as V];
      if (--left <= 0) return;
      i += upwards ? 1 : -1;
    }
  }

  /** Everything, in ascending order. */
  *entries(): Generator<readonly [key: string, value: V], void, undefined> {
    this.#settle();
    for (const chunk of this.#chunks) for (const key of chunk) yield [key, this.#values.get(key) as V];
  }

  #wait(key: string): void {
    this.#waiting.push(key);
    if (this.#waiting.length >= MOST_WAITING) this.#settle();
  }

  #settle(): void {
    if (this.#waiting.length === 0) return;
    for (const key of this.#waiting) {
      if (this.#values.has(key)) this.#insert(key);
      else this.#remove(key);
    }
    this.#waiting = [];
  }

  #insert(key: string): void {
    const at = this.#chunkOf(key);
    this.#recent = at;
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push([key]);
      return;
    }
    const i = (chunk[chunk.length - 1] as string) < key ? chunk.length : position(chunk, key);
    if (chunk[i] === key) return;
    if (chunk.length < CHUNK) {
      if (i === chunk.length) chunk.push(key);
      else chunk.splice(i, 0, key);
    } else if (i === chunk.length) {
      // Ascending keys fill their chunks: the full one stays as it is.
      this.#chunks.splice(at + 1, 0, [key]);
      this.#recent = at + 1;
    } else {
      this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
      this.#insert(key);
    }
  }

  #remove(key: string): void {
    const at = this.#chunkOf(key);
    this.#recent = at;
    const chunk = this.#chunks[at];
    if (!chunk) return;
    const i = position(chunk, key);
    if (chunk[i] !== key) return;
    chunk.splice(i, 1);
    if (chunk.length < CHUNK / 4) this.#join(at);
  }

  /** Merges a chunk that became small with a neighbour that has room for it, and drops an empty one. */
  #join(at: number): void {
    const chunk = this.#chunks[at] as string[];
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1);
      return;
    }
    const left = this.#chunks[at - 1];
    const right = this.#chunks[at + 1];
    if (right && chunk.length + right.length <= CHUNK / 2) {
      this.#chunks.splice(at, 2, chunk.concat(right));
    } else if (left && chunk.length + left.length <= CHUNK / 2) {
      this.#chunks.splice(at - 1, 2, left.concat(chunk));
    }
  }

  /** The last chunk that starts at or before a key; the first if none does. */
  #chunkOf(key: string): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    const recent = chunks[this.#recent];
    if (recent && (recent[0] as string) <= key) {
      const next = chunks[this.#recent + 1];
      if (!next || key < (next[0] as string)) return this.#recent;
      low = this.#recent + 1;
    } else if (recent) {
      high = Math.max(0, this.#recent - 1);
    }
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (((chunks[middle] as string[])[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Of the first key that is not before `key`. */
function position(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
