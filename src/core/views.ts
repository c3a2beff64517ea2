import type { ErrorRecord } from './errors.ts';
import type { Event, Fence, JournalEntry, Stored } from './events.ts';
import type { Stranded } from './explain.ts';
import { type CompiledGraph, type CompiledStep, parseName, type Road, signalOf } from './graph.ts';
import type { RunHead } from './rows.ts';
import {
  CANCELLED,
  DELAYED,
  FAILED,
  NOT_TAKEN,
  PENDING,
  QUEUED,
  RUNNING,
  type RunState,
  type RunStatus,
  SUCCEEDED,
  WAITING,
} from './run-state.ts';

/** A run as a list shows it. Times are epoch milliseconds. */
export interface RunSummary {
  readonly id: string;
  readonly workflow: string;
  readonly version?: string;
  readonly status: RunStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The run, and its step, that this one was made for. */
  readonly parent?: { readonly run: string; readonly step: string };
  /** Ready steps that no live worker can handle. */
  readonly stranded: readonly Stranded[];
}

export interface RunView extends RunSummary {
  readonly priority: number;
  readonly deadline?: number;
  readonly steps: readonly StepView[];
  readonly signals: readonly { readonly id: string; readonly name: string; readonly at: number }[];
}

export type StepStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

export interface StepView {
  readonly name: string;
  readonly status: StepStatus;
  /** Attempts begun so far, in this generation. */
  readonly attempt: number;
  readonly generation: number;
  /** Of a step that runs for each item of a list, once that is known. */
  readonly items?: { readonly count: number; readonly active: number; readonly ended: number; readonly failed: number };
  /** The run it waits for, or has waited for. */
  readonly child?: string;
  /** Rounds of a loop that have ended. */
  readonly rounds?: number;
  /** When the step entered its state. */
  readonly since?: number;
  /** PENDING and in the queue: since `since`, or from `notBefore` on. */
  readonly queued?: 'ready' | 'delayed';
  readonly notBefore?: number;
  /** PENDING, and held by nobody until a moment comes, a signal, or the end of a run; a wait without an end has no `until`. */
  readonly waits?: { readonly until?: number; readonly signal?: string };
  readonly worker?: string;
  readonly reason?: 'condition' | 'not-taken';
  readonly road?: Road;
  /** The last failed attempt's error; of a FAILED step, what it failed of. */
  readonly error?: ErrorRecord;
}

export function summaryOf(id: string, head: RunHead, stranded: readonly Stranded[] = []): RunSummary {
  const { workflow, version, status, labels = {}, createdAt, startedAt, endedAt, parent } = head;
  return {
    id,
    workflow,
    ...(version !== undefined && { version }),
    status,
    labels,
    createdAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(parent && { parent }),
    stranded,
  };
}

export function viewOf(id: string, head: RunHead, state: RunState, stranded: readonly Stranded[]): RunView {
  return {
    ...summaryOf(id, head, stranded),
    priority: state.created.priority ?? 0,
    ...(state.deadline !== undefined && { deadline: state.deadline }),
    steps: state.graph.steps.map((_, step) => stepView(state, step)),
    signals: state.signals.map(({ id, name, at }) => ({ id, name, at })),
  };
}

function stepView(state: RunState, step: number): StepView {
  const status = state.status[step] as number;
  const since = state.since[step] as number;
  const road = state.road[step];
  const error = state.error[step];
  const { spec } = state.graph.steps[step] as CompiledStep;
  const items = state.items.get(step);
  // Some of its items are done or under way, whoever has them.
  if (items && status < SUCCEEDED && status !== PENDING) {
    const { count, active, ended, failed, since } = items;
    return {
      name: spec.name,
      status: 'RUNNING',
      attempt: state.attempt[step] as number,
      generation: state.generation[step] as number,
      since,
      items: { count, active, ended, failed },
    };
  }
  return {
    name: spec.name,
    status: stepStatus(status),
    attempt: state.attempt[step] as number,
    generation: state.generation[step] as number,
    ...(items && {
      items: { count: items.count, active: items.active, ended: items.ended, failed: items.failed },
    }),
    ...(state.children.has(step) && { child: state.children.get(step)?.child as string }),
    ...(state.rounds.has(step) && { rounds: state.rounds.get(step)?.ended as number }),
    ...(since > 0 &&
      status !== DELAYED && { since: status === WAITING ? (state.waits.get(step)?.since as number) : since }),
    ...(status === QUEUED && { queued: 'ready' as const }),
    ...(status === DELAYED && { queued: 'delayed' as const, notBefore: since }),
    ...(status === WAITING && {
      waits: {
        ...(Number.isFinite(since) && { until: since }),
        ...(spec.kind === 'wait' && { signal: signalOf(spec) }),
      },
    }),
    ...(status === RUNNING && { worker: state.worker[step] as string }),
    ...(stepStatus(status) === 'SKIPPED' && {
      reason: status === NOT_TAKEN ? ('not-taken' as const) : ('condition' as const),
    }),
    ...(road !== undefined && { road }),
    ...(error && { error }),
  };
}

function stepStatus(status: number): StepStatus {
  if (status < RUNNING) return 'PENDING';
  if (status === RUNNING) return 'RUNNING';
  if (status === SUCCEEDED) return 'SUCCEEDED';
  if (status === FAILED) return 'FAILED';
  return status === CANCELLED ? 'CANCELLED' : 'SKIPPED';
}

/** One event of a run's history, with its steps by name. `seq` and `index` are its position in the journal. */
export type HistoryEvent = WithItems<Named<Event>> & {
  readonly seq: number;
  readonly index: number;
  readonly at: number;
};

/** Which item of its step an event is about, or each of its steps, where they have some. */
type WithItems<E> = E extends { readonly type: 'spread' }
  ? E
  : E extends { readonly step: string }
    ? E & { readonly item?: number }
    : E extends { readonly steps: readonly string[] }
      ? E & { readonly items?: readonly (number | undefined)[] }
      : E;

/** Steps are strings; everything else is as it was recorded. */
type Named<E> = E extends { readonly claim: Fence }
  ? Omit<E, 'claim'> & { readonly step: string }
  : {
      readonly [K in keyof E]: K extends 'step'
        ? string
        : K extends 'steps' | 'resumed'
          ? readonly string[]
          : K extends 'winners'
            ? NamedWinners
            : E[K];
    };
type NamedWinners = readonly (readonly [step: string, members: readonly string[]])[] | undefined;

export function historyOf(graph: CompiledGraph, entry: JournalEntry, seq: number): readonly HistoryEvent[] {
  const name = (named: number): string => (graph.steps[parseName(named).step] as CompiledStep).spec.name;
  const itemOf = (named: number): number | undefined => parseName(named).item;
  const named = (one: number) => {
    const item = itemOf(one);
    return { step: name(one), ...(item !== undefined && { item }) };
  };
  return entry.events.map((event, index) => {
    const { step, steps, resumed, winners, claim, ...rest } = event as Partial<{
      step: number;
      steps: readonly number[];
      resumed: readonly number[];
      winners: readonly (readonly [number, readonly number[]])[];
      claim: Fence;
    }>;
    return {
      seq,
      index,
      at: entry.at,
      ...rest,
      ...(step !== undefined && named(step)),
      ...(claim && named(claim.step)),
      ...(steps && { steps: steps.map(name) }),
      ...(steps?.some((one) => itemOf(one) !== undefined) && { items: steps.map(itemOf) }),
      ...(resumed && { resumed: resumed.map(name) }),
      ...(winners && { winners: winners.map(([of, members]) => [name(of), members.map(name)] as const) }),
    } as HistoryEvent;
  });
}

/** A run as a portable file: everything its journal refers to, and nothing else. */
export interface RunExport {
  readonly format: 'fuseline-run/1';
  readonly id: string;
  readonly graph: unknown;
  readonly entries: readonly JournalEntry[];
  /** The values that stand in rows of their own, by row. */
  readonly values: Readonly<Record<string, string>>;
}

/** The rows an event refers to. */
export function rowsIn(event: Event): readonly (Stored & object)[] {
  const stored = [
    'input' in event ? event.input : undefined,
    'value' in event ? event.value : undefined,
    'payload' in event ? event.payload : undefined,
  ];
  return stored.filter((one) => typeof one === 'object');
}
