import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors as crossOrigin } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { Hono } from 'hono/tiny';
import { FuselineError } from '../core/errors.ts';
import type { AnyWorkflow } from './any-workflow.ts';
import { type Auth, callerFor } from './auth.ts';
import { html, linkPage } from './link-page.ts';
import { LINK_ROUTES } from './link-routes.ts';
import { type LinkOptions, openLink } from './links.ts';
import { openApiRoute } from './openapi.ts';
import { SECRET_HEADER } from './requests.ts';
import type { Route } from './route.ts';
import { RUN_ROUTES } from './run-routes.ts';
import type { Service } from './service.ts';
import { STATUSES } from './statuses.ts';
import { taken } from './taken.ts';
import { onlyThisMachine } from './this-machine.ts';
import { sayUnchecked } from './unchecked.ts';
import { WORKER_ROUTES } from './worker-routes.ts';

export interface RunsAppOptions {
  /** The service for callers of a namespace; `env` is what the host of the app hands to it. */
  readonly service: (env: unknown, namespace: string | undefined) => Service;
  readonly workflows: readonly AnyWorkflow[];
  /** Everybody on this machine, and nobody else, unless told. */
  readonly auth?: Auth;
  /** Links made by `signalLink` are served, signed with the secret of this name in `env`; none unless told. */
  readonly links?: LinkOptions;
  /** Origins of pages that may ask, such as `https://example.com`; none unless told. */
  readonly cors?: readonly string[];
  /** Bytes of a request's body; 1 MiB unless told. */
  readonly bodyBytes?: number;
}

const BODY_BYTES = 1024 * 1024;
const PREFLIGHT_SECONDS = 3600;
const ROUTES: readonly Route[] = [...RUN_ROUTES, ...LINK_ROUTES, ...WORKER_ROUTES];
/** Every route there is. The app has these and no others; without `links`, it has none for those. */
export const routes: readonly Route[] = [...ROUTES, openApiRoute(ROUTES)];

/** The routes to runs, wherever they are. A Hono app like any other: it can be mounted and added to. */
export function runsApp({
  service,
  workflows,
  auth = onlyThisMachine,
  links,
  cors = [],
  bodyBytes = BODY_BYTES,
}: RunsAppOptions): Hono {
  sayUnchecked(workflows);
  const app = new Hono();
  const limit = bodyLimit({
    maxSize: bodyBytes,
    onError: () => {
      throw new FuselineError(
        'VALUE_TOO_LARGE',
        `the body is larger than ${bodyBytes} bytes; keep large data elsewhere`,
      );
    },
  });

  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  });
  if (cors.length > 0)
    app.use(
      crossOrigin({
        origin: [...cors],
        allowHeaders: ['authorization', 'content-type', 'last-event-id', SECRET_HEADER],
        // Else a browser asks whether it may before every other request.
        maxAge: PREFLIGHT_SECONDS,
      }),
    );
  app.onError(refusal);
  app.notFound((context) =>
    context.json(
      { error: { code: 'INVALID_REQUEST', message: `there is no ${context.req.method} ${context.req.path}` } },
      404,
    ),
  );
  for (const route of routes) {
    if (route.for === 'link' && !links) continue;
    const answer = async (context: Context): Promise<Response> => {
      // Nothing is looked at, and the service is not asked for, before the caller is known to be allowed to.
      const { env, req: request } = context;
      const caller = Array.isArray(route.for) ? callerFor(await auth(request.raw, env), route.for) : undefined;
      const link = route.for === 'link' && links ? await openLink(request.param('token') ?? '', links, env) : undefined;
      let given: Response | undefined;
      const refused = await limit(context, async () => {
        const asked = await taken(route, request);
        given = await route.handle({
          ...asked,
          request: request.raw,
          caller,
          link,
          workflows,
          get runs() {
            return service(env, (link ?? caller)?.namespace);
          },
        });
      });
      return (refused ?? given) as Response;
    };
    app.on(route.method, route.at, route.for === 'link' ? forPeople(answer) : answer);
  }
  return app;
}

/** The same, and who asks for pages is refused with one. */
function forPeople(answer: (context: Context) => Promise<Response>): (context: Context) => Promise<Response> {
  return async (context) => {
    try {
      return await answer(context);
    } catch (error) {
      if (!/\btext\/html\b/.test(context.req.header('accept') ?? '')) throw error;
      const { status, code, message } = refusalOf(error);
      // What fails may have been done; that it is done again is harmless.
      const title = status >= 500 ? 'Try again later' : 'Nothing was sent';
      return linkPage(html`<h1>${title}</h1><p><bdi>${message}</bdi></p><p><code>${code}</code></p>`, status);
    }
  };
}

function refusal(error: unknown, context: Context): Response {
  if (error instanceof HTTPException) return error.getResponse();
  const { status, code, message } = refusalOf(error);
  if (status === 401) context.header('www-authenticate', 'Bearer');
  return context.json({ error: { code, message } }, status);
}

function refusalOf(error: unknown) {
  const status = error instanceof FuselineError ? STATUSES.get(error.code) : undefined;
  if (status !== undefined) {
    const { code, message } = error as FuselineError;
    return { status, code, message };
  }
  // Into the host's log; what broke here is nobody else's to read.
  console.error(error);
  return { status: 500, code: 'INTERNAL', message: 'this service failed; its log says why' } as const;
}
