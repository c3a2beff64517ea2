import { FuselineError } from '../../core/errors.ts';
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

export function lost(path: string, at: number, version: number): FuselineError {
  return new FuselineError(
    'STORAGE_CORRUPT',
    `the record at byte ${at} of ${path} builds on one at position ${version} that is no longer readable; restore the directory from a backup`,
  );
}

export function damaged(path: string, at: number): FuselineError {
  return new FuselineError(
    'STORAGE_CORRUPT',
    `${path} is damaged at byte ${at}: no crash leaves this behind, something altered the file; restore the directory from a backup`,
  );
}

export function goneFrom(path: string, what: string): FuselineError {
  return new FuselineError(
    'STORAGE_FAILED',
    `${path} was ${what} while in use; nothing is written any more, restart this process`,
  );
}
