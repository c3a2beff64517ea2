import { canonical } from './codec.ts';
import { FuselineError } from './errors.ts';
import { contentHash, isName } from './ids.ts';
import { MAX_PRIORITY } from './keys.ts';

/**
 * A workflow without its code: plain data, stored with every run. Steps are named, and refer to each other by name.
 * `workflow()` writes it; `defineGraph()` takes it from anywhere.
 */
export interface Graph {
  readonly name: string;
  readonly version?: string;
  readonly steps: readonly GraphStep[];
  /** What the run hands back: one value, or a record of them. Without it a run has no output. */
  readonly output?: Source | { readonly record: readonly (readonly [key: string, source: Source])[] };
  /** `'first'`: the first FAILED step cancels everything unfinished. */
  readonly failOn?: 'first';
  /** Milliseconds from dispatch after which what is left is cancelled and the run ends FAILED. */
  readonly deadlineMs?: number;
}

export interface GraphStep {
  readonly name: string;
  /**
   * `branch`: its result chooses a road. `sleep`: it ends when its time has come. `wait`: it ends when the run is told
   * what it waits for; no worker holds a step that sleeps or waits. `loop`: its body is run again on what it handed back,
   * each round an entry of the journal, until it has enough. `each`: its handler runs once per item of a list that is
   * known when the run gets there. `run`: its handler makes the input of another workflow, whose run it waits for.
   */
  readonly kind?: 'branch' | 'sleep' | 'wait' | 'loop' | 'each' | 'run';
  /** Those a branch step may choose, where that is known. */
  readonly roads?: readonly string[];
  /** How long a step sleeps; without it the handler says until when. How long a step waits at most, or for a run's end. */
  readonly forMs?: number;
  /** The signal a step waits for, and whether the handler checks what came with it. */
  readonly signal?: string;
  readonly check?: 'handler';
  /** Most rounds of a loop, and the time between two of them. */
  readonly rounds?: number;
  readonly everyMs?: number;
  /** Most items under way at once. */
  readonly limit?: number;
  /** Items that fail are results as well; otherwise the first of them ends the step. */
  readonly settle?: 'items';
  /** The name of the workflow a step has run, where it is known beforehand. */
  readonly workflow?: string;
  readonly needs?: readonly Need[];
  /** Order only: nothing is handed over. */
  readonly after?: readonly (Edge | { readonly any: readonly Edge[] })[];
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  /** The handler brings a fallback, run once the step would FAIL. */
  readonly fallback?: 'handler';
  readonly queue?: string;
  readonly priority?: number;
  /** Only a worker that is online runs the step, and an attempt that met no network does not count. */
  readonly requires?: Requirement;
}

export type Requirement = 'network';

/** A parameter of the handler and where its value comes from; `when`: the handler brings a condition on it. */
export type Need = Source & { readonly param: string; readonly when?: 'handler' };

export type Source =
  | { readonly from: 'input' }
  | ({ readonly from: 'step' } & Edge)
  | { readonly from: 'any'; readonly of: readonly Edge[] }
  | { readonly from: 'settled'; readonly step: string };

/** An edge from `step`. `on`: only when that branch step chose one of these roads; `null` is its `otherwise`. */
export interface Edge {
  readonly step: string;
  readonly on?: readonly Road[];
}

export type Road = string | null;

export interface RetryPolicy {
  /** Attempts in all, at least 1. */
  readonly attempts: number;
  readonly backoff?: 'exponential' | 'linear' | 'constant';
  readonly baseMs?: number;
  readonly factor?: number;
  readonly maxMs?: number;
  readonly jitter?: 'full' | 'none';
  /** How often the step may take its worker down with it before it FAILS with `WORKER_LOST`. Default 5. */
  readonly losses?: number;
}

/** Most items of one list. */
export const MAX_ITEMS = 100_000;

/** Most steps of one graph that have a workflow run: to cancel all of them is one commit. */
export const MAX_CALLS = 2000;

/** Most runs above another: who calls itself ends there. */
export const MAX_DEPTH = 32;

/** Most steps of one graph. */
export const MAX_STEPS = 200_000;

/** A graph made ready to decide on: names became positions, edges know both their ends. */
export interface CompiledGraph {
  readonly graph: Graph;
  /** The canonical text, and its hash. */
  readonly text: string;
  readonly hash: string;
  readonly steps: readonly CompiledStep[];
  readonly index: ReadonlyMap<string, number>;
  /** Where queued steps wait: one line per queue and priority, most urgent first. */
  readonly lines: readonly Line[];
  /** How many any-groups there are in all. */
  readonly groups: number;
  /** The steps whose success the run's depends on: those without successors, and the declared outputs. */
  readonly decisive: readonly number[];
  /** Where a signal goes: the steps that wait for it, by its name. */
  readonly waits: ReadonlyMap<string, readonly number[]>;
  /** The lowest protocol of an engine that may decide on a run of it. */
  readonly protocol: number;
}

export interface Line {
  readonly queue: string;
  readonly priority: number;
}

export interface CompiledStep {
  readonly spec: GraphStep;
  readonly required: readonly CompiledEdge[];
  readonly groups: readonly CompiledGroup[];
  /** Sources that only have to be final. */
  readonly settled: readonly number[];
  readonly dependents: readonly Dependent[];
  readonly line: number;
  /** The roads some edge waits for. */
  readonly roads: ReadonlySet<string>;
}

export interface CompiledEdge {
  readonly from: number;
  /** `undefined`: whatever road was chosen. */
  readonly on: readonly Road[] | undefined;
}

export interface CompiledGroup {
  /** Unique in the graph. */
  readonly id: number;
  readonly members: readonly CompiledEdge[];
}

/** What the end of a step means to another: the edge that must be live, the groups it is a member of. */
export interface Dependent {
  readonly to: number;
  readonly required: CompiledEdge | undefined;
  readonly groups: readonly CompiledGroup[];
  readonly settled: boolean;
}

export const DEFAULT_QUEUE = 'default';

/** Checks a graph and compiles it. Every definition error is thrown here, and names the steps. */
export function compileGraph(graph: Graph): CompiledGraph {
  if (!isName(graph.name)) refuse(`a workflow's name is ${show(graph.name)}; give it 1 to 256 characters`);
  const where = `workflow ${show(graph.name)}`;
  if (!Array.isArray(graph.steps) || graph.steps.length === 0) refuse(`${where} has no steps`);
  if (graph.steps.length > MAX_STEPS)
    refuse(`${where} has ${graph.steps.length} steps; at most ${MAX_STEPS} are allowed`);

  checkTerms(graph, where);
  const calls = graph.steps.filter(({ kind }) => kind === 'run').length;
  if (calls > MAX_CALLS)
    refuse(`${where} has ${calls} steps that have a workflow run; at most ${MAX_CALLS} are allowed`);
  const index = indexSteps(graph, where);
  const lines = linesOf(graph, where);
  const drafts: Draft[] = graph.steps.map((spec) => ({ spec, required: new Map(), groups: [], settled: new Set() }));
  // As they are written: a road whose edge counts together with a plain one still has an edge of its own.
  const roads = graph.steps.map(() => new Set<string>());
  let groups = 0;

  const find = (name: string, by: string): number => {
    const found = index.get(name);
    if (found === undefined) refuse(`${where}: ${by} refers to step ${show(name)}, which does not exist`);
    return found as number;
  };
  const edge = ({ step, on }: Edge, by: string): CompiledEdge => {
    const from = find(step, by);
    const spec = graph.steps[from] as GraphStep;
    if (on && spec.kind !== 'branch')
      refuse(`${where}: ${by} waits for a road of step ${show(step)}, which is not a branch step`);
    if (on?.length === 0)
      refuse(`${where}: ${by} waits for none of the roads of branch step ${show(step)}; name one at least`);
    for (const road of on ?? []) {
      if (road !== null) roads[from]?.add(road);
      if (road !== null && spec.roads && !spec.roads.includes(road)) {
        refuse(
          `${where}: ${by} waits for road ${show(road)} of branch step ${show(step)}, which only declares ${spec.roads.map(show).join(', ')}`,
        );
      }
    }
    return { from, on };
  };

  for (const draft of drafts) {
    const by = `step ${show(draft.spec.name)}`;
    const params = new Set<string>();
    for (const need of draft.spec.needs ?? []) {
      if (params.has(need.param)) refuse(`${where}: ${by} has two needs called ${show(need.param)}`);
      params.add(need.param);
      if (need.from === 'step') require(draft.required, edge(need, by));
      else if (need.from === 'settled') draft.settled.add(find(need.step, by));
      else if (need.from === 'any') draft.groups.push({ id: groups++, members: group(need.of, by) });
      else if (need.from !== 'input')
        refuse(
          `${where}: ${by} takes ${show((need as Need).param)} from ${show((need as Need).from)}; write 'input', 'step', 'any' or 'settled'`,
        );
    }
    for (const after of draft.spec.after ?? []) {
      if ('any' in after) draft.groups.push({ id: groups++, members: group(after.any, by) });
      else require(draft.required, edge(after, by));
    }
  }

  function group(of: readonly Edge[], by: string): readonly CompiledEdge[] {
    const members = new Map<number, CompiledEdge>();
    for (const member of of) require(members, edge(member, by));
    if (members.size < 2)
      refuse(`${where}: ${by} waits for any of ${members.size} step; an any-group has at least two members`);
    return [...members.values()];
  }

  const steps = connect(drafts, lines, roads);
  refuseCycles(steps, where);

  const outputs =
    graph.output === undefined
      ? []
      : 'record' in graph.output
        ? graph.output.record.map(([, source]) => source)
        : [graph.output];
  const decisive = new Set<number>();
  for (const source of outputs) {
    if (source.from === 'step') decisive.add(edge(source, 'the output').from);
    if (source.from === 'settled') find(source.step, 'the output');
    if (source.from === 'any') group(source.of, 'the output');
  }
  steps.forEach((step, i) => step.dependents.length === 0 && decisive.add(i));

  const text = canonical(JSON.stringify(graph));
  return {
    graph,
    text,
    hash: contentHash(text),
    steps,
    index,
    lines,
    groups,
    decisive: [...decisive],
    waits: waitsOf(graph),
    protocol: Math.max(...graph.steps.map(protocolOf)),
  };
}

function waitsOf(graph: Graph): ReadonlyMap<string, readonly number[]> {
  const waits = new Map<string, number[]>();
  graph.steps.forEach((spec, step) => {
    if (spec.kind !== 'wait') return;
    const known = waits.get(signalOf(spec)) ?? [];
    waits.set(signalOf(spec), known);
    known.push(step);
  });
  return waits;
}

/** The signal a wait step waits for: of its own name, unless told. */
export function signalOf({ name, signal = name }: GraphStep): string {
  return signal;
}

function protocolOf({ kind, requires }: GraphStep): number {
  if (kind === 'run') return 5;
  if (kind === 'each') return 4;
  if (kind === 'sleep' || kind === 'wait' || kind === 'loop') return 3;
  return requires === undefined ? 1 : 2;
}

/** A journal names an item of a step by one number: more than any step has, so that nobody needs the list to read it. */
const ITEMS = 2 ** 18;

export function itemName(step: number, item: number): number {
  return step + (item + 1) * ITEMS;
}

/** The step a number of the journal names, and which of its items, if it is one. */
export function parseName(name: number): { readonly step: number; readonly item: number | undefined } {
  return name < ITEMS ? { step: name, item: undefined } : { step: name % ITEMS, item: Math.floor(name / ITEMS) - 1 };
}

/** Whether a step ever comes to a worker. */
export function needsWorker({ kind, forMs, check, fallback }: GraphStep): boolean {
  if (kind === 'sleep') return forMs === undefined;
  return kind !== 'wait' || check !== undefined || fallback !== undefined;
}

interface Draft {
  readonly spec: GraphStep;
  readonly required: Map<number, CompiledEdge>;
  readonly groups: CompiledGroup[];
  readonly settled: Set<number>;
}

const BACKOFFS: readonly unknown[] = ['exponential', 'linear', 'constant', undefined];
const JITTERS: readonly unknown[] = ['full', 'none', undefined];

/** What a graph from elsewhere may say in a way that no type has checked. */
function checkTerms(graph: Graph, where: string): void {
  const number = (what: string, value: unknown, least = 0): void => {
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= least)) return;
    refuse(`${where}: ${what} is ${show(value)}; write a number, ${least} or more`);
  };
  const oneOf = (what: string, value: unknown, known: readonly unknown[]): void => {
    if (!known.includes(value))
      refuse(`${where}: ${what} is ${show(value)}; write ${known.filter(Boolean).map(show).join(' or ')}`);
  };
  if (graph.version !== undefined && typeof graph.version !== 'string')
    refuse(`${where}: its version is ${show(graph.version)}; write a text`);
  number('its deadlineMs', graph.deadlineMs);
  oneOf('its failOn', graph.failOn, ['first', undefined]);
  for (const step of graph.steps) {
    const { name, kind, timeoutMs, forMs, signal, check, fallback, requires, retry = { attempts: 1 } } = step;
    const { rounds, everyMs, limit, settle, workflow } = step;
    const of = (what: string) => `the ${what} of step ${show(name)}`;
    oneOf(of('kind'), kind, ['branch', 'sleep', 'wait', 'loop', 'each', 'run', undefined]);
    if (workflow !== undefined && kind !== 'run')
      refuse(`${where}: step ${show(name)} names a workflow, and is no step that has one run`);
    if (workflow !== undefined && !isName(workflow))
      refuse(`${where}: step ${show(name)} has workflow ${show(workflow)} run; give it 1 to 256 characters`);
    number(of('limit'), limit, 1);
    oneOf(of('settle'), settle, ['items', undefined]);
    if ((limit !== undefined || settle !== undefined) && kind !== 'each')
      refuse(`${where}: step ${show(name)} has a limit of items, and takes no list`);
    if (kind === 'each' && step.needs?.length !== 1)
      refuse(
        `${where}: step ${show(name)} runs for each item of a list, and takes ${step.needs?.length ?? 0} needs; it takes one, the list`,
      );
    number(of('everyMs'), everyMs);
    number(of('rounds'), rounds, 1);
    if ((rounds !== undefined || everyMs !== undefined) && kind !== 'loop')
      refuse(`${where}: step ${show(name)} has rounds, and is no loop`);
    if (kind === 'loop' && step.needs?.length !== 1)
      refuse(
        `${where}: step ${show(name)} is a loop, and takes ${step.needs?.length ?? 0} needs; it takes one, the state it begins with`,
      );
    oneOf(of('check'), check, ['handler', undefined]);
    number(of('forMs'), forMs);
    if (signal !== undefined && !isName(signal))
      refuse(`${where}: step ${show(name)} waits for signal ${show(signal)}; give it 1 to 256 characters`);
    if (forMs !== undefined && kind !== 'sleep' && kind !== 'wait' && kind !== 'run')
      refuse(`${where}: step ${show(name)} has forMs, and is no step that sleeps or waits`);
    if ((signal !== undefined || check !== undefined) && kind !== 'wait')
      refuse(`${where}: step ${show(name)} has a signal, and is no step that waits for one`);
    if (kind === 'wait' && step.needs?.length)
      refuse(
        `${where}: step ${show(name)} waits for a signal, and takes nothing else; what it comes behind stands in its after`,
      );
    if (kind === 'sleep' && forMs !== undefined && step.needs?.length)
      refuse(
        `${where}: step ${show(name)} sleeps for ${forMs} ms, and takes nothing; what it comes behind stands in its after`,
      );
    oneOf(of('fallback'), fallback, ['handler', undefined]);
    oneOf(of('requires'), requires, ['network', undefined]);
    number(of('timeoutMs'), timeoutMs);
    number(of('retry.baseMs'), retry.baseMs);
    number(of('retry.maxMs'), retry.maxMs);
    number(of('retry.factor'), retry.factor);
    number(of('retry.losses'), retry.losses, 1);
    oneOf(of('retry.backoff'), retry.backoff, BACKOFFS);
    oneOf(of('retry.jitter'), retry.jitter, JITTERS);
  }
}

function indexSteps(graph: Graph, where: string): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  graph.steps.forEach((step, i) => {
    if (!isName(step.name)) refuse(`${where}: step ${i + 1} is called ${show(step.name)}; give it 1 to 256 characters`);
    if (index.has(step.name)) refuse(`${where} has two steps called ${show(step.name)}`);
    if (step.queue !== undefined && !isName(step.queue))
      refuse(`${where}: step ${show(step.name)} names queue ${show(step.queue)}; give it 1 to 256 characters`);
    const attempts = step.retry?.attempts ?? 1;
    if (!Number.isInteger(attempts) || attempts < 1) {
      refuse(
        `${where}: step ${show(step.name)} has ${attempts} attempts; attempts count all tries, so write 1 or more`,
      );
    }
    index.set(step.name, i);
  });
  return index;
}

function linesOf(graph: Graph, where: string): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const { name, queue = DEFAULT_QUEUE, priority = 0 } of graph.steps) {
    if (!Number.isInteger(priority) || Math.abs(priority) > MAX_PRIORITY / 2) {
      refuse(`${where}: step ${show(name)} has priority ${priority}; use a whole number within ±${MAX_PRIORITY / 2}`);
    }
    lines.set(JSON.stringify([queue, priority]), { queue, priority });
  }
  return [...lines.values()].sort((a, b) => b.priority - a.priority);
}

/** Several edges from one source in one role count once: live if any of them is. */
function require(edges: Map<number, CompiledEdge>, edge: CompiledEdge): void {
  const known = edges.get(edge.from);
  const on = known === undefined ? edge.on : known.on && edge.on && [...new Set([...known.on, ...edge.on])];
  edges.set(edge.from, { from: edge.from, on });
}

function connect(
  drafts: readonly Draft[],
  lines: readonly Line[],
  roads: readonly ReadonlySet<string>[],
): readonly CompiledStep[] {
  const dependents: Map<
    number,
    { to: number; required: CompiledEdge | undefined; groups: CompiledGroup[]; settled: boolean }
  >[] = drafts.map(() => new Map());
  const link = (from: number, to: number) => {
    const known = dependents[from]?.get(to) ?? { to, required: undefined, groups: [], settled: false };
    dependents[from]?.set(to, known);
    return known;
  };
  drafts.forEach(({ required, groups, settled }, to) => {
    for (const edge of required.values()) link(edge.from, to).required = edge;
    for (const group of groups) for (const edge of group.members) link(edge.from, to).groups.push(group);
    for (const from of settled) link(from, to).settled = true;
  });
  return drafts.map(({ spec, required, groups, settled }, i) => ({
    spec,
    required: [...required.values()],
    groups,
    settled: [...settled],
    dependents: [...(dependents[i]?.values() ?? [])],
    line: lines.findIndex(
      (line) => line.queue === (spec.queue ?? DEFAULT_QUEUE) && line.priority === (spec.priority ?? 0),
    ),
    roads: new Set(roads[i]),
  }));
}

function refuseCycles(steps: readonly CompiledStep[], where: string): void {
  const waiting = steps.map((step) => new Set(sourcesOf(step)));
  const free = steps.flatMap((_, i) => (waiting[i]?.size === 0 ? [i] : []));
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    for (const { to } of steps[next]?.dependents ?? []) {
      const set = waiting[to];
      if (set?.delete(next) && set.size === 0) free.push(to);
    }
  }
  const stuck = waiting.findIndex((set) => set.size > 0);
  if (stuck < 0) return;
  const path = [stuck];
  for (;;) {
    const [source = stuck] = waiting[path[path.length - 1] ?? stuck] ?? [];
    const seen = path.indexOf(source);
    path.push(source);
    if (seen >= 0) {
      const names = path
        .slice(seen)
        .map((i) => show(steps[i]?.spec.name))
        .reverse();
      refuse(`${where} has a cycle: ${names.join(' → ')}`);
    }
  }
}

export function sourcesOf(step: CompiledStep): number[] {
  return [
    ...step.required.map(({ from }) => from),
    ...step.groups.flatMap(({ members }) => members.map(({ from }) => from)),
    ...step.settled,
  ];
}

export function show(name: unknown): string {
  return JSON.stringify(name) ?? String(name);
}

export function refuse(message: string): never {
  throw new FuselineError('INVALID_DEFINITION', message);
}
