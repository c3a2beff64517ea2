import { STOP_GRACE_MS } from './decide.ts';
import { edgeState, failuresOf } from './edges.ts';
import { type CompiledStep, signalOf } from './graph.ts';
import {
  CANCELLED,
  DELAYED,
  FAILED,
  NOT_TAKEN,
  PENDING,
  QUEUED,
  RUNNING,
  type RunState,
  SKIPPED,
  SUCCEEDED,
  WAITING,
} from './run-state.ts';
import type { Worker } from './sessions.ts';
import { END } from './step-lists.ts';
import { countText, durationText } from './words.ts';

/** A ready step that no live worker can handle. */
export interface Stranded {
  readonly run: string;
  readonly step: string;
  readonly queue: string;
  readonly version: string | undefined;
  /** The workers that live, by name, and what they bring for this workflow. */
  readonly workers: readonly { readonly name: string; readonly versions: readonly (string | undefined)[] }[];
}

/** Which steps each graph has, for the graphs workers bring; empty for one that is not known. */
export type StepNames = (graph: string) => ReadonlySet<string> | undefined;

export function strandedSteps(
  run: string,
  state: RunState,
  workers: readonly Worker[],
  names: StepNames,
): readonly Stranded[] {
  if (state.ended || state.paused) return [];
  const stranded: Stranded[] = [];
  state.graph.lines.forEach(({ queue }, line) => {
    for (const step of new Set(state.queued(line).map((one) => state.rootOf(one)))) {
      if (workers.some((worker) => canRun(worker, state, step, queue, names))) continue;
      stranded.push({
        run,
        step: nameOf(state, step),
        queue,
        version: state.created.version,
        workers: workers.map(({ name, workflows }) => ({
          name,
          versions: workflows
            .filter((workflow) => workflow.name === state.created.workflow)
            .map(({ version }) => version),
        })),
      });
    }
  });
  return stranded;
}

function canRun(worker: Worker, state: RunState, step: number, queue: string, names: StepNames): boolean {
  if (worker.deadWith !== undefined || (worker.queues && !worker.queues.includes(queue))) return false;
  return worker.workflows.some(
    ({ name, graph, without }) =>
      name === state.created.workflow &&
      !without?.includes(nameOf(state, step)) &&
      (graph === state.created.graph || names(graph)?.has(nameOf(state, step)) === true),
  );
}

export interface ExplainContext {
  readonly now: number;
  readonly stranded: readonly Stranded[];
  /** The workers that live. */
  readonly workers: readonly Worker[];
}

/** One sentence: what a run, or one of its steps, waits for, or how it ended. */
export function explain(run: string, state: RunState, step: number | undefined, context: ExplainContext): string {
  return step === undefined ? explainRun(run, state, context) : explainStep(state, step, context);
}

function explainRun(run: string, state: RunState, context: ExplainContext): string {
  const named = `Run ${run}`;
  if (state.ended === 'SUCCEEDED') return `${named} succeeded.`;
  if (state.ended === 'CANCELLED') return `${named} was cancelled.`;
  if (state.ended === 'FAILED') {
    if (state.timedOut) return `${named} failed: it was not done by its deadline.`;
    const failures = failuresOf(state).map((step) => `step ${show(state, step)} did (${state.error[step]?.message})`);
    return `${named} failed because ${failures.length > 0 ? list(failures) : 'steps it needs stay cancelled'}.`;
  }
  if (state.paused) return `${named} is paused: nothing new starts until it is resumed.`;
  const stranded = context.stranded[0];
  if (stranded) return explainStranded(stranded);
  const running = state.running();
  if (running.length > 0)
    return `${named} is running ${list(running.map((step) => `step ${show(state, step)} ${onWorker(state, step, context.workers)}`))}.`;
  const queued = state.graph.lines.flatMap((_, line) => state.queued(line));
  if (queued.length > 0)
    return `${named} waits for a worker to take ${list(queued.map((step) => `step ${show(state, step)}`))}.`;
  const waiting = waitingSteps(state);
  if (waiting.size > 1)
    return `${named} waits for ${list([...waiting].map((step) => `step ${show(state, step)} (${waitOf(state, step, context.now)})`))}.`;
  if (waiting.size === 1) return explainStep(state, state.firstDue(), context);
  return `${named} is ${state.runStatus.toLowerCase()}.`;
}

function explainStep(state: RunState, step: number, { now, stranded, workers }: ExplainContext): string {
  const named = `Step ${show(state, step)}`;
  const attempt = state.attempt[step] as number;
  // A sleep, and a wait for a signal, may end without one.
  const tried = attempt === 0 ? '' : ` in attempt ${attempt}`;
  const since = state.since[step] as number;
  const mine = stranded.find((one) => one.step === nameOf(state, step));
  switch (state.status[step]) {
    case SUCCEEDED:
      return `${named} succeeded${tried}.`;
    case FAILED:
      return `${named} failed${tried}: ${state.error[step]?.message}.`;
    case SKIPPED:
      return `${named} was skipped by its own condition.`;
    case NOT_TAKEN:
      return `${named} was skipped because it lies on a road not taken.`;
    case CANCELLED:
      return state.cancelled
        ? `${named} was cancelled with its run.`
        : `${named} was cancelled because ${becauseOf(state, step)}.`;
    case RUNNING:
      return `${named} is running: attempt ${attempt} ${onWorker(state, step, workers)}, for ${durationText(now - since)}.`;
    case DELAYED: {
      const wait = durationText(since - now);
      if (state.rounds.has(step))
        return `${named} has ended ${countText(state.rounds.get(step)?.ended as number, 'round')}; the next one starts in ${wait}.`;
      if (attempt === 0) return `${named} starts in ${wait}, when its run was asked to.`;
      if (state.offline[step] !== 0)
        return `${named} met no network in attempt ${attempt} (${state.error[step]?.message}), which does not count; it is tried again in ${wait}.`;
      if (state.suspect[step] === 1)
        return `${named} lost its worker in attempt ${attempt}; the next attempt starts in ${wait}.`;
      return `${named} failed in attempt ${attempt} (${state.error[step]?.message}); the next attempt starts in ${wait}.`;
    }
    case WAITING: {
      const { spec } = state.steps[step] as CompiledStep;
      const items = state.items.get(step);
      if (items)
        return `${named} has ended ${items.ended} of ${countText(items.count, 'item')}, and ${items.active} are under way.`;
      const child = state.children.get(step)?.child;
      const until = Number.isFinite(since) ? `, and for no longer than ${durationText(since - now)}` : '';
      if (child !== undefined)
        return `${named} has workflow ${JSON.stringify(spec.workflow)} run as run ${child}, and waits for its end${until}.`;
      if (spec.kind === 'sleep') return `${named} sleeps for another ${durationText(since - now)}.`;
      const signal = `signal ${JSON.stringify(signalOf(spec))}`;
      return `${named} waits for ${signal}${until}.`;
    }
    case QUEUED: {
      if (mine) return explainStranded(mine);
      for (const { claim, at } of state.stopping.values()) {
        if (claim.step === step && now < at + STOP_GRACE_MS)
          return `${named} is ready, and waits for its former body to stop.`;
      }
      if (state.paused) return `${named} is ready, and waits for its paused run to be resumed.`;
      const where = state.steps[step]?.spec.requires === 'network' ? ' that is online' : '';
      return `${named} is ready, and waits for a worker${where}.`;
    }
    default:
      return `${named} waits for ${list(openSources(state, step))}.`;
  }
}

/** First due first; the step of a list for its items. */
function waitingSteps(state: RunState): ReadonlySet<number> {
  const found = new Set<number>();
  for (let step = state.firstDue(); step !== END; step = state.behind(step)) found.add(state.rootOf(step));
  return found;
}

function waitOf(state: RunState, step: number, now: number): string {
  const { spec } = state.steps[step] as CompiledStep;
  if (state.status[step] === DELAYED || spec.kind === 'sleep')
    return `due in ${durationText((state.since[step] as number) - now)}`;
  const items = state.items.get(step);
  if (items) return `${items.ended} of ${countText(items.count, 'item')} have ended`;
  const child = state.children.get(step)?.child;
  return child === undefined ? `signal ${JSON.stringify(signalOf(spec))}` : `run ${child}`;
}

/** By name; or that it is gone, and what that means. */
function onWorker(state: RunState, step: number, workers: readonly Worker[]): string {
  const worker = workers.find(({ id }) => id === state.worker[step]);
  return worker ? `on worker ${worker.name}` : 'on a worker that is gone (the next one to look takes it over)';
}

function explainStranded({ step, queue, version, workers }: Stranded): string {
  const what = `Step ${JSON.stringify(step)} is ready, but no live worker can handle it`;
  const needed = `it needs one with a handler for it${version === undefined ? '' : ` (version ${version})`} on queue ${JSON.stringify(queue)}`;
  const seen = workers.map(
    ({ name, versions }) =>
      `${name} (${versions.length === 0 ? 'other workflows' : `version ${versions.map((v) => v ?? 'unnamed').join(', ')}`})`,
  );
  return `${what}: ${needed}; ${seen.length === 0 ? 'no worker is running' : `the workers seen are ${list(seen)}`}.`;
}

function becauseOf(state: RunState, step: number): string {
  const { required, groups } = state.steps[step] as CompiledStep;
  const failed = [...required, ...groups.flatMap(({ members }) => members)].filter(
    (edge) => edgeState(state, edge) === 'failed',
  );
  if (failed.length === 0) return 'its run was ended';
  return list(
    failed.map(({ from }) => `step ${show(state, from)} ${state.status[from] === FAILED ? 'failed' : 'was cancelled'}`),
  );
}

function openSources(state: RunState, step: number): string[] {
  const { required, settled, groups } = state.steps[step] as CompiledStep;
  const open = [...required.map(({ from }) => from), ...settled].filter((from) => !state.isFinal(from));
  const waits = [...new Set(open)].map((from) => `step ${show(state, from)} (${STATES[state.status[from] as number]})`);
  for (const { members } of groups) {
    const names = members.filter(({ from }) => !state.isFinal(from)).map(({ from }) => show(state, from));
    if (names.length > 0) waits.push(`any of ${names.join(', ')}`);
  }
  return waits;
}

const STATES: Readonly<Record<number, string>> = {
  [PENDING]: 'waiting',
  [DELAYED]: 'delayed',
  [WAITING]: 'waiting',
  [QUEUED]: 'queued',
  [RUNNING]: 'running',
};
const SHOWN = 5;

function list(items: readonly string[]): string {
  const shown = items.length > SHOWN ? [...items.slice(0, SHOWN), `${items.length - SHOWN} more`] : items;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function nameOf(state: RunState, step: number): string {
  return (state.steps[step] as CompiledStep).spec.name;
}

function show(state: RunState, step: number): string {
  const item = state.itemOf(step);
  return `${JSON.stringify(nameOf(state, step))}${item === undefined ? '' : `[${item}]`}`;
}
