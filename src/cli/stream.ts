import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { EXIT, type Exit } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, position, withCommonOptions } from './options.ts';
import { json } from './output.ts';
import { isRead, note, print } from './streams.ts';
import { lines } from './text.ts';

interface StreamOptions extends CommonOptions {
  readonly from: number;
}

export function streamCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('stream'))
    .summary('print what a step emits, live until it ends')
    .description('Prints what a step emits and has emitted, live until the step ends.')
    .argument('<run>', "the run's id")
    .argument('<step>', "the step's name")
    .option('--from <n>', 'leave out the parts before this position', position, 0)
    .addHelpText(
      'after',
      `
A part that is a text is printed as it is, any other as JSON in one line. Where
another attempt begins to speak, stderr says so: what was said before stays.
With --json, one part per line: { position, attempt, value }.
It ends as the step does, with 0 or 1, or with 130 on Ctrl-C, which leaves the
run alone.`,
    )
    .action(async (run: string, step: string, options: StreamOptions) => finish(await stream(run, step, options)));
}

async function stream(run: string, step: string, options: StreamOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  let stop: () => void = () => undefined;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    stop = () => resolve('interrupted');
  });
  const stopHearing = onInterrupt({ drain: stop, leave: stop });
  try {
    const told = tell(storage, run, step, options);
    if ((await Promise.race([told, interrupted])) === 'interrupted') return EXIT.interrupted;
    const status = (await storage.get(run)).steps.find(({ name }) => name === step)?.status;
    return status === 'FAILED' || status === 'CANCELLED' ? EXIT.failed : EXIT.ok;
  } finally {
    stopHearing();
    await storage.close();
  }
}

async function tell(storage: FileStorage, run: string, step: string, options: StreamOptions): Promise<void> {
  let speaker: number | undefined;
  for await (const part of storage.stream(run, step, { from: options.from })) {
    const { attempt, value } = part;
    if (options.json) print(json(part));
    else {
      if (attempt !== (speaker ?? 1)) note(`attempt ${attempt}`);
      for (const line of typeof value === 'string' ? lines(value) : [json(value)]) print(line);
    }
    speaker = attempt;
    if (!isRead()) return;
  }
}
