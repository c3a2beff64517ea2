import { Command } from 'commander';
import { FuselineError } from '../core/errors.ts';
import { EXIT, type Exit, exitOf } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, whereToLook, withCommonOptions } from './options.ts';
import { json, painter } from './output.ts';
import { note, print } from './streams.ts';
import { oneLine } from './text.ts';

export function rmCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('rm'))
    .summary('delete runs that have ended, with all they recorded')
    .description(
      'Deletes runs that have ended, with everything they recorded. One that has not is\nleft alone, and the others are deleted all the same.',
    )
    .argument('<runs...>', 'ids of runs')
    .addHelpText(
      'after',
      `
Prints the ids of the runs it deleted. With --json, one document:
{ removed, refused }, refused being a list of { id, code, message }.`,
    )
    .action(async (ids: string[], options: CommonOptions) => finish(await rm(ids, options)));
}

async function rm(ids: readonly string[], options: CommonOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  const removed: string[] = [];
  const refused: { readonly id: string; readonly code: string; readonly message: string }[] = [];
  let exit: Exit = EXIT.ok;
  try {
    for (const id of new Set(ids)) {
      try {
        await storage.remove(id);
        removed.push(id);
        if (!options.json) print(oneLine(id));
      } catch (error) {
        if (!(error instanceof FuselineError) || exitOf(error) !== EXIT.usage) throw error;
        exit = EXIT.usage;
        refused.push({ id, code: error.code, message: error.message });
        note(`${painter(process.stderr)('red', 'fuseline:')} ${oneLine(error.message)} (${error.code})`);
      }
    }
    if (refused.some(({ code }) => code === 'UNKNOWN_RUN')) note(whereToLook(options));
    if (options.json) print(json({ removed, refused }));
    return exit;
  } finally {
    await storage.close();
  }
}
