import type { Found } from './claims.ts';
import type { Codec } from './codec.ts';
import type { Stored } from './events.ts';

/** Most lists that are kept in pieces. */
const KEPT = 8;

/**
 * The lists whose items are under way in this process, in pieces: a list is read once, however many items it has, and
 * each item is decoded on its own, so that nobody sees what a handler makes of its item.
 */
export class Lists {
  readonly #codec: Codec;
  readonly #text: (run: string, stored: Stored) => Promise<string>;
  readonly #kept = new Map<string, Promise<readonly string[]>>();

  constructor(codec: Codec, text: (run: string, stored: Stored) => Promise<string>) {
    this.#codec = codec;
    this.#text = text;
  }

  async take(run: string, { stored, at }: Found & { readonly kind: 'item' }): Promise<unknown> {
    if (stored === undefined) return undefined;
    if (typeof stored === 'string') return (this.#codec.decode(stored) as readonly unknown[])[at];
    const key = `${run}/${stored.row}`;
    let pieces = this.#kept.get(key);
    if (!pieces) {
      pieces = this.#cut(run, stored);
      // What could not be read is read again.
      pieces.catch(() => this.#kept.delete(key));
      for (const old of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - KEPT + 1)))
        this.#kept.delete(old);
    }
    // Those in use stay.
    this.#kept.delete(key);
    this.#kept.set(key, pieces);
    return this.#codec.decode((await pieces)[at] as string);
  }

  async #cut(run: string, stored: Stored): Promise<readonly string[]> {
    const list = this.#codec.decode(await this.#text(run, stored)) as readonly unknown[];
    for (const item of list) await this.#codec.prepare?.(item);
    return list.map((item) => this.#codec.encode(item));
  }
}
