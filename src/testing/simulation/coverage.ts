/** What a simulation reached, counted by kind. */
export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  note(kind: string, what: string, times = 1): void {
    if (times === 0) return;
    const counts = this.#counts.get(kind) ?? new Map<string, number>();
    this.#counts.set(kind, counts);
    counts.set(what, (counts.get(what) ?? 0) + times);
  }

  count(kind: string, what: string): number {
    return this.#counts.get(kind)?.get(what) ?? 0;
  }

  add(other: Coverage): void {
    for (const [kind, counts] of other.#counts) for (const [what, times] of counts) this.note(kind, what, times);
  }

  /** Those of `expected` that were never met. */
  missing(expected: Readonly<Record<string, readonly string[]>>): readonly string[] {
    return Object.entries(expected).flatMap(([kind, all]) =>
      all.filter((what) => this.count(kind, what) === 0).map((what) => `${kind}: ${what}`),
    );
  }

  report(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    const sorted = ([...counts]: Map<string, number>) =>
      Object.fromEntries(counts.sort(([a], [b]) => (a < b ? -1 : 1)));
    return Object.fromEntries([...this.#counts].map(([kind, counts]) => [kind, sorted(counts)]));
  }
}
