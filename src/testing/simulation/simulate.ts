import type { Store } from '../../core/store.ts';
import { seeded } from '../random.ts';
import { checkFakes } from '../test-run-fakes.ts';
import { Coverage } from './coverage.ts';
import { planWorld, type WorldPlan } from './plan.ts';
import { REACHABLE } from './reachable.ts';
import type { RunEnd } from './referee.ts';
import { shrink } from './shrink.ts';
import type { Simulated } from './simulated.ts';
import { WorkflowUnfit } from './unfit.ts';
import { Violation } from './violation.ts';
import { runWorld, type WorldReport } from './world.ts';

export interface SimulationOptions {
  /**
   * Your own workflows, best as `simulated` types them. Their bodies must not wait for the real world, because virtual
   * time would pass without them: give fakes for those that do. Graphs and bodies are made up if there are none.
   */
  readonly workflows?: readonly Simulated[];
  /** How many worlds; 200 unless told. */
  readonly worlds?: number;
  /** The seed of the first one; each further one has the next. 1 unless told. */
  readonly seed?: number;
  /** Makes the rows of one world, and hands out handles on them; they lie in memory unless told. */
  readonly rows?: () => { open(): Promise<Store>; remove?(): Promise<void> };
  /** Hears now and then how many worlds are done. */
  readonly progress?: (worlds: number) => void;
  /** How a failing seed is run again, for the message; a call of `simulate` unless told. */
  readonly replay?: (seed: number) => string;
}

export interface SimulationReport {
  readonly worlds: number;
  /** What was reached, and how often: events, rows of the edge table, commands by the state of their run, what happened to processes. */
  readonly reached: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What made-up worlds ought to reach and have not. Empty for your own workflows, which need not reach everything. */
  readonly unreached: readonly string[];
}

/** A world broke a promise. `plan` is what it was made smaller to, `trace` all that happened in it. */
export class SimulationFailed extends Error {
  override readonly name = 'SimulationFailed';
  readonly seed: number;
  readonly invariant: string;
  readonly plan: WorldPlan;
  readonly trace: readonly string[];
  /** By the worlds before, and by this one. */
  readonly reached: SimulationReport['reached'];

  constructor(
    seed: number,
    replay: string,
    plan: WorldPlan,
    { violation, trace }: Pick<WorldReport, 'violation' | 'trace'>,
    reached: SimulationReport['reached'],
  ) {
    const { invariant, message } = violation as Violation;
    super(
      [
        `seed ${seed} breaks a promise: ${message}`,
        `to see it again: ${replay}`,
        `made smaller: ${JSON.stringify(plan)}`,
        'the end of what happened:',
        ...trace.slice(-TOLD),
        `reached until then: ${inWords(reached)}`,
      ].join('\n'),
    );
    this.seed = seed;
    this.invariant = invariant;
    this.plan = plan;
    this.trace = trace;
    this.reached = reached;
  }
}

const WORLDS = 200;
const TOLD = 30;
const PROGRESS = 50;
/** Of made-up worlds, each of so many happens a second time. */
const TWICE = 10;

/**
 * Lets seeded worlds happen in virtual time: several workers on one storage, with crashes, restarts, pauses, lost and
 * doubled hints, failing commits and clocks that jump, and commands at any time. After every commit the journal and the
 * rows are held against the specification. Worlds of workflows of yours happen twice each, and so does every tenth of
 * made-up ones: what is not the same then is a violation as well. Rejects with `SimulationFailed` at the first
 * promise that is broken; with `WorkflowUnfit` if a body of yours waits for the real world, or no run of yours succeeds.
 */
export async function simulate(options: SimulationOptions = {}): Promise<SimulationReport> {
  const { worlds = WORLDS, seed: first = 1, workflows = [], progress, replay = callAgain } = options;
  for (const [name, value] of Object.entries({ worlds, seed: first })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`${name} is ${value}; write a whole number, 1 or more`);
  }
  for (const { workflow, steps = {} } of workflows) checkFakes(workflow, steps);
  const coverage = new Coverage();
  const ends: RunEnd[] = [];
  for (let seed = first; seed < first + worlds; seed++) {
    const plan = planWorld(seed, seeded(seed), workflows.length);
    const isOneOfMany = workflows.length === 0 && seed % TWICE !== 0;
    const report = await (isOneOfMany ? once : twice)(plan, options, coverage);
    if (report.violation) {
      const breaks = async (smaller: WorldPlan) => (await twice(smaller, options)).violation?.invariant;
      const smallest = await shrink(plan, report.violation.invariant, breaks);
      const again = await twice(smallest, options);
      throw new SimulationFailed(
        seed,
        replay(seed),
        again.violation ? smallest : plan,
        again.violation ? again : report,
        coverage.report(),
      );
    }
    ends.push(...report.ends);
    if ((seed - first + 1) % PROGRESS === 0) progress?.(seed - first + 1);
  }
  for (const { workflow } of workflows) demandSuccess(workflow.name, ends);
  return {
    worlds,
    reached: coverage.report(),
    unreached: workflows.length > 0 ? [] : coverage.missing(REACHABLE),
  };
}

/** Worlds in which every run fails by itself say little about what follows the step that does. */
function demandSuccess(name: string, ends: readonly RunEnd[]): void {
  const own = ends.filter(({ workflow }) => workflow === name);
  const failed = own.find(({ status, byItself }) => status === 'FAILED' && byItself);
  if (!failed || own.some(({ status }) => status === 'SUCCEEDED')) return;
  const { step, error } = failed;
  const why =
    step === undefined
      ? 'its deadline passes'
      : `step ${JSON.stringify(step)} fails: ${error?.name}: ${error?.message}`;
  throw new WorkflowUnfit(
    'never succeeds',
    name,
    step,
    `no run of workflow ${JSON.stringify(name)} succeeds (${own.length} ended): ${why}; give it another input, or a fake for the step`,
  );
}

function inWords(reached: SimulationReport['reached']): string {
  return Object.entries(reached)
    .map(
      ([kind, counts]) =>
        `${kind}: ${Object.entries(counts)
          .map(([what, times]) => `${what} ${times}`)
          .join(', ')}`,
    )
    .join('; ');
}

function callAgain(seed: number): string {
  return `simulate({ …, seed: ${seed}, worlds: 1 })`;
}

async function once(
  plan: WorldPlan,
  { rows, workflows = [] }: SimulationOptions,
  coverage: Coverage,
): Promise<WorldReport> {
  const ground = rows?.();
  try {
    return await runWorld(plan, { workflows, open: ground && (() => ground.open()) }, coverage);
  } finally {
    await ground?.remove?.();
  }
}

/** What happened, and whether it happens again. */
async function twice(
  plan: WorldPlan,
  options: SimulationOptions,
  coverage: Coverage = new Coverage(),
): Promise<WorldReport> {
  const { workflows = [] } = options;
  const report = await once(plan, options, coverage);
  if (report.violation) return report;
  const again = await once(plan, options, new Coverage());
  const other = report.trace.findIndex((line, i) => line !== again.trace[i]);
  if (other < 0 && report.trace.length === again.trace.length) return again;
  const hint = workflows.length > 0 ? '; a body may be another one the second time: give a fake for it' : '';
  const what = `line ${other}: ${report.trace[other]} — the second time: ${again.trace[other]}${hint}`;
  return { ...report, violation: again.violation ?? new Violation('the same seed is the same world', what) };
}
