import type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits } from '../core/store.ts';

/** What becomes of a commit that was under way when its process died. */
export type LastCommit = 'happens' | 'is lost';

/**
 * The handle of a process that may die. From then on nothing it calls is answered or reaches the rows, and it hears
 * nothing any more. Other handles on the same rows go on.
 *
 * A commit is under way for one turn before it is handed to the store inside, so that a death can fall between the call
 * and its effect; `die` says which it was.
 */
export class MortalStore implements Store {
  readonly limits: StoreLimits;
  readonly #store: Store;
  readonly #stops = new Set<() => void>();
  #lastCommit: LastCommit | undefined;

  constructor(store: Store) {
    this.limits = store.limits;
    this.#store = store;
  }

  get alive(): boolean {
    return this.#lastCommit === undefined;
  }

  /** A commit that was handed to the store inside has happened, or will, whatever is said of those still under way. */
  die(underWay: LastCommit = 'is lost'): void {
    if (!this.alive) return;
    this.#lastCommit = underWay;
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  read(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    return this.#answer(() => this.#store.read(keys));
  }

  scan(range: Range): Promise<readonly Entry[]> {
    return this.#answer(() => this.#store.scan(range));
  }

  commit(batch: Batch): Promise<CommitResult> {
    if (!this.alive) return unanswered();
    return this.#answer(async () => {
      await null;
      if (this.#lastCommit === 'is lost') return unanswered();
      return this.#store.commit(batch);
    });
  }

  watch(listener: (hint: Hint) => void): () => void {
    if (!this.alive) return () => undefined;
    const stop = this.#store.watch((hint) => {
      // A hint may be on its way already.
      if (this.alive) listener(hint);
    });
    this.#stops.add(stop);
    return () => {
      this.#stops.delete(stop);
      stop();
    };
  }

  close(): Promise<void> {
    return this.#answer(() => this.#store.close());
  }

  /** The dead are not answered, neither with a value nor with an error. */
  async #answer<T>(call: () => Promise<T>): Promise<T> {
    if (!this.alive) return unanswered();
    const [answer] = await Promise.allSettled([call()]);
    if (!this.alive) return unanswered();
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }
}

function unanswered<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
