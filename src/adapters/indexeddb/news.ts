import { Listeners } from '../../core/listeners.ts';
import type { Hint, Key } from '../../core/store.ts';
import { pageHost } from './page-host.ts';

/** More keys than this are not named: who hears of them looks at everything. */
const MOST_KEYS = 200;

/** A message costs as much as a third of a commit. So the first is sent at once, and what follows so closely together. */
const GATHER_MS = 8;

/**
 * Tells the other tabs, workers and handles of an origin which keys changed. A message may be lost, come twice, or come
 * from another version of this code: it is no more than a reason to look.
 */
export class News {
  readonly #name: string;
  readonly #listeners = new Listeners<Hint>();
  #channel: BroadcastChannel | undefined;
  #untold: Key[] = [];
  #cancelNext: (() => void) | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  tell(keys: readonly Key[]): void {
    if (keys.length === 0) return;
    this.#untold.push(...keys);
    if (!this.#cancelNext) this.#tellNow();
  }

  listen(listener: (hint: Hint) => void): () => void {
    const unlisten = this.#listeners.add(listener);
    const channel = this.#open();
    if (channel) channel.onmessage = ({ data }) => this.#hear(data);
    return () => {
      unlisten();
      if (channel && this.#listeners.size === 0) channel.onmessage = null;
    };
  }

  close(): void {
    this.#cancelNext?.();
    if (this.#untold.length > 0) this.#post();
    this.#listeners.clear();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #tellNow(): void {
    this.#post();
    this.#cancelNext = pageHost.after(GATHER_MS, () => {
      this.#cancelNext = undefined;
      if (this.#untold.length > 0) this.#tellNow();
    });
  }

  #post(): void {
    const keys = this.#untold;
    this.#untold = [];
    this.#open()?.postMessage(keys.length > MOST_KEYS ? undefined : keys);
  }

  #hear(data: unknown): void {
    this.#listeners.tell(isKeys(data) ? { keys: data } : {});
  }

  #open(): BroadcastChannel | undefined {
    if (typeof BroadcastChannel === 'undefined') return undefined;
    this.#channel ??= new BroadcastChannel(this.#name);
    return this.#channel;
  }
}

function isKeys(data: unknown): data is readonly Key[] {
  return Array.isArray(data) && data.every((key) => typeof key === 'string');
}
