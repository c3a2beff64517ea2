import type { HeldFence, Serves, Verdict } from './decide.ts';
import { firstLive } from './edges.ts';
import type { ErrorRecord } from './errors.ts';
import type { Stored } from './events.ts';
import {
  type CompiledEdge,
  type CompiledGraph,
  type CompiledStep,
  type GraphStep,
  MAX_ITEMS,
  type Need,
  type Source,
} from './graph.ts';
import { CANCELLED, claimKey, FAILED, type RunState, SKIPPED, SUCCEEDED } from './run-state.ts';
import { END } from './step-lists.ts';

/** One attempt a worker may execute, with all it needs. */
export interface Claim {
  /** Unique among all claims: the run, which of its id it is, and the position of the claim in its journal. */
  readonly id: string;
  /** The `claimKey` of the fence: unique among the claims of the run. */
  readonly mark: string;
  readonly run: string;
  readonly workflow: string;
  readonly graph: string;
  readonly spec: GraphStep;
  /** The step's position in the graph, and which of its items it is, where it has items. */
  readonly position: number;
  readonly item?: number;
  readonly fence: HeldFence;
  readonly attempt: number;
  /** The step went down with a worker before: nothing else may run beside it. */
  readonly company: 'any' | 'none';
  /** `fallback`: the step has failed for good, with this error, and its fallback decides what it hands on. */
  readonly fallback: ErrorRecord | undefined;
  /** The same for every attempt of the step, other after a rerun and in every round of a loop. */
  readonly key: string;
  readonly needs: readonly (readonly [Pick<Need, 'param' | 'when'>, Found])[];
  readonly checkpoints: ReadonlyMap<string, Stored>;
  /** How many steps wait for this one: so many can become ready by its end. */
  readonly dependents: number;
}

/** What a source hands over: a value (`undefined` where the step handed on none), or how the step ended. */
export type Found =
  | { readonly kind: 'value'; readonly stored: Stored | undefined }
  /** One item of a list. */
  | { readonly kind: 'item'; readonly stored: Stored | undefined; readonly at: number }
  | FoundItems
  | {
      readonly kind: 'outcome';
      readonly status: 'SUCCEEDED' | 'SKIPPED' | 'CANCELLED';
      readonly stored: Stored | undefined;
      readonly items?: FoundItems;
    }
  | { readonly kind: 'outcome'; readonly status: 'FAILED'; readonly error: ErrorRecord };

/** How the items of a step ended, in their order. */
export interface FoundItems {
  readonly kind: 'items';
  readonly ends: readonly ItemEnd[];
  readonly as: 'values' | 'outcomes';
}

export type ItemEnd =
  | { readonly stored: Stored | undefined; readonly error?: never }
  | { readonly error: ErrorRecord; readonly stored?: never };

/** What a worker was granted; where that is nothing, why. */
export interface Granted {
  readonly claims: readonly Claim[];
  /** `later`: something is queued that it could run, but not beside anything else. */
  readonly rest: 'nothing' | 'unserved' | 'later';
}

/** What the handler of a step that waits for a signal gets. */
const PAYLOAD = { param: 'payload' } as const;
const ITEM = { param: 'item' } as const;
const NOTHING: Found = { kind: 'value', stored: undefined };
const NO_CHECKPOINTS: ReadonlyMap<string, Stored> = new Map();

export function readGrant(
  run: { readonly id: string; readonly incarnation: string },
  serves: Serves,
): (state: RunState, verdict: Verdict) => Granted {
  return (state, verdict) => ({
    claims: verdict.granted.map((step) => claimOf(run.id, run.incarnation, state, step)),
    rest: verdict.granted.length > 0 ? 'nothing' : restOf(state, serves),
  });
}

function restOf(state: RunState, serves: Serves): Granted['rest'] {
  let rest: Granted['rest'] = 'nothing';
  if (state.paused || state.ended) return rest;
  let isServed = false;
  for (let line = 0; line < state.graph.lines.length; line++) {
    for (let step = state.firstQueued(line); step !== END; step = state.behind(step)) {
      rest = 'unserved';
      if (!serves(state, state.rootOf(step))) continue;
      if (state.suspect[step] === 1) return 'later';
      // What waits for an old body has its own time.
      if (state.suspects === 0) return 'nothing';
      isServed = true;
    }
  }
  return isServed ? 'nothing' : rest;
}

function claimOf(run: string, incarnation: string, state: RunState, step: number): Claim {
  const { spec } = state.steps[step] as CompiledStep;
  const root = state.rootOf(step);
  const item = state.itemOf(step);
  const { workflow, graph } = state.created;
  const fence = { ...state.claimOf(step), incarnation };
  const mark = claimKey(fence);
  return {
    id: `${run}/${incarnation}/${mark}`,
    mark,
    run,
    workflow,
    graph,
    spec,
    position: root,
    ...(item !== undefined && { item }),
    fence,
    attempt: state.attempt[step] as number,
    company: state.suspect[step] === 1 ? 'none' : 'any',
    fallback: state.fallback[step] === 1 ? state.error[step] : undefined,
    key: keyOf(run, state, step),
    needs: needsOf(state, step, spec),
    // So many items as there is room for follow from a list.
    dependents: spec.kind === 'each' && root === step ? MAX_ITEMS : dependentsOf(state, root),
    checkpoints: state.checkpoints.get(step) ?? NO_CHECKPOINTS,
  };
}

function dependentsOf(state: RunState, step: number): number {
  return (state.steps[step] as CompiledStep).dependents.length;
}

function keyOf(run: string, state: RunState, step: number): string {
  const root = state.rootOf(step);
  const generation = state.generation[root] as number;
  const item = root === step ? '' : `[${state.itemOf(step)}]`;
  const rounds = state.rounds.get(step)?.ended;
  const { name } = (state.steps[step] as CompiledStep).spec;
  return `${run}/${name}${item}${generation === 0 ? '' : `/${generation}`}${rounds === undefined ? '' : `@${rounds}`}`;
}

function needsOf(state: RunState, step: number, { kind, needs = [] }: GraphStep): Claim['needs'] {
  const round = state.rounds.get(step);
  if (round) return needs.map(({ param }) => [{ param }, { kind: 'value', stored: round.value }]);
  const item = state.itemOf(step);
  if (item !== undefined) return [[ITEM, itemFor(state, state.rootOf(step), needs[0] as Need, item)]];
  if (kind === 'wait') return [[PAYLOAD, { kind: 'value', stored: state.delivered.get(step)?.payload }]];
  return needs.map((need) => [need, find(state, step, need)] as const);
}

/** One item of the list a step runs for, and nothing of the others, which may be many. */
function itemFor(state: RunState, step: number, need: Need, at: number): Found {
  const from = need.from === 'step' ? position(state.graph, need.step) : winnerOf(state, step, need);
  const items = from === undefined ? undefined : state.items.get(from);
  if (items) {
    const end = endOf(state, items.first + at);
    if (!state.steps[from as number]?.spec.settle) return { kind: 'value', stored: end.stored };
    return end.error
      ? { kind: 'outcome', status: 'FAILED', error: end.error }
      : { kind: 'outcome', status: 'SUCCEEDED', stored: end.stored };
  }
  const list = find(state, step, need);
  return { kind: 'item', stored: 'stored' in list ? list.stored : undefined, at };
}

function find(state: RunState, step: number, need: Need): Found {
  if (need.from !== 'any') return findSource(state, need);
  const winner = winnerOf(state, step, need);
  return winner === undefined ? NOTHING : resultOf(state, winner);
}

/** The winners stand in the order of the step's any-groups. */
function winnerOf(state: RunState, step: number, need: Need): number | undefined {
  const group = (state.steps[step]?.spec.needs ?? []).filter(({ from }) => from === 'any').indexOf(need);
  return state.winners.get(step)?.[group];
}

/** What a step hands on: its value, or those of its items in their order. */
export function resultOf(state: RunState, step: number): Found {
  const items = state.items.get(step);
  if (!items) return { kind: 'value', stored: state.value[step] };
  const ends = Array.from({ length: items.count }, (_, i) => endOf(state, items.first + i));
  return { kind: 'items', ends, as: state.steps[step]?.spec.settle ? 'outcomes' : 'values' };
}

function endOf(state: RunState, item: number): ItemEnd {
  return state.status[item] === FAILED ? { error: state.error[item] as ErrorRecord } : { stored: state.value[item] };
}

/** What a source has to hand over once the run's end, or the step's turn, has come. */
export function findSource(state: RunState, source: Source): Found {
  if (source.from === 'input') return { kind: 'value', stored: state.created.input };
  if (source.from === 'any') {
    const winner = firstLive(
      state,
      source.of.map((edge): CompiledEdge => ({ from: position(state.graph, edge.step), on: edge.on })),
    );
    return typeof winner === 'number' ? resultOf(state, winner) : NOTHING;
  }
  const step = position(state.graph, source.step);
  if (source.from === 'step') return resultOf(state, step);
  const stored = state.value[step];
  switch (state.status[step]) {
    case SUCCEEDED: {
      const result = resultOf(state, step);
      return { kind: 'outcome', status: 'SUCCEEDED', stored, ...(result.kind === 'items' && { items: result }) };
    }
    case FAILED:
      return { kind: 'outcome', status: 'FAILED', error: state.error[step] as ErrorRecord };
    case CANCELLED:
      return { kind: 'outcome', status: 'CANCELLED', stored };
    default:
      return { kind: 'outcome', status: 'SKIPPED', stored };
  }
}

/** Whether a source has something to hand over: its step ran, or was skipped by its own condition. */
export function hasValue(state: RunState, source: Source): boolean {
  if (source.from === 'input') return true;
  const edges = source.from === 'any' ? source.of : [{ step: source.step }];
  return edges.some(({ step }) => {
    const status = state.status[position(state.graph, step)];
    return status === SUCCEEDED || status === SKIPPED || source.from === 'settled';
  });
}

function position(graph: CompiledGraph, step: string): number {
  return graph.index.get(step) as number;
}
