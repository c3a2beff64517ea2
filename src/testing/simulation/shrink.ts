import type { Edge, Graph, GraphStep, Need } from '../../core/graph.ts';
import type { WorkflowPlan, WorldPlan } from './plan.ts';
import type { Invariant } from './violation.ts';

type After = NonNullable<GraphStep['after']>[number];

/** Most worlds that are tried to make one smaller. */
const TRIES = 400;

/**
 * Takes away from a plan whatever its violation does not need: runs, actions, workers, faults, steps. `breaks` answers
 * which promise a plan breaks; it has to be the same one.
 */
export async function shrink(
  plan: WorldPlan,
  broken: Invariant,
  breaks: (plan: WorldPlan) => Promise<Invariant | undefined>,
): Promise<WorldPlan> {
  let smallest = plan;
  let tries = 0;
  for (let smaller = true; smaller; ) {
    smaller = false;
    for (const candidate of candidates(smallest)) {
      if (++tries > TRIES) return smallest;
      if ((await breaks(candidate)) !== broken) continue;
      smallest = candidate;
      smaller = true;
      break;
    }
  }
  return smallest;
}

function* candidates(plan: WorldPlan): Generator<WorldPlan> {
  const { actions, runs, workers, faults, workflows } = plan;
  if (actions.length > 3) yield { ...plan, actions: actions.slice(0, actions.length / 2) };
  for (const i of actions.keys()) yield { ...plan, actions: actions.toSpliced(i, 1) };
  for (const i of runs.keys()) if (runs.length > 1) yield withoutRun(plan, i);
  if (workers.length > 1) yield withoutLastWorker(plan);
  for (const fault of ['failBefore', 'failAfter', 'conflict', 'dropHint', 'doubleHint'] as const)
    if (faults[fault]) yield { ...plan, faults: { ...faults, [fault]: 0 } };
  for (const [i, workflow] of workflows.entries()) {
    for (const smaller of smallerWorkflows(workflow)) yield { ...plan, workflows: workflows.with(i, smaller) };
  }
}

function withoutRun(plan: WorldPlan, run: number): WorldPlan {
  const actions = plan.actions.flatMap((action) => {
    if (action.type !== 'command' || action.run < run) return [action];
    return action.run === run ? [] : [{ ...action, run: action.run - 1 }];
  });
  return { ...plan, runs: plan.runs.toSpliced(run, 1), actions };
}

function withoutLastWorker(plan: WorldPlan): WorldPlan {
  const last = plan.workers.length - 1;
  const actions = plan.actions.filter((action) => !('worker' in action) || action.worker !== last);
  return { ...plan, workers: plan.workers.slice(0, -1), actions };
}

function* smallerWorkflows({ graph, fates }: WorkflowPlan): Generator<WorkflowPlan> {
  for (const i of [...graph.steps.keys()].reverse()) {
    if (graph.steps.length > 1) yield { graph: withoutStep(graph, i), fates: fates.toSpliced(i, 1) };
  }
  const { failOn, deadlineMs, ...plain } = graph;
  if (failOn !== undefined || deadlineMs !== undefined) yield { graph: plain, fates };
}

/** A step whose list is gone is one like the others. */
function withoutList(step: GraphStep): GraphStep {
  if (step.kind !== 'each') return step;
  const { kind: _, limit: __, settle: ___, ...plain } = step;
  return plain;
}

function withoutStep(graph: Graph, index: number): Graph {
  const gone = graph.steps[index]?.name;
  const left = (edges: readonly Edge[]): readonly Edge[] => edges.filter(({ step }) => step !== gone);
  const need = (one: Need): readonly Need[] => {
    if (one.from === 'any') return left(one.of).length < 2 ? [] : [{ ...one, of: left(one.of) }];
    return 'step' in one && one.step === gone ? [] : [one];
  };
  const after = (one: After): readonly After[] => {
    if ('any' in one) return left(one.any).length < 2 ? [] : [{ any: left(one.any) }];
    return left([one]);
  };
  const steps = graph.steps.toSpliced(index, 1);
  const { output, ...rest } = graph;
  const outputs =
    output && 'record' in output ? output.record.filter(([, of]) => !('step' in of && of.step === gone)) : [];
  return {
    ...rest,
    ...(outputs.length > 0 && { output: { record: outputs } }),
    steps: steps.map((step) => ({
      ...(step.needs?.flatMap(need).length === 0 ? withoutList(step) : step),
      ...(step.needs && { needs: step.needs.flatMap(need) }),
      ...(step.after && { after: step.after.flatMap(after) }),
    })),
  };
}
