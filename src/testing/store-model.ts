import type { Batch, CommitResult, Entry, Key, Range, Store, Version } from '../core/store.ts';
import type { Bracket, Open } from './bracket.ts';
import { ensure, equal } from './check.ts';
import { EVERYTHING } from './contract/store-face.ts';
import { type Random, seeded } from './random.ts';

export interface ModelTestOptions {
  readonly seed: number;
  /** How many reads, scans, commits, bursts of commits and reopenings. */
  readonly operations: number;
}

/**
 * Walks a store and a plain `Map` through the same random history, several handles wide, and compares what they say.
 * Bursts of commits made at once must come out as if they had been made one after the other, in some order. A failure
 * names the seed, with which it comes again, and the operation.
 */
export function modelTest(backend: Bracket, { seed, operations }: ModelTestOptions): Promise<void> {
  return backend(async (open) => {
    const history = new History(seeded(seed), open);
    for (let number = 0; number < operations; number++) {
      try {
        await history.step();
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`seed ${seed}, operation ${number} (${history.doing}): ${reason}`, { cause });
      }
    }
  });
}

const KEYS: readonly [Key, ...Key[]] = ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0', 'B', 'b', 'b/~', 'c', '~'];
const HANDLES = 3;
const MOST_AT_ONCE = 4;

type Rows = ReadonlyMap<Key, Entry>;

class History {
  doing = 'nothing yet';
  readonly #random: Random;
  readonly #open: Open;
  readonly #stores: (Store | undefined)[] = Array.from({ length: HANDLES });
  /** By key, all it ever had. */
  readonly #versions = new Map<Key, Set<Version>>();
  #rows: Rows = new Map();
  #written = 0;

  constructor(random: Random, open: Open) {
    this.#random = random;
    this.#open = open;
  }

  async step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.25) await this.#read();
    else if (dice < 0.5) await this.#scan();
    else if (dice < 0.8) await this.#commit([this.#batch()]);
    else if (dice < 0.95)
      await this.#commit(this.#times(2 + this.#random.below(MOST_AT_ONCE - 1), () => this.#batch()));
    else await this.#close();
  }

  async #read(): Promise<void> {
    const keys = this.#times(this.#random.below(4), () => this.#random.pick(KEYS));
    this.doing = `read ${keys}`;
    const store = await this.#store();
    equal(
      await store.read(keys),
      keys.map((key) => this.#rows.get(key)),
      'the entries',
    );
  }

  async #scan(): Promise<void> {
    const range: Range = {
      from: this.#random.pick(KEYS),
      to: this.#random.pick(KEYS),
      ...(this.#random.chance(0.5) && { limit: this.#random.below(5) }),
      ...(this.#random.chance(0.7) && { order: this.#random.pick(['ascending', 'descending']) }),
    };
    this.doing = `scan ${JSON.stringify(range)}`;
    const store = await this.#store();
    equal(await store.scan(range), scanned(this.#rows, range), 'the entries');
  }

  /** One batch, or several at once, each through a handle of its own choice. */
  async #commit(batches: readonly Batch[]): Promise<void> {
    this.doing = `commit at once ${JSON.stringify(batches)}`;
    const stores: Store[] = [];
    for (const _ of batches) stores.push(await this.#store());
    const results = await Promise.all(batches.map((batch, i) => (stores[i] as Store).commit(batch)));
    batches.forEach((batch, i) => this.#noteVersions(batch, results[i] as CommitResult));
    const store = await this.#store();
    const found = await store.scan(EVERYTHING);
    const outcomes = orders(batches.length).map((order) => replay(this.#rows, batches, results, order));
    const rows = outcomes.find((outcome) => outcome && same(outcome, found));
    ensure(
      rows !== undefined,
      `no order of these commits explains the answers ${JSON.stringify(results)} and the rows ${JSON.stringify(found)}`,
    );
    this.#rows = rows;
  }

  async #close(): Promise<void> {
    const at = this.#random.below(HANDLES);
    this.doing = `close handle ${at}`;
    await this.#stores[at]?.close();
    this.#stores[at] = undefined;
  }

  async #store(): Promise<Store> {
    const at = this.#random.below(HANDLES);
    const store = this.#stores[at] ?? (await this.#open());
    this.#stores[at] = store;
    return store;
  }

  #batch(): Batch {
    const random = this.#random;
    const expect = this.#times(random.below(3), () => {
      const key = random.pick(KEYS);
      return { key, version: this.#expectation(key) };
    });
    const put = this.#times(random.below(4), () => ({ key: random.pick(KEYS), value: `value ${this.#written++}` }));
    const gone = this.#times(random.below(3), () => random.pick(KEYS));
    return {
      ...(expect.length > 0 && { expect }),
      ...(put.length > 0 && { put }),
      ...(gone.length > 0 && { delete: gone }),
    };
  }

  /** Mostly what is true; else what was true once, or absence. */
  #expectation(key: Key): Version | undefined {
    if (this.#random.chance(0.75)) return this.#rows.get(key)?.version;
    const [first, ...rest] = this.#versions.get(key) ?? [];
    return first === undefined ? undefined : this.#random.pick([undefined, first, ...rest]);
  }

  #noteVersions({ put = [] }: Batch, result: CommitResult): void {
    if (result.status === 'conflict') return;
    for (const key of new Set(put.map((row) => row.key))) {
      const known = this.#versions.get(key) ?? new Set();
      ensure(!known.has(result.version), `version ${result.version} of ${key} was used before`);
      this.#versions.set(key, known.add(result.version));
    }
  }

  #times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

/** The rows after these commits in this order, or `undefined` if that order would have had other answers. */
function replay(
  before: Rows,
  batches: readonly Batch[],
  results: readonly CommitResult[],
  order: readonly number[],
): Rows | undefined {
  const rows = new Map(before);
  for (const at of order) {
    const { expect = [], put = [], delete: gone = [] } = batches[at] as Batch;
    const result = results[at] as CommitResult;
    const holds = expect.every(({ key, version }) => rows.get(key)?.version === version);
    if (holds !== (result.status === 'committed')) return undefined;
    if (result.status === 'conflict') continue;
    for (const key of gone) rows.delete(key);
    for (const { key, value } of put) rows.set(key, { key, value, version: result.version });
  }
  return rows;
}

function scanned(rows: Rows, { from, to, limit = Number.POSITIVE_INFINITY, order }: Range): readonly Entry[] {
  const found = [...rows.values()]
    .filter(({ key }) => key >= from && key < to)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (order === 'descending') found.reverse();
  return found.slice(0, limit);
}

function same(rows: Rows, found: readonly Entry[]): boolean {
  const equals = ({ key, value, version }: Entry): boolean => {
    const row = rows.get(key);
    return row !== undefined && row.value === value && row.version === version;
  };
  return found.length === rows.size && found.every(equals);
}

/** Every order of the numbers below `count`. */
function orders(count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return orders(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => order.toSpliced(at, 0, count - 1)),
  );
}
