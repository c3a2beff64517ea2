/** What every engine is given to do; each names it in its own way. */
export interface Task {
  readonly kind: 'chain' | 'fan' | 'short' | 'held';
  /** Steps. */
  readonly size: number;
}

/** The small object a step returns. */
export interface Result {
  readonly value: number;
}

export const FAN_CONCURRENCY = 64;
export const ZERO: Result = { value: 0 };

/** The one step body of all workloads. */
export function one(before: Result): Result {
  onStep();
  return { value: before.value + 1 };
}

let onStep = () => {};

/** Who measures wants to know how far a slow engine came. */
export function countSteps(count: () => void): void {
  onStep = count;
}

/** What comes out when every step ran once and its result was handed on. */
export function expected({ kind, size }: Task): number {
  return kind === 'fan' ? (size * (size + 1)) / 2 : size;
}

/** How an engine that runs an ordinary function runs one step of it. */
type RunStep = (name: string, body: () => Promise<Result>) => Promise<Result>;

/** The workflow as those engines have it: an ordinary function that awaits steps. */
export async function perform({ kind, size }: Task, step: RunStep, held: () => Promise<Result>): Promise<number> {
  if (kind === 'held') return (await step('held', held)).value;
  if (kind === 'fan')
    return sum(await atMost(FAN_CONCURRENCY, size, (i) => step(`s${i}`, async () => one({ value: i }))));
  let last = ZERO;
  for (let i = 0; i < size; i++) {
    const before = last;
    last = await step(`s${i}`, async () => one(before));
  }
  return last.value;
}

export function sum(results: readonly Result[]): number {
  return results.reduce((total, { value }) => total + value, 0);
}

async function atMost<T>(limit: number, count: number, start: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const i = next++;
      results[i] = await start(i);
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
