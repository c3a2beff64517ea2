import { Command } from 'commander';
import { LEAST_SECRET } from '../adapters/http/signal-link.ts';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { secretsIn } from '../adapters/secrets.ts';
import { ProcessEngine } from '../core/process-engine.ts';
import { runsApp } from '../http/app.ts';
import { type Auth, bearer } from '../http/auth.ts';
import type { LinkOptions } from '../http/links.ts';
import { serviceOf } from '../http/service-of.ts';
import { EXIT, type Exit, UsageError } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import { type Exported, findWorkflows, openStorage, workerNameHere } from './open.ts';
import { port, wholeNumber } from './options.ts';
import { json } from './output.ts';
import { isLoopback, type Listening, listen, type Where } from './server.ts';
import { keepStdoutForJson, note, print } from './streams.ts';
import { oneLine } from './text.ts';

interface ServeOptions extends Where {
  readonly work: boolean;
  readonly concurrency?: number;
  readonly queue?: readonly string[];
  readonly cors?: readonly string[];
  readonly json?: true;
}

/** Who is let in. */
interface Access {
  readonly auth: Auth | undefined;
  readonly links: LinkOptions | undefined;
}

const TOKENS = {
  client: 'FUSELINE_CLIENT_TOKEN',
  worker: 'FUSELINE_WORKER_TOKEN',
  admin: 'FUSELINE_ADMIN_TOKEN',
} as const;
const LINK_SECRET = 'FUSELINE_LINK_SECRET';

export function serveCommand(finish: (exit: Exit) => void): Command {
  return new Command('serve')
    .summary('serve runs over HTTP, and work on them')
    .description(
      'Serves the runs of a directory over HTTP, by the same routes as at the edge\n(docs/http.md), and works on them. What these files export can be dispatched.',
    )
    .argument('<dir>', 'the directory that keeps the runs; it is made if it is not there')
    .argument('<files...>', 'TypeScript or JavaScript modules that export workflows')
    .option('--port <n>', 'the port; 0 takes any that is free', port, 8787)
    .option('--host <name>', 'who can reach it: 0.0.0.0 is everybody, and needs tokens', '127.0.0.1')
    .option('--no-work', 'only serve: workers elsewhere do the work')
    .option('--concurrency <n>', 'steps at once', wholeNumber)
    .option('--queue <name...>', 'work on these queues only')
    .option('--cors <origin...>', 'pages of these origins may ask')
    .option('--json', 'for programs: JSON lines on stdout')
    .option('--verbose', 'show the stack of an error')
    .addHelpText(
      'after',
      `
Environment:
  FUSELINE_CLIENT_TOKEN   who brings it may dispatch, look and command
  FUSELINE_WORKER_TOKEN   who brings it may work
  FUSELINE_ADMIN_TOKEN    who brings it may also remove runs
  FUSELINE_LINK_SECRET    who has a link signed with it may send its signal
Without any token, whoever is on this machine may do everything, and nobody
else.
The first Ctrl-C (or SIGTERM) lets the steps under way finish, the second leaves
at once.`,
    )
    .action(async (directory: string, files: string[], options: ServeOptions) =>
      finish(await serve(directory, files, options)),
    );
}

async function serve(directory: string, files: readonly string[], options: ServeOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const access = { auth: authHere(options.host), links: linksHere() };
  const workflows = await findWorkflows(files, undefined);
  const storage = openStorage(directory, 'made');
  try {
    return await served(storage, workflows, options, access);
  } finally {
    await storage.close();
  }
}

async function served(
  storage: FileStorage,
  workflows: readonly Exported[],
  options: ServeOptions,
  { auth, links }: Access,
): Promise<Exit> {
  const service = serviceOf(workflows, storage);
  const app = runsApp({
    service: () => service,
    workflows,
    ...(auth && { auth }),
    ...(links && { links }),
    ...(options.cors && { cors: options.cors }),
  });
  const engine = engineFor(workflows, storage, options);
  const broken = new Promise<never>((_, reject) => {
    engine.on('error', ({ error, fatal }) => {
      if (fatal) reject(error);
      else note(oneLine(String(error)));
    });
  });
  let stopHearing: (() => void) | undefined;
  const told = new Promise<void>((drain) => {
    stopHearing = onInterrupt({
      drain() {
        note('draining: the steps under way may finish; Ctrl-C again leaves at once');
        drain();
      },
      leave: () => note('left; what was under way is done again by the next worker'),
    });
  });
  let listening: Listening | undefined;
  try {
    await engine.start();
    listening = await listen(app, options, process.env);
    announce(listening, options, auth);
    await Promise.race([told, broken]);
    return EXIT.ok;
  } finally {
    await Promise.all([listening?.stop(), engine.stop({ drain: true })]);
    stopHearing?.();
  }
}

/** With no queue to work on, it still does what no worker elsewhere can: it looks after timers and the dead. */
function engineFor(
  workflows: readonly Exported[],
  storage: FileStorage,
  { work, concurrency, queue }: ServeOptions,
): ProcessEngine {
  const queues = work ? queue : [];
  return new ProcessEngine(workflows, storage, {
    name: workerNameHere(),
    ...(concurrency !== undefined && { concurrency }),
    ...(queues && { queues }),
  });
}

function authHere(host: string): Auth | undefined {
  if (Object.values(TOKENS).some(isSet)) return bearer(TOKENS);
  if (isLoopback(host)) return undefined;
  throw new UsageError(
    `${host} can be reached from other machines, and nobody would be asked who they are; set ${TOKENS.client} (and ${TOKENS.admin}), or leave --host at 127.0.0.1`,
  );
}

function linksHere(): LinkOptions | undefined {
  if (!isSet(LINK_SECRET)) return undefined;
  if (secretsIn(process.env[LINK_SECRET]).every(({ length }) => length >= LEAST_SECRET)) return { secret: LINK_SECRET };
  throw new UsageError(`${LINK_SECRET} could be guessed from a link; give it ${LEAST_SECRET} characters or more`);
}

function isSet(name: string): boolean {
  return (process.env[name] ?? '').trim() !== '';
}

function announce({ address }: Listening, options: ServeOptions, auth: Auth | undefined): void {
  if (options.json) return print(json({ event: 'listening', address }));
  note(`serving ${address}`);
  const header = auth ? ` -H "authorization: Bearer $${TOKENS.client}"` : '';
  note(`  curl${header} ${address}/runs`);
}
