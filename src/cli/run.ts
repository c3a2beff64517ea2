import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { type FuselineError, RunFailedError } from '../core/errors.ts';
import { ProcessEngine } from '../core/process-engine.ts';
import { EXIT, type Exit, exitOf } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import { type Exported, findWorkflow, openStorage, readInput, workerNameHere } from './open.ts';
import {
  type CommonOptions,
  commandLine,
  isAbout,
  label,
  runLine,
  storageWords,
  wholeNumber,
  withCommonOptions,
} from './options.ts';
import { json, statusText } from './output.ts';
import { Progress } from './progress.ts';
import { keepStdoutForJson, note, print } from './streams.ts';
import { oneLine } from './text.ts';

interface RunOptions extends CommonOptions {
  readonly input?: string;
  readonly id?: string;
  readonly workflow?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly concurrency?: number;
}

export function runCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('run'))
    .summary('run a workflow to its end; the same id again goes on where it stopped')
    .description(
      'Runs the workflow a file exports until its run has ended, and prints the result.\nThe same id again, after a crash or a Ctrl-C, goes on where the run stopped;\nafter the end it prints the recorded result.',
    )
    .argument('<file>', 'a TypeScript or JavaScript module that exports a workflow')
    .option('--input <json>', 'the input: JSON, @file, or - for stdin')
    .option('--id <id>', "the run's id; a fresh one unless told")
    .option('--workflow <name>', 'which one, where the file exports several')
    .option('--label <key=value>', 'label the run; may be repeated', label)
    .option('--concurrency <n>', 'steps at once in this process', wholeNumber)
    .addHelpText(
      'after',
      `
Progress goes to stderr, the result to stdout as JSON. With --json, one document
and nothing else on stdout:
  { id, workflow, status, result }  or  { id, workflow, status, error }
The first Ctrl-C lets the steps under way finish, the second leaves at once.`,
    )
    .action(async (file: string, options: RunOptions) => finish(await run(file, options)));
}

async function run(file: string, options: RunOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const workflow = await findWorkflow(file, options.workflow);
  const storage = openStorage(options.storage, 'made');
  try {
    const id = await findOrDispatch(workflow, storage, options);
    return await workOff(file, workflow, storage, id, options);
  } finally {
    await storage.close();
  }
}

/** An id alone names a run there is; with an input it is the run of that input, new or not. */
async function findOrDispatch(workflow: Exported, storage: FileStorage, options: RunOptions): Promise<string> {
  const { id, label: labels } = options;
  if (id !== undefined && options.input === undefined) {
    const found = await storage.get(id).catch((error: FuselineError) => {
      if (!isAbout(error, 'UNKNOWN_RUN')) throw error;
      return undefined;
    });
    if (found?.workflow === workflow.name) return id;
  }
  const input = await readInput(options.input);
  const handle = await workflow.dispatch(input, {
    storage,
    ...(id !== undefined && { id }),
    ...(labels && { labels }),
  });
  return handle.id;
}

async function workOff(
  file: string,
  workflow: Exported,
  storage: FileStorage,
  id: string,
  options: RunOptions,
): Promise<Exit> {
  const engine = new ProcessEngine(workflow, storage, {
    name: workerNameHere(),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
  });
  const { workflow: name } = options;
  const again = commandLine(
    'run',
    file,
    ...(name === undefined ? [] : ['--workflow', name]),
    '--id',
    id,
    ...storageWords(options),
  );
  const seen = (await storage.peek(id, (state) => state.seq)) ?? -1;
  const view = await storage.get(id);
  if (view.status === 'PAUSED') note(oneLine(await storage.explain(id)));
  const progress = options.json ? undefined : new Progress(storage, view, seen + 1);
  if (options.id === undefined && progress) note(`run ${id}`);
  progress?.follow().catch((error: unknown) => note(oneLine(String(error))));
  engine.on('log', ({ step, message, details }) =>
    note(oneLine(`${step}: ${message}${details === undefined ? '' : ` ${json(details)}`}`)),
  );
  engine.on('error', ({ error }) => note(oneLine(String(error))));
  const stopHearing = onInterrupt({
    drain() {
      const draining = 'draining: the steps under way may finish; Ctrl-C again leaves at once';
      if (progress) progress.announce(draining, `draining ${id}`);
      else note(draining);
      void engine.stop({ drain: true });
    },
    leave() {
      progress?.close();
      note(`left; what was under way is done again. To go on: ${again}`);
    },
  });
  try {
    const { stranded } = await engine.work(id);
    const status = await storage.status(id);
    const ended = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
    await progress?.catchUp();
    progress?.close();
    if (ended) return await answer(storage, { id, workflow: workflow.name, status }, again, options);
    const why = stranded.length > 0 ? await storage.explain(id) : 'drained before its end';
    if (options.json) print(json({ id, workflow: workflow.name, status, error: { message: why } }));
    note(`${oneLine(why)}${stranded.length > 0 ? '' : `. To go on: ${again}`}`);
    return stranded.length > 0 ? EXIT.stranded : EXIT.interrupted;
  } finally {
    stopHearing();
    progress?.close();
  }
}

interface Ended {
  readonly id: string;
  readonly workflow: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
}

async function answer(storage: FileStorage, ended: Ended, again: string, options: RunOptions): Promise<Exit> {
  try {
    const result = await storage.result(ended.id);
    print(options.json ? json({ ...ended, result }) : json(result, process.stdout.isTTY ? 2 : 0));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    const { code, message, failures, cause } = error;
    if (options.json) print(json({ ...ended, error: { code, message, failures } }));
    note(`${statusText(ended.status)}  ${oneLine(message)} (${code})`);
    note(`To take it up again: ${runLine('retry', options, ended.id)} && ${again}`);
    if (options.verbose && cause instanceof Error) note(cause.stack ?? String(cause));
    return exitOf(error);
  }
}
