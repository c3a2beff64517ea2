import { canRun, type Definition, definitionFor, queuesOf } from './definition.ts';
import {
  type CompiledGraph,
  type CompiledStep,
  DEFAULT_QUEUE,
  type GraphStep,
  type Need,
  type Source,
} from './graph.ts';
import { type RunState, SUCCEEDED } from './run-state.ts';

/**
 * Why a run would not go on under other definitions as under those it was made with. `stranded`: nobody could run the
 * step. `other-shape`: the new code would run, on values it was not written for. `other-version`: the author said that
 * the two are not the same, and nothing more is known.
 */
export interface Misfit {
  readonly effect: 'stranded' | 'other-shape' | 'other-version';
  /** `undefined`: the run as a whole. */
  readonly step?: string;
  /** What is wrong, without the step: "the definition has no step of this name". */
  readonly why: string;
}

/**
 * What would become of a run if workers had these definitions and no others; `undefined` if none of them is of its
 * workflow. The run keeps its own graph, so order, retries, timeouts and output stay as they were: only the handlers
 * are new. Graphs tell which parameters a handler takes, where their values come from, and what a branch step may choose.
 * They do not tell the types of values, nor what the code does with them.
 */
export function misfits(state: RunState, definitions: readonly Definition[]): readonly Misfit[] | undefined {
  const { created, graph } = state;
  const definition = definitionFor(definitions, created, graph);
  if (!definition) return undefined;
  if (state.ended) return [];
  const found: Misfit[] = [];
  const queues = queuesOf(definitions);
  graph.steps.forEach(({ spec }, step) => {
    if ((state.status[step] as number) >= SUCCEEDED) return;
    const stranded = whyStranded(definition, graph, step, queues);
    if (stranded !== undefined) found.push({ effect: 'stranded', step: spec.name, why: stranded });
    else
      for (const why of otherShapes(definition.compiled, graph, step))
        found.push({ effect: 'other-shape', step: spec.name, why });
  });
  const { version } = definition.compiled.graph;
  if (definition.compiled.hash !== graph.hash && version !== created.version) {
    const why = `it is of ${versionText(created.version)} and would run on the code of ${versionText(version)}`;
    found.push({ effect: 'other-version', why });
  }
  return found;
}

function whyStranded(
  definition: Definition,
  graph: CompiledGraph,
  step: number,
  queues: readonly string[],
): string | undefined {
  const { name, kind, needs = [], fallback, queue = DEFAULT_QUEUE } = (graph.steps[step] as CompiledStep).spec;
  if (!canRun(definition, graph, step)) {
    const handler = definition.handlers.get(name);
    if (!handler) return 'the definition has no handler for it';
    if (fallback && !handler.fallback) return 'the definition has no fallback for it any more';
    if (kind === 'loop' && !handler.until) return 'the definition does not say any more when its loop has enough';
    const param = needs.find((need) => need.when && !handler.conditions?.has(need.param))?.param;
    return `the definition has no condition on its need ${show(param)} any more`;
  }
  if (!queues.includes(queue)) return `it waits in queue ${show(queue)}, which only a worker told to would still serve`;
  return undefined;
}

/** In what the handler of the new graph would be surprised by what the old graph gives it, or does with its result. */
function otherShapes(after: CompiledGraph, before: CompiledGraph, step: number): readonly string[] {
  const was = before.steps[step] as CompiledStep;
  const is = after.steps[after.index.get(was.spec.name) ?? -1];
  if (!is || before.hash === after.hash) return [];
  const found: string[] = [];
  if (was.spec.kind !== is.spec.kind) found.push(otherKind(was, is));
  else if (was.spec.workflow !== is.spec.workflow)
    found.push(`it has ${calledText(is)} run now, and the run has ${calledText(was)}`);
  else if (is.spec.kind === 'branch') found.push(...otherRoads(was, is));
  const wasNeeds = new Map((was.spec.needs ?? []).map((need) => [need.param, need]));
  const isNeeds = new Map((is.spec.needs ?? []).map((need) => [need.param, need]));
  for (const [param, need] of isNeeds) {
    const old = wasNeeds.get(param);
    if (!old) found.push(`it takes ${show(param)} now, which the run does not give it`);
    else found.push(...otherNeed(need, old, after, before));
  }
  for (const param of wasNeeds.keys())
    if (!isNeeds.has(param)) found.push(`it no longer takes ${show(param)}, which the run gives it`);
  return found;
}

function otherKind({ spec: was }: CompiledStep, { spec: is }: CompiledStep): string {
  if (was.kind === 'branch') return 'the run takes its result for a road, and the new one chooses none';
  if (is.kind === 'branch') return 'the run takes its result for a value, and the new one hands back a road';
  return `the run has it as ${KINDS[was.kind ?? 'step']}, and the new one is ${KINDS[is.kind ?? 'step']}`;
}

function calledText({ spec: { workflow } }: CompiledStep): string {
  return workflow === undefined ? 'a workflow that is named only when it runs' : `workflow ${show(workflow)}`;
}

const KINDS: Readonly<Record<NonNullable<GraphStep['kind']> | 'step', string>> = {
  step: 'a step',
  branch: 'a branch step',
  sleep: 'a step that sleeps',
  wait: 'a step that waits for a signal',
  loop: 'a loop',
  each: 'a step that runs for each item of a list',
  run: 'a step that has a workflow run',
};

function otherNeed(need: Need, old: Need, after: CompiledGraph, before: CompiledGraph): readonly string[] {
  const { param } = need;
  const from = sourceText(need, after);
  const wasFrom = sourceText(old, before);
  if (from !== wasFrom) return [`it takes ${show(param)} from ${from} now, and the run gives it that of ${wasFrom}`];
  if (need.when && !old.when) return [`it has a condition on ${show(param)} now, which the run does not ask`];
  return [];
}

function otherRoads(was: CompiledStep, is: CompiledStep): readonly string[] {
  const unknown = [...is.roads].filter((road) => !was.roads.has(road));
  const gone = [...was.roads].filter((road) => !is.roads.has(road));
  return [
    ...(unknown.length > 0
      ? [`it may choose ${unknown.map(show).join(' or ')} now, which the run takes for its otherwise`]
      : []),
    ...(gone.length > 0 ? [`the run waits for ${gone.map(show).join(' or ')}, which nothing does any more`] : []),
  ];
}

/** Where a value comes from, down to what kind of step made it: a road is not what a plain step of that name hands back. */
function sourceText(source: Source, graph: CompiledGraph): string {
  const step = (name: string): string => {
    const at = graph.index.get(name);
    return `${at !== undefined && graph.steps[at]?.spec.kind === 'branch' ? 'branch step' : 'step'} ${show(name)}`;
  };
  switch (source.from) {
    case 'input':
      return 'the input';
    case 'step':
      return step(source.step);
    case 'settled':
      return `the end of ${step(source.step)}`;
    case 'any':
      return `any of ${source.of
        .map((edge) => step(edge.step))
        .sort()
        .join(', ')}`;
  }
}

function versionText(version: string | undefined): string {
  return version === undefined ? 'no version' : `version ${version}`;
}

function show(name: string | undefined): string {
  return JSON.stringify(name ?? '');
}
