import type { FarNews } from '../adapters/http/wire.ts';
import { runOf } from '../core/keys.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import type { Hint, Key } from '../core/store.ts';

/** So many hints are kept for those who come back late, and so many rows are named in one answer. */
const MOST_HINTS = 1000;
const MOST_KEYS = 500;
/** Who waits is told at once of work, ends and workers, and of mere progress so often at most. */
const PROGRESS_MS = 500;

/** What changed lately, for those who can only ask now and then. It listens from when it is first asked. */
export class NewsBoard {
  readonly #storage: RuntimeStorage;
  /** Another one after every start, of which no cursor of another board tells anything. */
  readonly #name: string;
  readonly #hints: Hint[] = [];
  #dropped = 0;
  readonly #waiting = new Map<string, () => void>();
  #listens = false;
  /** What came before this was told to whoever waited. */
  #told = 0;
  #progressAt = Number.NEGATIVE_INFINITY;
  #cancelProgress: (() => void) | undefined;

  constructor(storage: RuntimeStorage) {
    this.#storage = storage;
    this.#name = storage.host.id().slice(0, 8);
  }

  async since(asker: string, cursor: string | undefined, waitMs: number): Promise<FarNews> {
    if (!this.#listens) {
      this.#listens = true;
      this.#storage.onEntry((hint) => this.#pin(hint));
    }
    const from = this.#placeOf(cursor);
    if (from !== undefined && from >= this.#told) await this.#more(asker, waitMs);
    // What is not told yet waits for its time.
    const until = from === undefined ? this.#end : Math.max(from, this.#told);
    return { cursor: `${this.#name}.${until}`, ...(from !== undefined && this.#keysBetween(from, until)) };
  }

  get #end(): number {
    return this.#dropped + this.#hints.length;
  }

  /** `undefined` where nobody knows any more what came behind it. */
  #placeOf(cursor: string | undefined): number | undefined {
    const [name, place] = cursor?.split('.') ?? [];
    const from = Number(place);
    return name === this.#name && from >= this.#dropped && from <= this.#end ? from : undefined;
  }

  #pin(hint: Hint): void {
    this.#hints.push(hint);
    if (this.#hints.length > MOST_HINTS) this.#dropped += this.#hints.splice(0, MOST_HINTS / 2).length;
    if (!hint.keys || hint.keys.some((key) => URGENT.test(key))) return this.#wake();
    const rest = this.#progressAt + PROGRESS_MS - this.#storage.host.monotonic();
    if (rest <= 0) this.#wake();
    else this.#cancelProgress ??= this.#storage.host.after(rest, () => this.#wake());
  }

  #wake(): void {
    this.#told = this.#end;
    this.#progressAt = this.#storage.host.monotonic();
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
    for (const wake of [...this.#waiting.values()]) wake();
  }

  #more(asker: string, waitMs: number): Promise<void> {
    this.#waiting.get(asker)?.();
    this.#waiting.delete(asker);
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        if (this.#waiting.get(asker) === wake) this.#waiting.delete(asker);
        resolve();
      };
      const cancel = this.#storage.host.after(waitMs, wake);
      this.#waiting.set(asker, wake);
    });
  }

  #keysBetween(from: number, until: number): { readonly keys?: readonly Key[] } {
    const found = new Set<Key>();
    for (const { keys } of this.#hints.slice(Math.max(0, from - this.#dropped), until - this.#dropped)) {
      if (!keys) return {};
      for (const key of keys) {
        const told = toldOf(key);
        if (told !== undefined) found.add(told);
      }
      if (found.size > MOST_KEYS) return {};
    }
    return from < this.#dropped ? {} : { keys: [...found] };
  }
}

const URGENT = /^(head|ready|session)\//;
const AS_THEY_ARE = /^(entry|head|ready|session)\//;

/** Of a row nobody far away looks at, that its run has changed. */
function toldOf(key: Key): Key | undefined {
  if (AS_THEY_ARE.test(key)) return key;
  const run = runOf(key);
  return run === undefined ? undefined : `entry/${run}/`;
}
