import type { Definition } from '../../core/definition.ts';
import type { Store } from '../../core/store.ts';
import { seeded } from '../random.ts';
import { Coverage } from './coverage.ts';
import { planWorld, type WorldPlan } from './plan.ts';
import { REACHABLE } from './reachable.ts';
import { shrink } from './shrink.ts';
import { Violation } from './violation.ts';
import { type Runnable, runWorld, type WorldReport } from './world.ts';

export interface SimulationOptions {
  /**
   * Your own workflows, and the input of their runs, which is encoded as it is, without validation. Their bodies must
   * not wait for the real world: virtual time would pass without them. Graphs and bodies are made up if there are none.
   */
  readonly workflows?: readonly { readonly workflow: Definition; readonly input?: unknown }[];
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

  constructor(seed: number, replay: string, plan: WorldPlan, { violation, trace }: WorldReport) {
    const { invariant, message } = violation as Violation;
    super(
      `seed ${seed} breaks a promise: ${message}\nto see it again: ${replay}\nmade smaller: ${JSON.stringify(plan)}\nthe end of what happened:\n${trace.slice(-TOLD).join('\n')}`,
    );
    this.seed = seed;
    this.invariant = invariant;
    this.plan = plan;
    this.trace = trace;
  }
}

const WORLDS = 200;
const TOLD = 30;
const PROGRESS = 50;

/**
 * Lets seeded worlds happen in virtual time: several workers on one storage, with crashes, restarts, pauses, lost and
 * doubled hints, failing commits and clocks that jump, and commands at any time. After every commit the journal and the
 * rows are held against the specification, and every world happens twice. Rejects with `SimulationFailed` at the first
 * promise that is broken.
 */
export async function simulate(options: SimulationOptions = {}): Promise<SimulationReport> {
  const { worlds = WORLDS, seed: first = 1, workflows = [], progress, replay = callAgain } = options;
  for (const [name, value] of Object.entries({ worlds, seed: first })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`${name} is ${value}; write a whole number, 1 or more`);
  }
  const runnable = workflows.map(({ workflow, input }): Runnable => ({ definition: workflow, input }));
  const coverage = new Coverage();
  for (let seed = first; seed < first + worlds; seed++) {
    const plan = planWorld(seed, seeded(seed), runnable.length);
    const report = await twice(plan, options, runnable, coverage);
    if (report.violation) {
      const breaks = async (smaller: WorldPlan) => (await twice(smaller, options, runnable)).violation?.invariant;
      const smallest = await shrink(plan, report.violation.invariant, breaks);
      const again = await twice(smallest, options, runnable);
      throw new SimulationFailed(
        seed,
        replay(seed),
        again.violation ? smallest : plan,
        again.violation ? again : report,
      );
    }
    if ((seed - first + 1) % PROGRESS === 0) progress?.(seed - first + 1);
  }
  return {
    worlds,
    reached: Object.fromEntries(coverage.entries().map(([kind, counts]) => [kind, Object.fromEntries(counts)])),
    unreached: runnable.length > 0 ? [] : coverage.missing(REACHABLE),
  };
}

function callAgain(seed: number): string {
  return `simulate({ …, seed: ${seed}, worlds: 1 })`;
}

/** What happened, and whether it happens again. */
async function twice(
  plan: WorldPlan,
  { rows }: SimulationOptions,
  workflows: readonly Runnable[],
  coverage: Coverage = new Coverage(),
): Promise<WorldReport> {
  const once = async (seen: Coverage): Promise<WorldReport> => {
    const ground = rows?.();
    try {
      return await runWorld(plan, { workflows, open: ground && (() => ground.open()) }, seen);
    } finally {
      await ground?.remove?.();
    }
  };
  const report = await once(coverage);
  if (report.violation) return report;
  const again = await once(new Coverage());
  const other = report.trace.findIndex((line, i) => line !== again.trace[i]);
  if (other < 0 && report.trace.length === again.trace.length) return again;
  const what = `line ${other}: ${report.trace[other]} — the second time: ${again.trace[other]}`;
  return { trace: report.trace, violation: again.violation ?? new Violation('the same seed is the same world', what) };
}
