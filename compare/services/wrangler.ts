import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Service } from '../services.ts';
import { freePort, startServer } from './server.ts';

const CONFIG = fileURLToPath(new URL('../edge/wrangler.toml', import.meta.url));
const QUIET = {
  CI: '1',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_SEND_METRICS: 'false',
};

/** The runtime of Workers on this machine, with no account and no network. */
export async function startWrangler(directory: string, trace: string | undefined): Promise<Service> {
  const port = await freePort();
  const wrangler = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js');
  const terms = ['--config', CONFIG, '--persist-to', directory, '--log-level', 'error', '--local'];
  const place = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
  return await startServer([process.execPath, wrangler, 'dev', ...terms, ...place], {
    port,
    url: `http://127.0.0.1:${port}`,
    trace,
    env: QUIET,
  });
}
