import { type Step, typed, type Workflow, workflow } from '../dist/index.js';
import { one, type Result, sum, type Task, ZERO } from './tasks.ts';

/** The task as a graph of ours. */
export function define({ kind, size }: Task, held: () => Promise<Result>): Workflow<null, number> {
  return workflow(nameOf({ kind, size }), { input: typed<null>() }, ($) => {
    if (kind === 'held') {
      const result = $.step('held', {}, held);
      return $.step('value', { result }, ({ result }) => result.value);
    }
    if (kind === 'fan') {
      const steps = Array.from(
        { length: size },
        (_, i) => [`s${i}`, $.step(`s${i}`, {}, () => one({ value: i }))] as const,
      );
      return $.step('sum', Object.fromEntries(steps), (results) => sum(Object.values(results)));
    }
    let last: Step<Result> = $.step('s0', {}, () => one(ZERO));
    for (let i = 1; i < size; i++) last = $.step(`s${i}`, { before: last }, ({ before }) => one(before));
    return $.step('value', { last }, ({ last }) => last.value);
  });
}

export function nameOf({ kind, size }: Task): string {
  return `${kind}-${size}`;
}
