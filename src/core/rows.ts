import { nextDue } from './decide.ts';
import { type Errand, errandsOf } from './errands.ts';
import type { Parent } from './events.ts';
import type { Line } from './graph.ts';
import { keys } from './keys.ts';
import type { RunState, RunStatus } from './run-state.ts';
import { END } from './step-lists.ts';
import type { Batch, Key } from './store.ts';

/**
 * What the rows of a run have to say, so that others find it without folding its journal: its head, when it is due,
 * since when something is claimable per line, and who holds claims. A function of the run's state, written in the same
 * commit as the entry that changed it; so the rows are never wrong.
 */
export interface RunFacts {
  readonly status: RunStatus;
  readonly endedAt: number | undefined;
  readonly dueAt: number | undefined;
  readonly readyAt: readonly (number | undefined)[];
  readonly holders: ReadonlySet<string>;
  readonly errands: ReadonlyMap<Key, Errand>;
}

/** What a list shows of a run, and what is needed to open it. */
export interface RunHead {
  readonly workflow: string;
  readonly version?: string;
  readonly status: RunStatus;
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly parent?: Pick<Parent, 'run' | 'step'>;
  readonly graph: string;
  readonly incarnation: string;
}

export const NO_FACTS: RunFacts = {
  status: 'PENDING',
  endedAt: undefined,
  dueAt: undefined,
  readyAt: [],
  holders: new Set(),
  errands: new Map(),
};

export function factsOf(run: string, state: RunState): RunFacts {
  return {
    status: state.runStatus,
    endedAt: state.endedAt,
    dueAt: nextDue(state),
    readyAt: state.graph.lines.map((_, line) => readyAt(state, line)),
    holders: holdersOf(state),
    errands: errandsOf(run, state),
  };
}

/** The puts and deletes that turn the rows of one state of a run into those of the next. */
export function rowChanges(
  run: string,
  state: RunState,
  before: RunFacts,
  after: RunFacts,
): Required<Pick<Batch, 'put' | 'delete'>> {
  const put: { key: Key; value: string }[] = [];
  const gone: Key[] = [];
  const move = (from: number | undefined, to: number | undefined, key: (at: number) => Key) => {
    if (from === to) return;
    if (from !== undefined) gone.push(key(from));
    if (to !== undefined) put.push({ key: key(to), value: '' });
  };
  move(before.dueAt, after.dueAt, (at) => keys.timer(at, run));
  after.readyAt.forEach((at, line) => {
    const { queue, priority } = urgency(state, line);
    move(before.readyAt[line], at, (since) => keys.ready(queue, state.created.workflow, priority, since, run));
  });
  for (const worker of before.holders) if (!after.holders.has(worker)) gone.push(keys.claim(worker, run));
  for (const worker of after.holders)
    if (!before.holders.has(worker)) put.push({ key: keys.claim(worker, run), value: '' });
  // Of one that was done, the row has gone already.
  for (const key of before.errands.keys()) if (!after.errands.has(key)) gone.push(key);
  for (const [key, errand] of after.errands)
    if (before.errands.get(key)?.type !== errand.type) put.push({ key, value: JSON.stringify(errand) });
  return { put, delete: gone };
}

export function headChanged(before: RunFacts, after: RunFacts): boolean {
  return before.status !== after.status || before.endedAt !== after.endedAt;
}

export function headOf(state: RunState, incarnation: string): RunHead {
  const { workflow, version, labels, graph, parent } = state.created;
  const { createdAt, startedAt, endedAt } = state;
  return {
    workflow,
    ...(version !== undefined && { version }),
    status: state.runStatus,
    ...(labels && { labels }),
    createdAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(parent && { parent: { run: parent.run, step: parent.step } }),
    graph,
    incarnation,
  };
}

export function parseHead(text: string): RunHead {
  return JSON.parse(text) as RunHead;
}

/** A line as seen from all runs: the run's own priority lifts or lowers its steps. */
export function urgency(state: RunState, line: number): Line {
  const { queue, priority } = state.graph.lines[line] as Line;
  return { queue, priority: priority + (state.created.priority ?? 0) };
}

function readyAt(state: RunState, line: number): number | undefined {
  const first = state.paused || state.ended ? undefined : state.firstQueued(line);
  return first === undefined || first === END ? undefined : state.since[first];
}

function holdersOf(state: RunState): ReadonlySet<string> {
  const holders = new Set<string>();
  for (let step = state.firstRunning(); step !== END; step = state.behind(step))
    holders.add(state.worker[step] as string);
  for (const { worker } of state.stopping.values()) holders.add(worker);
  return holders;
}
