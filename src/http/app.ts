import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { Hono } from 'hono/tiny';
import { portable } from '../core/codec.ts';
import { FuselineError } from '../core/errors.ts';
import { type Auth, type Role, refuseUnlessMay } from './auth.ts';
import { COMMAND, ENQUEUE, listQuery, numberIn, ORDER, SIGNAL, stepIn } from './requests.ts';
import type { Command, Order, RunResult, RunService } from './run-service.ts';
import type { AnyWorkflow } from './service-of.ts';
import { ANYTHING, type ObjectShape, shaped } from './shape.ts';
import { STATUSES } from './statuses.ts';

export interface RunsAppOptions {
  /** The service for a request; `env` is what the host of the app hands to it. */
  readonly service: (env: unknown) => RunService;
  readonly workflows: readonly AnyWorkflow[];
  /** Everybody on this machine, and nobody else, unless told. */
  readonly auth?: Auth;
  /** Bytes of a request's body; 1 MiB unless told. */
  readonly bodyBytes?: number;
}

const BODY_BYTES = 1024 * 1024;
/** An answer that has nothing to say after this long is given all the same: what stands in between loses patience. */
const MOST_WAIT_MS = 25_000;
const MOST_EVENTS = 1000;

/** The routes to runs, wherever they are. A Hono app like any other: it can be mounted and added to. */
export function runsApp({ service, workflows, auth = onlyThisMachine, bodyBytes = BODY_BYTES }: RunsAppOptions): Hono {
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
  /** Nothing is looked at, and the service is not asked for, before the caller is known to be allowed to. */
  const route = (
    method: 'get' | 'post' | 'delete',
    path: string,
    role: Role,
    handler: (service: RunService, context: Context) => Promise<Response>,
  ): void => {
    app.on(method.toUpperCase(), path, async (context, next) => {
      refuseUnlessMay(await auth(context.req.raw, context.env), role);
      return limit(context, next);
    });
    app.on(method.toUpperCase(), path, (context) => handler(service(context.env), context));
  };

  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  });
  app.onError((error, context) => refusal(error, context));
  app.notFound((context) =>
    context.json(
      { error: { code: 'INVALID_REQUEST', message: `there is no ${context.req.method} ${context.req.path}` } },
      404,
    ),
  );

  route('get', '/workflows', 'client', async (_, context) =>
    context.json({
      workflows: workflows.map((workflow) => {
        const { hash, steps } = workflow.graph();
        return { name: workflow.name, version: workflow.version, hash, steps: steps.map(({ name }) => name) };
      }),
    }),
  );
  route('post', '/workflows/:workflow/runs', 'client', async (runs, context) => {
    const order = await bodyOf<Omit<Order, 'workflow'>>(context, ORDER);
    return context.json(await runs.dispatch({ ...order, workflow: parameter(context, 'workflow') }), 202);
  });
  route('get', '/runs', 'client', async (runs, context) => context.json(await runs.list(listQuery(context.req))));
  route('get', '/runs/:run', 'client', async (runs, context) =>
    context.json(await runs.get(parameter(context, 'run'))),
  );
  route('delete', '/runs/:run', 'admin', async (runs, context) => {
    await runs.remove(parameter(context, 'run'));
    return context.body(null, 204);
  });
  route('get', '/runs/:run/result', 'client', async (runs, context) => {
    const waitMs = numberIn(context.req, 'waitMs', { least: 0, most: MOST_WAIT_MS }) ?? 0;
    const result = await runs.result(parameter(context, 'run'), waitMs);
    const isOpen = result.status === 'PENDING' || result.status === 'RUNNING' || result.status === 'PAUSED';
    return context.body(resultJson(result), isOpen ? 202 : 200, { 'content-type': 'application/json' });
  });
  route('get', '/runs/:run/history', 'client', async (runs, context) => {
    const from = numberIn(context.req, 'from', { least: 0, most: Number.MAX_SAFE_INTEGER }) ?? 0;
    const limit = numberIn(context.req, 'limit', { least: 1, most: MOST_EVENTS }) ?? MOST_EVENTS;
    return context.json(await runs.history(parameter(context, 'run'), { from, limit }));
  });
  route('get', '/runs/:run/explain', 'client', async (runs, context) => {
    const step = stepIn(context.req);
    return context.json({ sentence: await runs.explain(parameter(context, 'run'), step) });
  });
  route('get', '/runs/:run/export', 'client', async (runs, context) =>
    context.json(await runs.export(parameter(context, 'run'))),
  );
  for (const type of ['cancel', 'pause', 'resume', 'retry'] as const) {
    route('post', `/runs/:run/${type}`, 'client', async (runs, context) => {
      const { commandId } = await bodyOf<{ readonly commandId?: string }>(context, COMMAND);
      return command(runs, context, { type, ...named(commandId) });
    });
  }
  route('post', '/runs/:run/steps/:step/enqueue', 'client', async (runs, context) => {
    const { commandId, force } = await bodyOf<{ commandId?: string; force?: 'not-taken' }>(context, ENQUEUE);
    const step = parameter(context, 'step');
    return command(runs, context, { type: 'enqueue', step, ...named(commandId), ...(force && { force }) });
  });
  route('post', '/runs/:run/signals/:name', 'client', async (runs, context) => {
    const { commandId, payload } = await bodyOf<{ commandId?: string; payload?: unknown }>(context, SIGNAL);
    return command(runs, context, { type: 'signal', name: parameter(context, 'name'), payload, ...named(commandId) });
  });
  route('get', '/workers', 'client', async (runs, context) => context.json({ workers: await runs.workers() }));
  return app;
}

async function command(runs: RunService, context: Context, what: Command): Promise<Response> {
  await runs.command(parameter(context, 'run'), what);
  return context.body(null, 204);
}

function named(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id };
}

/** The body as JSON of this shape; without a body, an empty object. */
async function bodyOf<T>({ req }: Context, shape: ObjectShape): Promise<T> {
  const text = await req.text();
  if (text === '') return shaped<T>({}, shape, 'the body');
  if (!/^application\/json\b/i.test(req.header('content-type') ?? '')) {
    throw new FuselineError('INVALID_REQUEST', 'send the body as JSON, with content-type: application/json');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new FuselineError('INVALID_REQUEST', `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  return shaped<T>(shaped(body, ANYTHING, 'the body'), shape, 'the body');
}

function parameter(context: Context, name: string): string {
  return context.req.param(name) as string;
}

/** A value that is plain JSON is handed on as it was recorded, without being parsed. */
function resultJson(result: RunResult): string {
  if (result.status !== 'SUCCEEDED' || result.value === undefined) return JSON.stringify(result);
  const value = result.value.startsWith('~') ? JSON.stringify(portable.decode(result.value), asJson) : result.value;
  return value === undefined ? '{"status":"SUCCEEDED"}' : `{"status":"SUCCEEDED","value":${value}}`;
}

/** What JSON lacks, in the nearest thing it has. */
function asJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map || value instanceof Set) return [...value];
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}

function refusal(error: unknown, context: Context): Response {
  if (error instanceof HTTPException) return error.getResponse();
  const status = error instanceof FuselineError ? STATUSES.get(error.code) : undefined;
  if (status !== undefined) {
    const { code, message } = error as FuselineError;
    if (status === 401) context.header('www-authenticate', 'Bearer');
    return context.json({ error: { code, message } }, status);
  }
  // Into the host's log; what broke here is nobody else's to read.
  console.error(error);
  return context.json({ error: { code: 'INTERNAL', message: 'this service failed; its log says why' } }, 500);
}

/** Without an `auth`, a service is for trying things out. */
const onlyThisMachine: Auth = (request) => {
  const { hostname } = new URL(request.url);
  if (hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]') return 'admin';
  throw new FuselineError(
    'UNAVAILABLE',
    'this service has no auth, so it answers on localhost only; give durableWorkflows an auth, for example bearer({ client: "CLIENT_TOKEN" })',
  );
};
