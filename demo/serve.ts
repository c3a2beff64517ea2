import { context } from 'esbuild';
import { buildPage } from './build.ts';

export interface ServedPage {
  readonly address: string;
  stop(): Promise<void>;
}

/** Builds the page and serves it on this machine; port 0 takes any that is free. `out`: where its files go. */
export async function servePage(port: number, out?: string): Promise<ServedPage> {
  const servedir = await buildPage(out);
  const server = await context({});
  const served = await server.serve({ servedir, host: '127.0.0.1', port });
  return { address: `http://localhost:${served.port}/`, stop: () => server.dispose() };
}
