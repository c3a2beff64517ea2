import { Command } from 'commander';
import { countText } from '../core/words.ts';
import { SimulationFailed, type SimulationReport, simulate } from '../testing/simulation/simulate.ts';
import { WorkflowUnfit } from '../testing/simulation/unfit.ts';
import { EXIT, type Exit } from './exits.ts';
import { findSimulated, readInput } from './open.ts';
import { commandLine, wholeNumber } from './options.ts';
import { json } from './output.ts';
import { keepStdoutForJson, note, print } from './streams.ts';

interface SimulateOptions {
  readonly worlds: number;
  readonly seed: number;
  readonly workflow?: string;
  readonly input?: string;
  readonly json?: true;
}

const WORLDS = 200;
/** So many made-up worlds reach everything there is to reach. */
const ENOUGH = 500;

export function simulateCommand(finish: (exit: Exit) => void): Command {
  return new Command('simulate')
    .summary('crash workers, lose messages and set clocks, thousands of times, in virtual time')
    .description(
      'Lets seeded worlds happen: workers on one storage in memory, with crashes,\npauses, lost and doubled wake-ups, failing commits, clock jumps, and commands at\nany time. Every promise is checked after every commit. Ends at the first that is\nbroken.',
    )
    .argument('[files...]', 'modules with your workflows; without, made-up ones run')
    .option('--worlds <n>', 'how many worlds', wholeNumber, WORLDS)
    .option('--seed <n>', 'the seed of the first world', wholeNumber, 1)
    .option('--workflow <name>', 'only this one of the workflows')
    .option('--input <json>', 'the input of every run: JSON, @file, or - for stdin')
    .option('--json', 'for programs: JSON on stdout')
    .addHelpText(
      'after',
      `
Time is virtual. A body that waits for the real world needs a fake, which the
file exports beside its workflow:
  import { simulated } from 'fuseline/testing';
  export const inWorlds = simulated(order, {
    input: { id: 17 },
    steps: { charge: [new Error('down'), () => 'receipt'] },
  });
Fails too if no run of a workflow ever succeeds, and if ${ENOUGH} or more made-up
worlds did not reach all they ought to.`,
    )
    .action(async (files: string[], options: SimulateOptions) => finish(await run(files, options)));
}

async function run(files: readonly string[], options: SimulateOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const { worlds, seed, workflow, input } = options;
  const workflows = files.length === 0 ? [] : await findSimulated(files, workflow);
  const value = await readInput(input);
  const others = [
    ...(workflow === undefined ? [] : ['--workflow', workflow]),
    ...(input === undefined ? [] : ['--input', input]),
  ];
  try {
    const report = await simulate({
      worlds,
      seed,
      workflows: workflows.map((one) => (input === undefined ? one : { ...one, input: value })),
      replay: (failing) => commandLine('simulate', ...files, ...others, '--seed', String(failing), '--worlds', '1'),
      ...(process.stderr.isTTY && { progress: (done) => note(`${done} of ${worlds}`) }),
    });
    if (options.json) print(json(report));
    else tell(report);
    if (report.unreached.length > 0) note(`not reached: ${report.unreached.join('; ')}`);
    return exitOf(report);
  } catch (error) {
    if (error instanceof SimulationFailed) {
      const { seed, invariant, plan, trace, reached } = error;
      if (options.json) print(json({ seed, invariant, plan, trace, reached }));
      note(error.message);
      return EXIT.failed;
    }
    if (!(error instanceof WorkflowUnfit)) throw error;
    const { reason, workflow, step, message } = error;
    if (options.json) print(json({ error: { reason, workflow, step, message } }));
    note(message);
    return reason === 'never succeeds' ? EXIT.failed : EXIT.waiting;
  }
}

/** What enough worlds have not reached they no longer prove. */
export function exitOf({ worlds, unreached }: Pick<SimulationReport, 'worlds' | 'unreached'>): Exit {
  return unreached.length > 0 && worlds >= ENOUGH ? EXIT.failed : EXIT.ok;
}

function tell({ worlds, reached }: SimulationReport): void {
  print(`${countText(worlds, 'world')}, no promise broken`);
  for (const [kind, counts] of Object.entries(reached)) {
    print(`\n${kind}`);
    for (const [what, times] of Object.entries(counts)) print(`${String(times).padStart(9)}  ${what}`);
  }
}
