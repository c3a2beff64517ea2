/**
 * `npm run edge`: the Worker, its objects and the page, served on this machine until Ctrl-C by the runtime they are
 * deployed to, without an account, and without a network.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const LOOK_MS = 100;

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8787' },
    /** Where the objects and the tokens are kept. */
    state: { type: 'string', default: '.wrangler/edge' },
  },
});
const state = resolve(options.state);
const secrets = join(state, 'tokens.env');
const { client, admin } = tokensIn(secrets);
const address = `http://localhost:${options.port}`;

const server = serve();
process.on('SIGINT', () => server.kill('SIGINT'));
process.on('SIGTERM', () => server.kill('SIGTERM'));
const ended = once(server, 'exit').then(([code]) => {
  process.exitCode = typeof code === 'number' ? code : 0;
  return 'ended' as const;
});
if ((await Promise.race([ended, answers()])) !== 'ended') console.log(welcome());

function serve(): ChildProcess {
  const require = createRequire(import.meta.url);
  const wrangler = join(require.resolve('wrangler/package.json'), '../bin/wrangler.js');
  const terms = ['--ip', '127.0.0.1', '--port', options.port, '--inspector-port', '0', '--local'];
  const quiet = ['--log-level', 'warn', '--show-interactive-dev-session', 'false'];
  return spawn(
    process.execPath,
    [wrangler, 'dev', ...terms, ...quiet, '--persist-to', join(state, 'objects'), '--env-file', secrets],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        WRANGLER_HIDE_BANNER: 'true',
        WRANGLER_SEND_ERROR_REPORTS: 'false',
        WRANGLER_SEND_METRICS: 'false',
      },
    },
  );
}

/** The same at every start, so that what was copied from the terminal goes on to work. */
function tokensIn(file: string): { readonly client: string; readonly admin: string } {
  if (!existsSync(file)) {
    mkdirSync(state, { recursive: true });
    const lines = ['CLIENT', 'WORKER', 'ADMIN'].map((role) => `${role}_TOKEN=${randomBytes(18).toString('base64url')}`);
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const text = readFileSync(file, 'utf8');
  const token = (role: string): string => {
    const found = new RegExp(`^${role}_TOKEN=(\\S+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`${file} has no ${role}_TOKEN; remove the file, and it is made anew`);
    return found;
  };
  return { client: token('CLIENT'), admin: token('ADMIN') };
}

/** Resolves when the objects can be asked. */
async function answers(): Promise<'up'> {
  const headers = { authorization: `Bearer ${client}` };
  for (;;) {
    const answer = await fetch(`${address}/workers`, { headers }).catch(() => undefined);
    if (answer?.ok) return 'up';
    await sleep(LOOK_MS);
  }
}

function welcome(): string {
  return `
The edge is at ${address} (Ctrl-C ends it). The page of the demo is there, too. What the objects
keep is in ${options.state}: after the next start they go on with it.

Open a page that dispatches to it, and whose tab works for it (the address holds the admin's token):

${address}/edge.html#token=${admin}

Try, in another terminal:

TOKEN=${client}
curl ${address}/workflows -H "authorization: Bearer $TOKEN"
curl -X POST ${address}/workflows/checkout/runs -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"id":"order-17","input":{"orderId":17}}'
curl -N ${address}/runs/order-17/events -H "authorization: Bearer $TOKEN"
curl "${address}/runs/order-17/result?waitMs=20000" -H "authorization: Bearer $TOKEN"
curl ${address}/runs -H "authorization: Bearer $TOKEN"
curl -X DELETE ${address}/runs/order-17 -H "authorization: Bearer ${admin}"

Or look at the runs on a page:

node dist/cli/main.js ui ${address} --token ${admin}
`;
}
