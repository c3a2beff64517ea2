import { Command } from 'commander';
import { countText } from '../core/words.ts';
import { SimulationFailed, type SimulationReport, simulate } from '../testing/simulation/simulate.ts';
import { EXIT, type Exit } from './exits.ts';
import { findWorkflows, readInput } from './open.ts';
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

export function simulateCommand(finish: (exit: Exit) => void): Command {
  return new Command('simulate')
    .summary('crash workers, lose messages and set clocks, thousands of times, in virtual time')
    .description(
      'Lets seeded worlds happen: workers on one storage in memory, with crashes, pauses,\nlost and doubled wake-ups, failing commits, clock jumps, and commands at any time.\nEvery promise is checked after every commit. Ends at the first that is broken.',
    )
    .argument('[files...]', 'modules with your own workflows; made-up ones run if there are none')
    .option('--worlds <n>', 'how many worlds', wholeNumber, WORLDS)
    .option('--seed <n>', 'the seed of the first world', wholeNumber, 1)
    .option('--workflow <name>', 'only this one of the workflows')
    .option('--input <json>', 'the input of every run: JSON, @file, or - for stdin')
    .option('--json', 'for programs: JSON on stdout')
    .action(async (files: string[], options: SimulateOptions) => finish(await run(files, options)));
}

async function run(files: readonly string[], options: SimulateOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const { worlds, seed, workflow, input } = options;
  const workflows = files.length === 0 ? [] : await findWorkflows(files, workflow);
  const value = await readInput(input);
  const others = [
    ...(workflow === undefined ? [] : ['--workflow', workflow]),
    ...(input === undefined ? [] : ['--input', input]),
  ];
  try {
    const report = await simulate({
      worlds,
      seed,
      workflows: workflows.map((one) => ({ workflow: one, input: value })),
      replay: (failing) => commandLine('simulate', ...files, ...others, '--seed', String(failing), '--worlds', '1'),
      ...(process.stderr.isTTY && { progress: (done) => note(`${done} of ${worlds}`) }),
    });
    if (options.json) print(json(report));
    else tell(report);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof SimulationFailed)) throw error;
    if (options.json)
      print(json({ seed: error.seed, invariant: error.invariant, plan: error.plan, trace: error.trace }));
    else note(error.message);
    return EXIT.failed;
  }
}

function tell({ worlds, reached, unreached }: SimulationReport): void {
  print(`${countText(worlds, 'world')}, no promise broken`);
  for (const [kind, counts] of Object.entries(reached)) {
    print(`\n${kind}`);
    for (const [what, times] of Object.entries(counts)) print(`${String(times).padStart(9)}  ${what}`);
  }
  if (unreached.length > 0) print(`\nnot reached (more worlds may): ${unreached.join('; ')}`);
}
