import { type CompiledGraph, type CompiledStep, type GraphStep, type Road, refuse, show, sourcesOf } from './graph.ts';

/**
 * A step that requires two roads of one branch step, of which only one is ever chosen, can never run. `judged` says
 * which branch steps to hold to that: generated graphs may carry such joins on purpose, a person's are mistakes.
 */
export function refuseDeadJoins({ graph, steps }: CompiledGraph, judged: (branch: GraphStep) => boolean): void {
  const where = `workflow ${show(graph.name)}`;
  const branches = steps.filter(({ spec }) => spec.kind === 'branch' && judged(spec)).length;
  if (branches === 0 || branches * steps.length > JOIN_SEARCH) return;
  const demands: ReadonlyMap<number, readonly Road[]>[] = [];
  for (const i of inOrder(steps)) {
    const step = steps[i] as CompiledStep;
    const mine = new Map<number, readonly Road[]>();
    const demand = (branch: number, roads: readonly Road[]) => {
      const left = mine.get(branch)?.filter((road) => roads.includes(road)) ?? roads;
      if (left.length === 0) {
        refuse(
          `${where}: step ${show(step.spec.name)} can never run: it requires roads of branch step ${show(graph.steps[branch]?.name)} that exclude each other; rejoin them with an any-group`,
        );
      }
      mine.set(branch, left);
    };
    for (const { from, on } of step.required) {
      for (const [branch, roads] of demands[from] ?? []) demand(branch, roads);
      const source = steps[from] as CompiledStep;
      if (!on || !judged(source.spec)) continue;
      const choosable = on.filter((road) => road !== null || canFallThrough(source));
      if (choosable.length === 0) {
        refuse(
          `${where}: step ${show(step.spec.name)} can never run: every road that branch step ${show(source.spec.name)} declares has an edge of its own, so its otherwise is never chosen`,
        );
      }
      demand(from, choosable);
    }
    demands[i] = mine;
  }
}

// Above this many pairs of step and branch the search would be felt at definition time.
const JOIN_SEARCH = 10_000_000;

/** A branch step skipped by a condition of its own, or one with a declared road no edge waits for, chooses otherwise. */
function canFallThrough({ spec, roads }: CompiledStep): boolean {
  return !spec.roads?.every((road) => roads.has(road)) || (spec.needs ?? []).some((need) => need.when);
}

/** Every step behind all of its sources. The graph has no cycle. */
function inOrder(steps: readonly CompiledStep[]): readonly number[] {
  const open = steps.map((step) => new Set(sourcesOf(step)).size);
  const order = steps.flatMap((_, i) => (open[i] === 0 ? [i] : []));
  for (let at = 0; at < order.length; at++) {
    for (const { to } of steps[order[at] as number]?.dependents ?? []) {
      open[to] = (open[to] ?? 0) - 1;
      if (open[to] === 0) order.push(to);
    }
  }
  return order;
}
