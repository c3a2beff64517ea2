import type { Attempt } from '../core/attempts.ts';
import { workerName } from '../core/ids.ts';
import { attemptAt } from './run-source.ts';

/** An attempt, and in which row of its lane it is drawn. */
export interface Bar {
  readonly run: string;
  readonly attempt: Attempt;
  readonly row: number;
}

/** What one worker did. It has as many rows as it did things at once. */
export interface Lane {
  readonly worker: string;
  readonly name: string;
  readonly bars: readonly Bar[];
  readonly rows: number;
}

interface Told {
  readonly run: string;
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
}

/** The lanes of some runs, as they were at a moment of the only one; who came first is first. */
export function lanesOf(runs: readonly Told[], moment: number | undefined): readonly Lane[] {
  const all = runs
    .flatMap(({ run, attempts }) =>
      [...attempts.values()].flat().flatMap((one) => {
        const attempt = attemptAt(one, moment);
        return attempt ? { run, attempt } : [];
      }),
    )
    .sort((one, other) => one.attempt.startedAt - other.attempt.startedAt || one.attempt.seq - other.attempt.seq);
  const lanes = new Map<string, { readonly bars: Bar[]; readonly ends: number[] }>();
  for (const { run, attempt } of all) {
    const lane = lanes.get(attempt.worker) ?? { bars: [], ends: [] };
    lanes.set(attempt.worker, lane);
    const free = lane.ends.findIndex((end) => end <= attempt.startedAt);
    const row = free < 0 ? lane.ends.length : free;
    lane.ends[row] = attempt.endedAt ?? Number.POSITIVE_INFINITY;
    lane.bars.push({ run, attempt, row });
  }
  return [...lanes].map(([worker, { bars, ends }]) => ({ worker, name: workerName(worker), bars, rows: ends.length }));
}
