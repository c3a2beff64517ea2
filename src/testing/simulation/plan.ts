import type { Graph, Edge as GraphEdge, GraphStep } from '../../core/graph.ts';
import type { Faults } from '../faulty-store.ts';
import type { Random } from '../random.ts';

/** How the bodies of a step behave, whatever happens around them. */
export interface Fate {
  readonly ending: 'succeeds' | 'fails' | 'fails for good' | 'is skipped' | 'fails once' | 'hangs once';
  /** Does not hear that it is to stop. */
  readonly deaf?: true;
  readonly road?: string;
  readonly also?: 'once' | 'heartbeat' | 'large' | 'emit';
  readonly fallback?: 'succeeds' | 'fails';
  /** Of a step whose handler says until when it sleeps: so long after its claim. */
  readonly sleepMs?: number;
  /** Rounds after which a loop has enough. */
  readonly rounds?: number;
  /** Of what a list of so many items is made. */
  readonly list?: number;
}

/** The signal that some of a world's steps wait for; others wait for one of their own name. */
export const NEWS = 'news';

export interface RunPlan {
  readonly id: string;
  /** Which of the world's workflows. */
  readonly workflow: number;
  readonly at: number;
  readonly priority?: number;
  /** So long after its dispatch its first steps may start. */
  readonly delayMs?: number;
}

export type Command = 'cancel' | 'pause' | 'resume' | 'retry' | 'enqueue' | 'signal' | 'remove';

/** A worker, or whoever holds claims at that time: one who waits is rarely missed. */
export type Whom = number | 'a holder';

export type Action =
  | { readonly at: number; readonly type: 'kill'; readonly worker: Whom; readonly backAfterMs: number }
  | { readonly at: number; readonly type: 'kill all'; readonly backAfterMs: number }
  | { readonly at: number; readonly type: 'pause'; readonly worker: Whom; readonly ms: number }
  /** The machine sleeps that all of them are on. */
  | { readonly at: number; readonly type: 'pause all'; readonly ms: number }
  | {
      readonly at: number;
      readonly type: 'leave';
      readonly worker: Whom;
      readonly how: 'drain' | 'now';
      readonly backAfterMs: number;
    }
  /** `unnoticed`: everybody believes to be online. */
  | {
      readonly at: number;
      readonly type: 'lose network';
      readonly ms: number;
      readonly notice: 'noticed' | 'unnoticed';
    }
  | { readonly at: number; readonly type: 'set clock'; readonly worker: number; readonly offsetMs: number }
  | {
      readonly at: number;
      readonly type: 'command';
      readonly command: Command;
      readonly run: number;
      /** Asked of a run that was made for one of its steps, if there is one. */
      readonly below?: true;
      readonly step: number;
      readonly force: boolean;
    };

/** A generated workflow: a graph, and what its bodies do. */
export interface WorkflowPlan {
  readonly graph: Graph;
  readonly fates: readonly Fate[];
}

/** All that happens in a world, as plain data: the same plan, the same world. */
export interface WorldPlan {
  readonly seed: number;
  /** Empty: the user's own are run. */
  readonly workflows: readonly WorkflowPlan[];
  readonly runs: readonly RunPlan[];
  readonly workers: readonly { readonly concurrency: number }[];
  /** How the death of a process becomes known: at once, or by its silence. */
  readonly deaths: 'seen' | 'heard';
  readonly faults: Faults & { readonly delayMs: number };
  readonly actions: readonly Action[];
}

/** How long the world is disturbed: long enough for one who says nothing to be taken for dead, and to come back. */
export const DISTURBED_MS = 60_000;
/** What happens to it begins in this time. */
const EVENTFUL_MS = 20_000;
/** By then most runs have ended where nothing disturbs them. */
const BUSY_MS = 6_000;
/** A run that begins then finds those who slept awake again. */
const LATE_MS = 50_000;

const QUEUES = ['default', 'default', 'default', 'other'] as const;

/** A world of `seed`; of its own making where the user brings no workflows (`own` of them). */
export function planWorld(seed: number, random: Random, own: number): WorldPlan {
  const count = own > 0 ? 0 : 1 + random.below(3);
  // Each may have the next one run.
  const workflows = Array.from({ length: count }, (_, i) => planWorkflow(i, i + 1 < count, random));
  // A world is over when nothing is left in it: most are short.
  const isLong = random.chance(0.3);
  const runs = Array.from(
    { length: 1 + random.below(3) },
    (_, i): RunPlan => ({
      id: `run-${i}`,
      workflow: random.below(own || workflows.length),
      // Some come when others have been given up.
      at: random.below(isLong && random.chance(0.5) ? LATE_MS : 2000),
      ...(random.chance(0.2) && { priority: random.below(3) - 1 }),
      ...(random.chance(0.15) && { delayMs: random.below(3000) }),
    }),
  );
  const workers = Array.from({ length: 1 + random.below(4) }, () => ({ concurrency: random.pick([1, 2, 8]) }));
  const troubled = random.chance(0.85);
  const deaths = random.chance(0.5) ? 'seen' : 'heard';
  const actions = troubled
    ? Array.from({ length: random.below(9) }, () => planAction(random, workers.length, runs.length, isLong))
    : [];
  if (troubled && deaths === 'heard' && workers.length > 1)
    actions.push(...Array.from({ length: 1 + random.below(3) }, () => planSilence(random)));
  else if (troubled) actions.push(planDeath(random));
  const plan: WorldPlan = {
    seed,
    workflows,
    runs,
    workers,
    deaths,
    faults: {
      delayMs: random.pick([2, 20, 400]),
      dropHint: random.pick([0, 0.3, 1]),
      doubleHint: random.pick([0, 0.3]),
      ...(troubled && {
        failBefore: random.pick([0, 0, 0.05, 0.25]),
        failAfter: random.pick([0, 0, 0.05]),
        conflict: random.pick([0, 0.1, 0.3]),
      }),
    },
    actions: actions.sort((a, b) => a.at - b.at),
  };
  const removing = random.chance(0.3) ? withRemoval(plan, random) : plan;
  const thinking = random.chance(0.6) ? withAfterthought(removing, random) : removing;
  return withAnotherTry(random.chance(0.3) ? withNewQuestion(thinking, random) : thinking, random);
}

/** Who sees a list fail of one item wants the rest of it done, often again and again. */
function withAnotherTry(plan: WorldPlan, random: Random): WorldPlan {
  const failing = plan.workflows.map(({ graph, fates }) =>
    graph.steps.findIndex(({ kind, settle }, i) => kind === 'each' && !settle && fates[i]?.ending.startsWith('fails')),
  );
  const run = plan.runs.findIndex(({ workflow }) => (failing[workflow] ?? -1) >= 0);
  if (run < 0) return plan;
  const { at, workflow } = plan.runs[run] as RunPlan;
  const about = { type: 'command', command: 'retry', run, step: failing[workflow] as number, force: false } as const;
  const tries = [BUSY_MS, EVENTFUL_MS].map((most): Action => ({ ...about, at: at + 1000 + random.below(most) }));
  return { ...plan, actions: [...plan.actions, ...tries].sort((a, b) => a.at - b.at) };
}

/** What was asked of a run is followed by something else, at once or when the run has ended. */
function withAfterthought(plan: WorldPlan, random: Random): WorldPlan {
  const first = plan.actions.find((action) => action.type === 'command' && action.command !== 'remove');
  if (first?.type !== 'command') return plan;
  const command = random.pick<Command>(['pause', 'resume', 'retry', 'enqueue', 'signal']);
  const thought: Action = { ...first, at: first.at + random.below(random.chance(0.5) ? 500 : EVENTFUL_MS), command };
  return { ...plan, actions: [...plan.actions, thought].sort((a, b) => a.at - b.at) };
}

/** Who cancels a run often does not want it any more. */
function withRemoval(plan: WorldPlan, random: Random): WorldPlan {
  const cancel = plan.actions.find((action) => action.type === 'command' && action.command === 'cancel');
  if (cancel?.type !== 'command') return plan;
  const removal: Action = { ...cancel, at: cancel.at + random.below(EVENTFUL_MS), command: 'remove' };
  return { ...plan, actions: [...plan.actions, removal].sort((a, b) => a.at - b.at) };
}

/** What a signal has answered is asked again, from some early step on. */
function withNewQuestion(plan: WorldPlan, random: Random): WorldPlan {
  const signal = plan.actions.find((action) => action.type === 'command' && action.command === 'signal');
  if (signal?.type !== 'command') return plan;
  const at = signal.at + random.below(BUSY_MS);
  const question: Action = { ...signal, at, command: 'enqueue', step: random.below(3) };
  return { ...plan, actions: [...plan.actions, question].sort((a, b) => a.at - b.at) };
}

function planAction(random: Random, workers: number, runs: number, isLong: boolean): Action {
  // Most of it while steps run: later there is often nothing left to disturb.
  const at = random.below(random.chance(0.6) ? BUSY_MS : EVENTFUL_MS);
  const worker = random.below(workers);
  const backAfterMs = random.below(5000);
  const dice = random.next();
  if (dice < 0.2) return { at, type: 'kill', worker, backAfterMs };
  if (dice < 0.25) return { at, type: 'kill all', backAfterMs };
  if (dice < 0.37) return { at, type: 'pause', worker, ms: random.pick([500, 5000, outlasting(random)]) };
  if (dice < 0.45) return { at, type: 'leave', worker, how: random.pick(['drain', 'now']), backAfterMs };
  if (dice < 0.5) return { at, type: 'set clock', worker, offsetMs: random.below(120_000) - 60_000 };
  if (dice < 0.58)
    return { at, type: 'lose network', ms: random.below(EVENTFUL_MS), notice: random.pick(['noticed', 'unnoticed']) };
  const command = random.pick<Command>([
    'cancel',
    'cancel',
    'pause',
    'pause',
    'resume',
    'resume',
    'retry',
    'enqueue',
    'enqueue',
    'signal',
    'signal',
    'remove',
  ]);
  const early = command === 'retry' || command === 'remove' || random.chance(0.5) ? at : random.below(EVENTFUL_MS / 4);
  return {
    // Some are asked of runs that have ended by then.
    at: isLong && random.chance(0.4) ? LATE_MS / 2 + random.below(LATE_MS / 2) : early,
    type: 'command',
    command,
    run: random.below(runs),
    ...(random.chance(0.3) && { below: true as const }),
    step: random.below(12),
    force: random.chance(0.3),
  };
}

/** Somebody whom others listen for is not heard, while that matters. */
function planSilence(random: Random): Action {
  const dice = random.next();
  if (dice > 0.85) return planDeath(random);
  const at = random.below(BUSY_MS);
  if (dice < 0.5) return { at, type: 'pause', worker: 'a holder', ms: outlasting(random) };
  return { at, type: 'pause all', ms: outlasting(random) };
}

/** Somebody goes who has something to leave behind, mostly without a word. */
function planDeath(random: Random): Action {
  const gone = { at: random.below(BUSY_MS), worker: 'a holder', backAfterMs: random.below(5000) } as const;
  return random.chance(0.75) ? { ...gone, type: 'kill' } : { ...gone, type: 'leave', how: 'now' };
}

/** Longer than others listen for one who holds claims; often such that it wakes just as they give it up. */
function outlasting(random: Random): number {
  return random.chance(0.6) ? 25_000 + random.below(8_000) : 32_000 + random.below(20_000);
}

function planWorkflow(index: number, calls: boolean, random: Random): WorkflowPlan {
  const calling = calls && random.chance(0.8) ? 0.5 : 0;
  const size = random.chance(0.05) ? 30 : 1 + random.below(9);
  const fates: Fate[] = [];
  const steps: GraphStep[] = [];
  const branches: boolean[] = [];
  const waiting = random.chance(0.2) ? 0.5 : 0.2;
  const edgeTo = (i: number): GraphEdge => {
    const step = `s${i}`;
    if (!branches[i] || random.chance(0.3)) return { step };
    const roads = random.pick<readonly (string | null)[]>([['x'], ['y'], [null], ['x', 'y'], ['x', null]]);
    return { step, on: roads };
  };
  for (let i = 0; i < size; i++) {
    branches.push(random.chance(0.25));
    const fate = planFate(random, branches[i] === true);
    fates.push(fate);
    const some = (most: number) =>
      i === 0 ? [] : Array.from({ length: random.below(most + 1) }, () => random.below(i));
    const params = new Map<string, NonNullable<GraphStep['needs']>[number]>();
    for (const source of some(2)) params.set(`s${source}`, { param: `s${source}`, from: 'step', ...edgeTo(source) });
    if (random.chance(0.2)) params.set('input', { param: 'input', from: 'input' });
    if (fate.ending === 'is skipped') params.set('never', { param: 'never', from: 'input', when: 'handler' });
    if (i > 0 && random.chance(0.15))
      params.set('settled', { param: 'settled', from: 'settled', step: `s${random.below(i)}` });
    const group = [...new Set(some(4))].map(edgeTo);
    if (group.length > 1 && random.chance(0.6)) params.set('any', { param: 'any', from: 'any', of: group });
    const groupAfter = [...new Set(some(4))].map(edgeTo);
    const waits = branches[i] ? undefined : planWait(random, waiting);
    if (waits)
      fates[i] = { ...fate, ending: 'succeeds', ...(waits.kind === 'sleep' && { sleepMs: random.below(4000) }) };
    if (waits && (waits.kind === 'wait' || waits.forMs !== undefined)) {
      steps.push({
        name: `s${i}`,
        ...waits,
        after: [...some(2).map(edgeTo), ...(group.length > 1 ? [{ any: group }] : [])],
        ...(waits.kind === 'wait' && fate.fallback && { fallback: 'handler' as const }),
        queue: random.pick(QUEUES),
      });
      continue;
    }
    const loops = !waits && !branches[i] && random.chance(0.1);
    if (loops)
      fates[i] = { ...fate, ...(fate.ending === 'is skipped' && { ending: 'succeeds' }), rounds: 1 + random.below(4) };
    const source = random.below(i + 1);
    const lists =
      i > 0 && source < i && !waits && !loops && !branches[i] && random.chance(0.2) && isPlain(steps[source]);
    if (lists) {
      const fails = random.chance(0.25) && { ending: random.pick(['fails', 'fails for good'] as const) };
      fates[i] = { ...fate, ...(fate.ending === 'is skipped' && { ending: 'succeeds' }), ...fails };
      fates[source] = { ...(fates[source] as Fate), list: fails ? 3 : random.pick([0, 1, 3, 5]) };
    }
    const isCall = !waits && !loops && !lists && !branches[i] && random.chance(calling);
    const retry = fate.ending === 'fails once' || fate.ending === 'hangs once' || random.chance(0.2);
    steps.push({
      name: `s${i}`,
      ...(branches[i] && { kind: 'branch' as const }),
      ...waits,
      ...(loops && { kind: 'loop' as const, rounds: 2 + random.below(3), ...(random.chance(0.5) && { everyMs: 300 }) }),
      ...(lists && {
        kind: 'each' as const,
        ...(random.chance(0.5) && { limit: 1 + random.below(2) }),
        ...(random.chance(0.4) && { settle: 'items' as const }),
      }),
      ...(isCall && {
        kind: 'run' as const,
        workflow: `w${index + 1}`,
        ...(random.chance(0.3) && { forMs: random.pick([100, 500, 5000, 40_000]) }),
      }),
      needs: loops
        ? [{ param: 'state', from: 'input' }]
        : lists
          ? [{ param: 'list', from: 'step', step: `s${source}` }]
          : [...params.values()],
      after: [
        ...some(loops ? 2 : 1).map(edgeTo),
        ...(groupAfter.length > 1 && random.chance(0.4) ? [{ any: groupAfter }] : []),
      ],
      retry: {
        attempts: retry ? 2 + random.below(2) : 1,
        baseMs: random.pick([1, 200, 2000]),
        losses: random.chance(0.15) ? 2 : 50,
      },
      timeoutMs: fate.ending === 'hangs once' ? random.pick([1500, 12_000, 30_000]) : 600_000,
      ...(fate.fallback && { fallback: 'handler' as const }),
      queue: random.pick(QUEUES),
      ...(random.chance(0.1) && { priority: random.below(3) - 1 }),
      ...(random.chance(0.2) && { requires: 'network' as const }),
    });
  }
  return {
    fates,
    graph: {
      name: `w${index}`,
      steps,
      ...(index > 0 && { output: { record: [['last', { from: 'step' as const, step: `s${size - 1}` }] as const] } }),
      ...(random.chance(0.1) && { failOn: 'first' as const }),
      ...(random.chance(0.1) && { deadlineMs: 500 + random.below(20_000) }),
    },
  };
}

function isPlain(step: GraphStep | undefined): boolean {
  return step !== undefined && step.kind === undefined;
}

/** What a step waits for before anything else can happen to it, if it does. */
function planWait(random: Random, chance: number): Pick<GraphStep, 'kind' | 'forMs' | 'signal' | 'check'> | undefined {
  if (!random.chance(chance)) return undefined;
  if (random.chance(0.4)) return { kind: 'sleep', ...(random.chance(0.6) && { forMs: random.pick([0, 100, 5000]) }) };
  return {
    kind: 'wait',
    ...(random.chance(0.7) && { forMs: random.pick([0, 2000, 20_000]) }),
    ...(random.chance(0.7) && { signal: NEWS }),
    ...(random.chance(0.5) && { check: 'handler' as const }),
  };
}

function planFate(random: Random, branch: boolean): Fate {
  const ending = random.pick<Fate['ending']>([
    'succeeds',
    'succeeds',
    'succeeds',
    'succeeds',
    'succeeds',
    'fails',
    'fails for good',
    'is skipped',
    'fails once',
    'hangs once',
  ]);
  return {
    ending,
    ...(branch && { road: random.pick(['x', 'y', 'nowhere']) }),
    ...(random.chance(0.3) && { also: random.pick(['once', 'heartbeat', 'large', 'emit']) }),
    ...(ending === 'hangs once' && random.chance(0.5) && { deaf: true as const }),
    ...(random.chance(0.15) && { fallback: random.pick(['succeeds', 'fails']) }),
  };
}
