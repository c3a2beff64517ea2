import { Command } from 'commander';
import type { Exit } from './exits.ts';
import { EXIT } from './exits.ts';
import { findWorkflow, openStorage, readInput } from './open.ts';
import {
  type CommonOptions,
  commandLine,
  label,
  moment,
  priority,
  storageWords,
  withCommonOptions,
} from './options.ts';
import { json } from './output.ts';
import { keepStdoutForJson, note, print } from './streams.ts';

interface DispatchCommandOptions extends CommonOptions {
  readonly input?: string;
  readonly id?: string;
  readonly workflow?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly startAt?: Date;
  readonly priority?: number;
}

export function dispatchCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('dispatch'))
    .summary('queue a run for the workers; executes nothing')
    .description('Queues a run of the workflow a file exports, and prints its id. Executes nothing.')
    .argument('<file>', 'a TypeScript or JavaScript module that exports a workflow')
    .option('--input <json>', 'the input: JSON, @file, or - for stdin')
    .option('--id <id>', 'the idempotency key: the same id and input again finds the run there is')
    .option('--workflow <name>', 'which one, where the file exports several')
    .option('--label <key=value>', 'label the run; may be repeated', label)
    .option('--start-at <when>', 'not before a date (2026-03-01T17:00) or a while from now (30m)', moment)
    .option('--priority <n>', 'higher first', priority)
    .addHelpText('after', '\nWith --json, one document: { id, workflow, status }.')
    .action(async (file: string, options: DispatchCommandOptions) => finish(await dispatch(file, options)));
}

async function dispatch(file: string, options: DispatchCommandOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const { id, label: labels, startAt, priority: urgency } = options;
  const workflow = await findWorkflow(file, options.workflow);
  const input = await readInput(options.input);
  const storage = openStorage(options.storage, 'made');
  try {
    const handle = await workflow.dispatch(input, {
      storage,
      ...(id !== undefined && { id }),
      ...(labels && { labels }),
      ...(startAt && { startAt }),
      ...(urgency !== undefined && { priority: urgency }),
    });
    if (options.json) print(json({ id: handle.id, workflow: workflow.name, status: await handle.status() }));
    else {
      print(handle.id);
      if (process.stderr.isTTY) note(`To work it off: ${commandLine('work', file, ...storageWords(options))}`);
    }
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}
