import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { FuselineError } from '../core/errors.ts';
import { UsageError } from './exits.ts';

export interface Listening {
  /** Without a slash at its end. */
  readonly address: string;
  /** Takes no more requests; those under way have a moment to be answered. */
  stop(): Promise<void>;
}

export interface Where {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
}

const ANSWER_MS = 1000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Serves an app from this process; `env` is what its routes are handed. */
export async function listen(app: Hono, { host, port }: Where, env: unknown): Promise<Listening> {
  const server = createAdaptorServer({ fetch: (request) => app.fetch(request, env as object) }) as Server;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw refusalOf(cause as NodeJS.ErrnoException, { host, port });
  }
  const { port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      // A stream of events, or somebody who waits for a result, would stay for as long as it takes.
      const timer = setTimeout(() => server.closeAllConnections(), ANSWER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function refusalOf(cause: NodeJS.ErrnoException, { host, port }: Where): Error {
  if (cause.code === 'EADDRINUSE')
    return new UsageError(`port ${port} of ${host} is taken; choose another with --port`, { cause });
  if (cause.code === 'EACCES' || cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND')
    return new UsageError(`${host}:${port} cannot be served: ${cause.message}; choose others with --host and --port`, {
      cause,
    });
  return new FuselineError('UNAVAILABLE', `${host}:${port} cannot be served: ${cause.message}`, { cause });
}
