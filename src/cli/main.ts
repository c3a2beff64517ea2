#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { type Argument, type Command, CommanderError, program } from 'commander';
import { FuselineError } from '../core/errors.ts';
import { EXIT, EXIT_HELP, type Exit, exitOf, UsageError } from './exits.ts';
import { type CommonOptions, runLine, whereToLook } from './options.ts';
import { json, painter } from './output.ts';
import { flushed, note, outliveReaders, print } from './streams.ts';
import { oneLine } from './text.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
  readonly description: string;
};

interface CommandModule {
  readonly names: readonly string[];
  load(): Promise<readonly ((finish: (exit: Exit) => void) => Command)[]>;
}

/** In the order of the help. */
const MODULES: readonly CommandModule[] = [
  { names: ['run'], load: async () => [(await import('./run.ts')).runCommand] },
  { names: ['dispatch'], load: async () => [(await import('./dispatch.ts')).dispatchCommand] },
  { names: ['work'], load: async () => [(await import('./work.ts')).workCommand] },
  { names: ['serve'], load: async () => [(await import('./serve.ts')).serveCommand] },
  { names: ['ui'], load: async () => [(await import('./ui.ts')).uiCommand] },
  { names: ['ls'], load: async () => [(await import('./ls.ts')).lsCommand] },
  { names: ['show'], load: async () => [(await import('./show.ts')).showCommand] },
  { names: ['why'], load: async () => [(await import('./why.ts')).whyCommand] },
  { names: ['stream'], load: async () => [(await import('./stream.ts')).streamCommand] },
  { names: ['history'], load: async () => [(await import('./history.ts')).historyCommand] },
  {
    names: ['cancel', 'pause', 'resume', 'retry', 'enqueue', 'signal'],
    load: async () => (await import('./run-commands.ts')).runCommands,
  },
  { names: ['rm'], load: async () => [(await import('./rm.ts')).rmCommand] },
  { names: ['graph'], load: async () => [(await import('./graph.ts')).graphCommand] },
  { names: ['check'], load: async () => [(await import('./check.ts')).checkCommand] },
  { names: ['simulate'], load: async () => [(await import('./simulate.ts')).simulateCommand] },
];
/** Most of a start is loading modules; help, and a word that is none of these, need them all. */
const asked = MODULES.find(({ names }) => names.includes(process.argv[2] ?? ''));

let exit: Exit = EXIT.ok;
let given: Partial<CommonOptions> = {};
let about: string | undefined;
const finish = (code: Exit): void => {
  exit = code;
};

program
  .name('fuseline')
  .description(manifest.description)
  .version(manifest.version)
  .configureHelp({
    subcommandTerm: (command) =>
      [command.name(), ...command.registeredArguments.map((argument) => wordFor(argument))].join(' '),
  })
  .hook('preAction', (_, command) => {
    given = command.opts();
    about = command.args[0];
  });
for (const { load } of asked ? [asked] : MODULES)
  for (const command of await load()) program.addCommand(withExits(command(finish)));
withExits(program).addHelpText(
  'after',
  `
Environment:
  FUSELINE_STORAGE  where --storage is not given
  NO_COLOR          no colours
  DEBUG             show the stack of an error`,
);

outliveReaders();
try {
  await program.parseAsync();
} catch (error) {
  exit = refusal(error);
}
await flushed();
// Modules of the user may hold timers and sockets open for good.
process.exit(exit);

/** `<run>`, `[step]`, `<files...>` */
function wordFor(argument: Argument): string {
  const word = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${word}>` : `[${word}]`;
}

function withExits(command: Command): Command {
  return command.exitOverride().showHelpAfterError('See --help.').addHelpText('after', EXIT_HELP);
}

function refusal(error: unknown): Exit {
  // Its own message is written by then.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const code = error instanceof FuselineError ? error.code : error instanceof UsageError ? 'USAGE' : 'DEFECT';
  const { message, stack, cause } = error instanceof Error ? error : new Error(String(error));
  if (given.json) print(json({ error: { code, message } }));
  note(
    `${painter(process.stderr)('red', 'fuseline:')} ${oneLine(message)}${error instanceof FuselineError ? ` (${code})` : ''}`,
  );
  const { storage } = given;
  if (storage !== undefined && code === 'UNKNOWN_RUN') note(whereToLook({ storage }));
  if (storage !== undefined && about !== undefined && code === 'UNKNOWN_STEP')
    note(`Its steps: ${runLine('show', { storage }, about)}`);
  if (given.verbose || process.env.DEBUG || code === 'DEFECT') {
    note(stack ?? '');
    if (cause instanceof Error) note(`caused by ${cause.stack ?? cause.message}`);
  }
  return exitOf(error);
}
