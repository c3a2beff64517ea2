import { parseReady } from './keys.ts';

/**
 * How long a worker leaves a ready row alone after it found nothing there for itself. The row stays as it is while others'
 * work stands first in the line, whatever joins behind it, and the hint that tells of that may be lost.
 */
const AGAIN_MS = 30_000;

/** Ready rows a worker can do nothing with. One that changes has another key; one that does not may yet have more to it. */
export class PassedBy {
  readonly #rows = new Map<string, Map<string, number>>();

  /** The runs that have such rows. */
  get runs(): readonly string[] {
    return [...this.#rows.keys()];
  }

  add(rows: readonly string[], now: number): void {
    for (const row of rows) {
      const { run } = parseReady(row);
      const known = this.#rows.get(run) ?? new Map<string, number>();
      this.#rows.set(run, known.set(row, now + AGAIN_MS));
    }
  }

  has(row: string, now: number): boolean {
    const until = this.#rows.get(parseReady(row).run)?.get(row);
    return until !== undefined && now < until;
  }

  /** There is news of a run: what was found out about it holds no longer. Answers whether anything was. */
  forget(run: string): boolean {
    return this.#rows.delete(run);
  }

  forgetAll(): boolean {
    const any = this.#rows.size > 0;
    this.#rows.clear();
    return any;
  }

  /** Forgets the rows of a line that are not in it any more. */
  keep(prefix: string, present: ReadonlySet<string>): void {
    for (const [run, rows] of this.#rows) {
      for (const row of rows.keys()) if (row.startsWith(prefix) && !present.has(row)) rows.delete(row);
      if (rows.size === 0) this.#rows.delete(run);
    }
  }
}
