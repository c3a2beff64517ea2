import type { RunReader } from '../../src/core/run-reader.ts';

/** What a fold makes of a run, as far as it does not depend on who looks. */
export interface Fold {
  readonly [run: string]: unknown;
}

/** Every run of a storage as a build folds it, and what it knows of the ended ones' results. */
export async function foldOf(storage: RunReader): Promise<Fold> {
  const folds: Record<string, unknown> = {};
  for (const { id } of (await storage.list({ limit: 1000 })).runs) {
    const { stranded: _, steps, ...run } = await storage.get(id);
    folds[id] = { ...run, steps };
  }
  return sorted(folds);
}

/** How every run of a storage has ended. */
export async function endsOf(storage: RunReader): Promise<Fold> {
  const ends: Record<string, unknown> = {};
  for (const { id, status } of (await storage.list({ limit: 1000 })).runs) {
    const output = await storage.result(id).then(
      (value) => ({ output: storage.codec.encode(value) }),
      (error: Error & { code?: string }) => ({ code: error.code }),
    );
    const { steps } = await storage.get(id);
    ends[id] = { status, ...output, steps: Object.fromEntries(steps.map(({ name, status }) => [name, status])) };
  }
  return sorted(ends);
}

function sorted(record: Readonly<Record<string, unknown>>): Fold {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
