import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// biome-ignore lint/correctness/noUndeclaredDependencies: installed around this folder, as wrangler is
import { build } from 'esbuild';
import type { Service } from '../services.ts';
import { freePort, startServer } from './server.ts';

const WORKER = fileURLToPath(new URL('../edge/worker.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('../edge/wrangler.toml', import.meta.url));
const WRANGLER = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js');
const QUIET = {
  CI: '1',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_SEND_METRICS: 'false',
};

/** The runtime of Workers on this machine, with no account and no network. */
export async function startWrangler(directory: string, trace: string | undefined): Promise<Service> {
  const port = await freePort();
  const bundle = join(directory, 'worker.js');
  // A bundle of its own: what is watched is not what somebody builds meanwhile.
  await build({
    entryPoints: [WORKER],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    external: ['cloudflare:workers'],
    outfile: bundle,
    logLevel: 'error',
  });
  const terms = ['--config', CONFIG, '--persist-to', directory, '--log-level', 'error', '--local'];
  const place = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
  return await startServer([process.execPath, WRANGLER, 'dev', bundle, ...terms, ...place], {
    port,
    url: `http://127.0.0.1:${port}`,
    trace,
    env: QUIET,
  });
}
