import type { Head } from './record.ts';
import type { Rows } from './rows.ts';

/**
 * What was skipped while reading the log, and what it proves later. A crash may leave pieces that are no records, and a
 * changed byte may make such a piece of a record that everybody had read.
 */
export class Losses {
  readonly #torn = new Set<number>();
  readonly #zeros: (readonly [from: number, to: number])[] = [];

  /** The beginning of a record, whose writer died. */
  skipTorn(position: number): void {
    this.#torn.add(position);
  }

  /** Sectors a power cut emptied. What was there had not been synced, nor had what built on it. */
  skipZeros(from: number, to: number): void {
    this.#zeros.push([from, to]);
  }

  /**
   * The expected version that proves a loss. Whoever expects a version has read it in this log. If it lies ahead of the
   * current one, or where a torn piece was skipped, a record that was whole is so no longer.
   */
  proofIn(expect: Head['expect'], rows: Rows): number | undefined {
    for (const [key, version] of expect ?? []) {
      if (version === null || this.#zeros.some(([from, to]) => from <= version && version < to)) continue;
      if (this.#torn.has(version) || version > (rows.get(key)?.version ?? Number.POSITIVE_INFINITY)) return version;
    }
    return undefined;
  }
}
