import { context, type ServeOnRequestArgs } from 'esbuild';
import { buildPage } from './build.ts';

export interface ServedPage {
  readonly address: string;
  /** The paths that were asked for. */
  readonly asked: Set<string>;
  stop(): Promise<void>;
}

/** Builds the page and serves it on this machine; port 0 takes any that is free. `out`: where its files go. */
export async function servePage(port: number, out?: string): Promise<ServedPage> {
  const servedir = await buildPage(out);
  const server = await context({});
  const asked = new Set<string>();
  const onRequest = ({ path }: ServeOnRequestArgs): void => void asked.add(path);
  const served = await server.serve({ servedir, host: '127.0.0.1', port, onRequest });
  return { address: `http://localhost:${served.port}/`, asked, stop: () => server.dispose() };
}
