import type { CompiledEdge, CompiledGroup, CompiledStep, Dependent } from './graph.ts';
import { CANCELLED, FAILED, NOT_TAKEN, PENDING, type RunState, SKIPPED, SUCCEEDED } from './run-state.ts';

export type EdgeState = 'open' | 'live' | 'dead' | 'failed';

/** How an edge settled, from the final state of its source and the road it chose. */
export function edgeState(state: RunState, { from, on }: CompiledEdge): EdgeState {
  switch (state.status[from]) {
    case SUCCEEDED:
      return on === undefined || on.includes(state.road[from] ?? null) ? 'live' : 'dead';
    case SKIPPED:
      return on === undefined || on.includes(null) ? 'live' : 'dead';
    case NOT_TAKEN:
      return 'dead';
    case FAILED:
    case CANCELLED:
      return 'failed';
    default:
      return 'open';
  }
}

/** `winners`: of each of the step's any-groups, the member that became live first. */
export interface Readiness {
  readonly status: 'waiting' | 'ready' | 'cancelled' | 'not-taken';
  readonly winners: readonly number[];
}

const WAITING: Readiness = { status: 'waiting', winners: [] };
const CANCEL: Readiness = { status: 'cancelled', winners: [] };
const NO_ROAD: Readiness = { status: 'not-taken', winners: [] };
const READY: Readiness = { status: 'ready', winners: [] };

/**
 * What follows for a PENDING step from the end of one of its sources. Looks at all of the step's edges once, when the
 * last of them settled; before that only at the one that did.
 */
export function readinessAfter(state: RunState, from: number, { to, required, groups, settled }: Dependent): Readiness {
  if (state.status[to] !== PENDING) return WAITING;
  if (required && edgeState(state, required) === 'failed') return CANCEL;
  let couldFire = required !== undefined || settled || groups.length === 0 || state.reset[to] !== 0;
  for (const group of groups) {
    const member = group.members.find((edge) => edge.from === from);
    if (state.openMembers[group.id] === 0 && groupState(state, to, group) === 'failed') return CANCEL;
    couldFire ||= state.openMembers[group.id] === 0 || (member !== undefined && edgeState(state, member) === 'live');
  }
  return couldFire && state.openSources[to] === 0 ? join(state, to) : WAITING;
}

/** The same for a step of which no source has been looked at yet: at the start, and after a rerun. */
export function readiness(state: RunState, step: number): Readiness {
  const { required, groups } = state.graph.steps[step] as CompiledStep;
  if (required.some((edge) => edgeState(state, edge) === 'failed')) return CANCEL;
  if (groups.some((group) => groupState(state, step, group) === 'failed')) return CANCEL;
  return join(state, step);
}

function join(state: RunState, step: number): Readiness {
  const { required, settled, groups } = state.graph.steps[step] as CompiledStep;
  let dead = false;
  for (const edge of required) {
    const end = edgeState(state, edge);
    if (end === 'open') return WAITING;
    if (end === 'failed') return CANCEL;
    if (end === 'dead') dead = true;
  }
  if (settled.some((source) => !state.isFinal(source))) return WAITING;
  const winners: number[] = [];
  for (const group of groups) {
    const end = groupState(state, step, group);
    if (end === 'open') return WAITING;
    if (end === 'failed') return CANCEL;
    if (end === 'dead') dead = true;
    else winners.push(end);
  }
  if (dead) return NO_ROAD;
  return winners.length === 0 ? READY : { status: 'ready', winners };
}

/**
 * The member that became live first; or what the group is without one. After a rerun of the step, a member that was not
 * rerun with it counts only when those that were have all settled without a live one.
 */
export function groupState(
  state: RunState,
  step: number,
  { members }: CompiledGroup,
): number | 'open' | 'dead' | 'failed' {
  const rerun = state.reset[step] as number;
  const fresh = rerun === 0 ? members : members.filter(({ from }) => state.reset[from] === rerun);
  const end = firstLive(state, fresh.length === 0 ? members : fresh);
  return typeof end === 'number' || end === 'open' || fresh.length === members.length ? end : firstLive(state, members);
}

/** The first live one of an any-group's members by the order in which they became final. */
export function firstLive(state: RunState, members: readonly CompiledEdge[]): number | 'open' | 'dead' | 'failed' {
  let first: number | undefined;
  let without: 'open' | 'dead' | 'failed' = 'dead';
  for (const edge of members) {
    const end = edgeState(state, edge);
    if (end === 'live') {
      if (first === undefined || (state.finalOrder[edge.from] as number) < (state.finalOrder[first] as number))
        first = edge.from;
    } else if (end === 'open' || (end === 'failed' && without !== 'open')) without = end;
  }
  return first ?? without;
}

/** The FAILED steps an ended run failed of, first to fail first: not those whose failure somebody dealt with. */
export function failuresOf(state: RunState): readonly number[] {
  const isFailed = (step: number) => state.status[step] === FAILED;
  const behind = new Set(state.graph.decisive.filter((step) => isFailed(step) || state.status[step] === CANCELLED));
  for (const step of behind) {
    if (isFailed(step)) continue;
    const { required, groups } = state.graph.steps[step] as CompiledStep;
    for (const edge of [...required, ...groups.flatMap(({ members }) => members)]) {
      if (edgeState(state, edge) === 'failed') behind.add(edge.from);
    }
  }
  const failed = [...behind].filter(isFailed);
  // A run may be ended by what lies beside all of them.
  const all = failed.length > 0 ? failed : [...state.graph.index.values()].filter(isFailed);
  return all.sort((a, b) => (state.finalOrder[a] as number) - (state.finalOrder[b] as number));
}
