import { Command } from 'commander';
import { jsonOf, lineOf, readEvent } from './event-line.ts';
import { EXIT, type Exit } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, withCommonOptions } from './options.ts';
import { isRead, print } from './streams.ts';

export function historyCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('history'))
    .summary('print the journal of a run: everything that happened, in order')
    .description('Prints the journal of a run: everything that happened, in order.')
    .argument('<run>', "the run's id")
    .addHelpText(
      'after',
      `
With --json, one event per line: { seq, index, at, type, … }; times are epoch
milliseconds, recorded values are decoded.`,
    )
    .action(async (id: string, options: CommonOptions) => finish(await history(id, options)));
}

async function history(id: string, options: CommonOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  try {
    for await (const event of storage.history(id)) {
      const read = await readEvent(storage, id, event);
      print(options.json ? jsonOf(read) : lineOf(read, process.stdout));
      if (!isRead()) break;
    }
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}
