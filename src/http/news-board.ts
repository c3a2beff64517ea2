import type { FarNews } from '../adapters/http/wire.ts';
import { runOf } from '../core/keys.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import type { Hint, Key } from '../core/store.ts';

/** So many hints are kept for those who come back late, and so many rows are named in one answer. */
const MOST_HINTS = 1000;
const MOST_KEYS = 500;

/** What changed lately, for those who can only ask now and then. It listens from when it is first asked. */
export class NewsBoard {
  readonly #storage: RuntimeStorage;
  /** Another one after every start, of which no cursor of another board tells anything. */
  readonly #name: string;
  readonly #hints: Hint[] = [];
  #dropped = 0;
  readonly #waiting = new Map<string, () => void>();
  #listens = false;

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
    if (from === this.#end) await this.#more(asker, waitMs);
    return { cursor: `${this.#name}.${this.#end}`, ...(from !== undefined && this.#keysFrom(from)) };
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
    for (const wake of this.#waiting.values()) wake();
    this.#waiting.clear();
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

  #keysFrom(from: number): { readonly keys?: readonly Key[] } {
    const found = new Set<Key>();
    for (const { keys } of this.#hints.slice(Math.max(0, from - this.#dropped))) {
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

const AS_THEY_ARE = /^(entry|head|ready|session)\//;

/** Of a row nobody far away looks at, that its run has changed. */
function toldOf(key: Key): Key | undefined {
  if (AS_THEY_ARE.test(key)) return key;
  const run = runOf(key);
  return run === undefined ? undefined : `entry/${run}/`;
}
