import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { FuselineError } from '../core/errors.ts';
import type { RunState } from '../core/run-state.ts';
import { EXIT, type Exit } from './exits.ts';
import { openStorage, readInput } from './open.ts';
import { type CommonOptions, isAbout, runLine, withCommonOptions } from './options.ts';
import { columnsOf, json, painter, statusStyle, statusText } from './output.ts';
import { note, print } from './streams.ts';
import { oneLine, wrap } from './text.ts';

interface RunCommandOptions extends CommonOptions {
  readonly id?: string;
  readonly force?: true;
}

/** A command that asks one thing of a run and says how the run is then. */
interface RunCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** What it takes beside the run. */
  readonly takes?: (command: Command) => Command;
  ask(storage: FileStorage, run: string, words: readonly string[], options: RunCommandOptions): Promise<void>;
  /** What a person might not expect of what has just been done. */
  remark?(storage: FileStorage, run: string, words: readonly string[]): Promise<string | undefined>;
}

const commandId = ({ id }: RunCommandOptions): { readonly id?: string } => (id === undefined ? {} : { id });

const RUN_COMMANDS: readonly RunCommand[] = [
  {
    name: 'cancel',
    summary: 'cancel a run: steps under way are aborted, nothing new starts',
    description:
      'Cancels a run. Steps under way are aborted, on whichever worker they are;\nwhat they still answer is not recorded.',
    async ask(storage, run, _, options) {
      await storage.cancel(run, commandId(options)).catch(async (error: unknown) => {
        // It is what was asked for.
        if (isAbout(error, 'RUN_FINISHED') && (await storage.status(run)) === 'CANCELLED') return;
        throw error;
      });
    },
  },
  {
    name: 'pause',
    summary: 'let the steps under way finish and start no others',
    description: 'Pauses a run: the steps under way finish and count, no others start until the\nrun is resumed.',
    ask: (storage, run, _, options) => storage.pause(run, commandId(options)),
  },
  {
    name: 'resume',
    summary: 'let a paused run go on',
    description: 'Lets a paused run go on.',
    ask: (storage, run, _, options) => storage.resume(run, commandId(options)),
  },
  {
    name: 'retry',
    summary: 'take a failed or cancelled run up again where it ended',
    description:
      'Takes a failed or cancelled run up again where it ended: what failed or was\ncancelled is queued again, what succeeded stays.',
    ask: (storage, run, _, options) => storage.retry(run, commandId(options)),
  },
  {
    name: 'enqueue',
    summary: 'run a step that has ended again, and all that depends on it',
    description: 'Queues a step that has ended once more; all that depends on it is done again.',
    takes: (command) =>
      command
        .argument('<step>', "the step's name")
        .option('--force', 'even if the step lies on a road that was not taken'),
    ask: (storage, run, [step = ''], options) =>
      storage
        .enqueue(run, step, { ...commandId(options), ...(options.force && { force: 'not-taken' }) })
        .catch((error: unknown) => {
          if (!isAbout(error, 'STEP_NOT_TAKEN')) throw error;
          throw new FuselineError(
            'STEP_NOT_TAKEN',
            `step ${JSON.stringify(step)} lies on a road run ${run} did not take; to run it all the same: ${runLine('enqueue --force', options, run, step)}`,
            { cause: error },
          );
        }),
  },
  {
    name: 'signal',
    summary: 'tell a run what one of its steps waits for, an approval for one',
    description:
      'Tells a run something: the first step that waits for a signal of this name goes\non with it. One that comes early is kept until a step waits for it.',
    takes: (command) =>
      command.argument('<name>', "the signal's name").argument('[payload]', 'JSON, @file, or - for stdin'),
    ask: async (storage, run, [name = '', payload], options) =>
      storage.signal(run, name, await readInput(payload, 'the payload'), commandId(options)),
    remark: (storage, run, [name = '']) => storage.peek(run, (state) => unheard(state, name)),
  },
];

export const runCommands: readonly ((finish: (exit: Exit) => void) => Command)[] = RUN_COMMANDS.map(
  (one) => (finish) => {
    const command = new Command(one.name)
      .summary(one.summary)
      .description(one.description)
      .argument('<run>', "the run's id");
    return withCommonOptions(one.takes?.(command) ?? command)
      .option('--id <id>', 'the id of this command: given again, it changes nothing')
      .addHelpText('after', '\nWorkers may be at work meanwhile. With --json, one document:\n{ id, workflow, status }.')
      .action(async (run: string, ...rest: readonly unknown[]) => {
        const options = rest.at(-2) as RunCommandOptions;
        finish(await ask(one, run, rest.slice(0, -2) as string[], options));
      });
  },
);

async function ask(
  command: RunCommand,
  run: string,
  words: readonly string[],
  options: RunCommandOptions,
): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  try {
    await command.ask(storage, run, words, options);
    const { workflow, status } = await storage.get(run);
    if (options.json) {
      print(json({ id: run, workflow, status }));
      return EXIT.ok;
    }
    print(`${painter(process.stdout)(statusStyle(status), statusText(status))}  ${oneLine(run)}`);
    const remark = await command.remark?.(storage, run, words);
    for (const sentence of [...(remark === undefined ? [] : [remark]), await storage.explain(run)])
      for (const line of wrap(oneLine(sentence), columnsOf(process.stderr))) note(line);
    if (status === 'PAUSED') note(`To let it go on: ${runLine('resume', options, run)}`);
    if (status === 'CANCELLED') note(`To take it up again: ${runLine('retry', options, run)}`);
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}

/** What becomes of a signal that no step has taken; `undefined` where one has. */
function unheard(state: RunState, name: string): string | undefined {
  const { steps, waits } = state.graph;
  const quoted = JSON.stringify(name);
  const takers = waits.get(name);
  if (!takers) {
    const known = [...waits.keys()].map((one) => JSON.stringify(one));
    const others = known.length === 0 ? '' : `; its steps wait for ${known.join(', ')}`;
    return `No step of the run's workflow waits for signal ${quoted}: it is recorded, and kept${others}.`;
  }
  if (!state.unread(name)) return undefined;
  const next = takers.find((step) => !state.isFinal(step));
  if (next === undefined) return `Nobody waits for signal ${quoted} any longer: it is recorded, and kept.`;
  return `Nobody waits for signal ${quoted} yet: it is kept for step ${JSON.stringify(steps[next]?.spec.name)}.`;
}
