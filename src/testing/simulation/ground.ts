import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../../core/store.ts';

/** Twice the usual time: what hints do not tell is found by such looks alone, which are half of what a world costs. */
const LOOK_MS = 2000;

/** Hears of every commit that happened, in the order in which they did. */
export type Witness = (batch: Batch, by: string) => void;

/**
 * The rows all processes of a world share. Calls of a handle go to a store of its own, one commit at a time, so that
 * the order in which they happened is known; hints are told by the ground itself, so that they follow from the commits
 * alone.
 */
export class Ground {
  /** What the rows are, kept beside the store by the commits it accepted. */
  readonly rows: Map<Key, string> = new Map();
  readonly #open: () => Promise<Store>;
  readonly #witness: Witness;
  readonly #listeners = new Set<(hint: Hint) => void>();
  readonly #stores: Store[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #underWay = 0;

  constructor(open: () => Promise<Store>, witness: Witness) {
    this.#open = open;
    this.#witness = witness;
  }

  /** Whether a call has not been answered by its store yet: virtual time must not pass meanwhile. */
  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  async handle(by: string): Promise<Store> {
    const store = await this.#open();
    this.#stores.push(store);
    return new Handle(store, {
      call: (work) => this.#call(work),
      commit: (batch) => this.#commit(store, batch, by),
      watch: (listener) => this.#watch(listener),
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
  }

  #commit(store: Store, batch: Batch, by: string): Promise<CommitResult> {
    const turn = this.#last.then(async () => {
      const result = await store.commit(batch);
      if (result.status === 'committed') this.#note(batch, by);
      return result;
    });
    this.#last = turn.catch(() => undefined);
    return this.#call(() => turn);
  }

  #note(batch: Batch, by: string): void {
    for (const key of batch.delete ?? []) this.rows.delete(key);
    for (const { key, value } of batch.put ?? []) this.rows.set(key, value);
    const keys = [...(batch.put ?? []).map(({ key }) => key), ...(batch.delete ?? [])];
    for (const listener of this.#listeners) Promise.resolve({ keys }).then(listener);
    this.#witness(batch, by);
  }

  #watch(listener: (hint: Hint) => void): () => void {
    const own = (hint: Hint): void => {
      if (this.#listeners.has(own)) listener(hint);
    };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
    }
  }
}

interface Calls {
  call<T>(work: () => Promise<T>): Promise<T>;
  commit(batch: Batch): Promise<CommitResult>;
  watch(listener: (hint: Hint) => void): () => void;
}

class Handle implements Store {
  readonly limits: StoreLimits;
  readonly lookMs = LOOK_MS;
  readonly #store: Store;
  readonly #calls: Calls;

  constructor(store: Store, calls: Calls) {
    this.limits = store.limits;
    this.#store = store;
    this.#calls = calls;
  }

  read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#calls.call(() => this.#store.read(keys));
  }

  scan(range: Range): Promise<readonly Entry[]> {
    return this.#calls.call(() => this.#store.scan(range));
  }

  commit(batch: Batch): Promise<CommitResult> {
    return this.#calls.commit(batch);
  }

  watch(listener: (hint: Hint) => void): () => void {
    return this.#calls.watch(listener);
  }

  close(): Promise<void> {
    return this.#calls.call(() => this.#store.close());
  }
}
