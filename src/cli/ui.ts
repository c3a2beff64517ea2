import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { Hono } from 'hono/tiny';
import { runsApp } from '../http/app.ts';
import { serviceOf } from '../http/service-of.ts';
import { EXIT, type Exit, UsageError } from './exits.ts';
import { forwarder } from './forward.ts';
import { onInterrupt } from './interrupt.ts';
import { openStorage } from './open.ts';
import { DEFAULT_STORAGE, port } from './options.ts';
import { json } from './output.ts';
import { listen } from './server.ts';
import { keepStdoutForJson, note, print } from './streams.ts';

interface UiOptions {
  readonly port: number;
  readonly token?: string;
  readonly json?: true;
}

/** What the page shows. */
interface Shown {
  readonly title: string;
  /** The routes it asks. */
  readonly routes: Hono;
  close(): Promise<void>;
}

const HERE = '127.0.0.1';

export function uiCommand(finish: (exit: Exit) => void): Command {
  return new Command('ui')
    .summary('look at runs on a page, and command them')
    .description(
      'Serves a page over the runs of a directory, or over those of a service\n(fuseline serve, or the edge), to browsers on this machine.',
    )
    .argument('[dir|url]', `where the runs are: $FUSELINE_STORAGE or ${DEFAULT_STORAGE} unless told`)
    .option('--port <n>', 'the port; 0 takes any that is free', port, 8788)
    .addOption(
      new Option('--token <token>', 'what the service knows you by; without it the page asks').env('FUSELINE_TOKEN'),
    )
    .option('--json', 'for programs: JSON lines on stdout')
    .option('--verbose', 'show the stack of an error')
    .addHelpText(
      'after',
      `
A client token shows runs, an admin token commands them, too. Whoever is on this
machine may do through the page what its token may. Nothing is worked on here.
Ctrl-C (or SIGTERM) ends it.`,
    )
    .action(async (place: string | undefined, options: UiOptions) =>
      finish(await serveUi(place ?? process.env.FUSELINE_STORAGE ?? DEFAULT_STORAGE, options)),
    );
}

async function serveUi(place: string, options: UiOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const shown = /^https?:\/\//i.test(place) ? overService(place, options.token) : overDirectory(place);
  try {
    const { ui } = await import('../ui/index.ts');
    const app = new Hono()
      .get('/', (context) => context.redirect('/ui/'))
      .route('/ui', ui({ title: shown.title }))
      .route('/', shown.routes);
    let stopHearing: (() => void) | undefined;
    const told = new Promise<void>((end) => {
      stopHearing = onInterrupt({ drain: end, leave: () => undefined });
    });
    const listening = await listen(app, { host: HERE, port: options.port }, process.env);
    try {
      if (options.json) print(json({ event: 'listening', address: `${listening.address}/ui/` }));
      else note(`${shown.title}\n  ${listening.address}/ui/`);
      await told;
      return EXIT.ok;
    } finally {
      await listening.stop();
      stopHearing?.();
    }
  } finally {
    await shown.close();
  }
}

function overDirectory(directory: string): Shown {
  if (!existsSync(directory))
    throw new UsageError(
      `there is no directory ${JSON.stringify(directory)}; name the one that keeps the runs, or the address of a service`,
    );
  const storage = openStorage(directory, 'existing');
  const service = serviceOf([], storage);
  return {
    title: resolve(directory),
    routes: runsApp({ service: () => service, workflows: [] }),
    close: () => storage.close(),
  };
}

function overService(address: string, token: string | undefined): Shown {
  if (!URL.canParse(address)) throw new UsageError(`${JSON.stringify(address)} is not an address`);
  const { origin, pathname } = new URL(address);
  const service = `${origin}${pathname}`.replace(/\/+$/, '');
  return { title: service, routes: forwarder(service, token), close: async () => undefined };
}
