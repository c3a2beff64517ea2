import type { FileRoom } from './file-room.ts';

export interface Figure {
  readonly platform:
    | 'memory'
    | 'file, strict'
    | 'file, relaxed'
    | 'edge'
    | 'bundle'
    | `IndexedDB, ${'strict' | 'relaxed'}`;
  readonly workload: string;
  readonly metric: string;
  /** The median of the rounds. */
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, in the same unit: the raw program, the short run, one process. */
  readonly raw?: number;
  /** `value` in terms of `raw`. */
  readonly ratio?: number;
  readonly min: number;
  readonly max: number;
  /** Rounds. */
  readonly n: number;
  readonly goal?: Goal;
}

export interface Goal {
  readonly of: 'value' | 'ratio';
  readonly at: 'least' | 'most';
  readonly limit: number;
}

export interface BenchOptions {
  readonly rounds: number;
  /** Prepared by the first family that asks. */
  readonly files: () => Promise<FileRoom>;
}

/** Workloads that answer one question. */
export interface Family {
  readonly name: string;
  readonly about: string;
  measure(options: BenchOptions): AsyncGenerator<Figure>;
}

export type Spread = Pick<Figure, 'value' | 'min' | 'max' | 'n'>;

/** What a workload's rounds come to. */
export function spread(rounds: readonly number[]): Spread {
  const sorted = rounds.toSorted((a, b) => a - b);
  return { value: median(sorted), min: sorted[0] as number, max: sorted.at(-1) as number, n: sorted.length };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}

/** How long it takes, in milliseconds. */
export async function clock(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

export async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await work());
  return results;
}

export function meets({ goal, value, ratio }: Figure): boolean {
  if (!goal) return true;
  const measured = goal.of === 'value' ? value : (ratio as number);
  return goal.at === 'least' ? measured >= goal.limit : measured <= goal.limit;
}
