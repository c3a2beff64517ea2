import { Command } from 'commander';
import { EXIT, type Exit } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, runLine, withCommonOptions } from './options.ts';
import { columnsOf, json } from './output.ts';
import { note, print } from './streams.ts';
import { oneLine, wrap } from './text.ts';

export function whyCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('why'))
    .summary('say in one sentence what a run or a step waits for')
    .description('Says in one sentence what a run, or one of its steps, waits for or how it ended.')
    .argument('<run>', "the run's id")
    .argument('[step]', "the step's name")
    .addHelpText('after', '\nWith --json, one document: { id, step?, status, explain }.')
    .action(async (id: string, step: string | undefined, options: CommonOptions) =>
      finish(await why(id, step, options)),
    );
}

async function why(id: string, step: string | undefined, options: CommonOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  try {
    const explain = await storage.explain(id, step);
    const run = await storage.get(id);
    const status = step === undefined ? run.status : run.steps.find(({ name }) => name === step)?.status;
    if (options.json) {
      print(json({ id, ...(step !== undefined && { step }), status, explain }));
      return EXIT.ok;
    }
    for (const line of wrap(oneLine(explain), columnsOf(process.stdout))) print(line);
    if (run.status === 'FAILED' || run.status === 'CANCELLED')
      note(`To take it up again: ${runLine('retry', options, id)}`);
    if (run.status === 'PAUSED') note(`To let it go on: ${runLine('resume', options, id)}`);
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}
