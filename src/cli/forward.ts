import { Hono } from 'hono/tiny';
import { FuselineError } from '../core/errors.ts';
import { callerFor } from '../http/auth.ts';
import { ALL_ROLES } from '../http/route.ts';
import { STATUSES } from '../http/statuses.ts';
import { onlyThisMachine } from '../http/this-machine.ts';

/** What goes along with a request, and with its answer. */
const SENT = ['accept', 'authorization', 'content-type', 'last-event-id'] as const;
const ANSWERED = ['content-type', 'retry-after', 'www-authenticate'] as const;

/**
 * Hands requests of this machine on to a service, in the name of a token if there is one: a page that is served here may
 * ask nobody else.
 */
export function forwarder(service: string, token: string | undefined): Hono {
  const app = new Hono();
  app.onError((error, context) => {
    const { code, message } =
      error instanceof FuselineError ? error : new FuselineError('UNAVAILABLE', reasonOf(service, error));
    return context.json({ error: { code, message } }, STATUSES.get(code) ?? 502);
  });
  app.all('*', async (context) => {
    const { req: request } = context;
    callerFor(await onlyThisMachine(request.raw, context.env), ALL_ROLES);
    const { pathname, search } = new URL(request.url);
    const headers = picked(request.raw.headers, SENT);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const answer = await fetch(`${service}${pathname}${search}`, {
      method: request.method,
      headers,
      body: request.raw.body,
      // What is sent on while it comes in.
      ...(request.raw.body && ({ duplex: 'half' } as object)),
      signal: request.raw.signal,
      redirect: 'manual',
    });
    return new Response(answer.body, { status: answer.status, headers: picked(answer.headers, ANSWERED) });
  });
  return app;
}

function picked(from: Headers, names: readonly string[]): Headers {
  const headers = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

function reasonOf(service: string, { message, cause }: Error): string {
  return `${service} cannot be reached: ${cause instanceof Error ? cause.message : message}; look at the address`;
}
