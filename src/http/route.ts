import type { SignalLinkTerms } from '../adapters/http/signal-link.ts';
import type { AnyWorkflow } from './any-workflow.ts';
import type { Caller, Role } from './auth.ts';
import type { Service } from './service.ts';
import type { ObjectShape, Shape, Shaped } from './shape.ts';

/** Who may ask: callers of these roles, whoever has a link, or everybody, known or not. */
export type Admitted = readonly Role[] | 'link' | 'everybody';

/** A client's routes are an admin's too. */
export const CLIENTS: readonly Role[] = ['client', 'admin'];
export const WORKERS: readonly Role[] = ['worker', 'admin'];
export const ALL_ROLES: readonly Role[] = ['client', 'worker', 'admin'];
export const ADMINS: readonly Role[] = ['admin'];

export type Fields = Readonly<Record<string, Shape>>;

/** What the answer to a request that was in order may be, by its status; errors are the same everywhere. */
export type Answers = Readonly<Record<number, AnswerSpec>>;

export interface AnswerSpec {
  readonly says: string;
  /** `application/json` unless told; absent with `null`, which has no body. */
  readonly type?: string | null;
  /** An object of anything unless told. */
  readonly shape?: Shape;
}

/** A request in order, by a caller who may, before the service it goes to. */
export interface Asked<
  Path extends Fields,
  Query extends Fields,
  Body extends ObjectShape,
  Headers extends Fields = None,
> {
  readonly path: { readonly [Name in keyof Path]: Shaped<Path[Name]> };
  readonly query: { readonly [Name in keyof Query]?: Shaped<Query[Name]> };
  readonly body: Shaped<Body>;
  readonly headers: { readonly [Name in keyof Headers]: Shaped<Headers[Name]> };
  readonly request: Request;
  readonly caller: Caller | undefined;
  /** What the link says, where it is for whoever has one. */
  readonly link: SignalLinkTerms | undefined;
  readonly workflows: readonly AnyWorkflow[];
  /** The service of the namespace of the caller, or of the link. */
  readonly runs: Service;
}

export interface RouteSpec<
  Path extends Fields,
  Query extends Fields,
  Body extends ObjectShape,
  Headers extends Fields = None,
> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As Hono writes it: `/runs/:run`. */
  readonly at: string;
  /** What it is called in the OpenAPI document. */
  readonly name: string;
  readonly does: string;
  readonly for: Admitted;
  readonly path?: Path;
  readonly query?: Query;
  readonly body?: Body;
  /** By their names in lower case; all of them are needed. */
  readonly headers?: Headers;
  readonly answers: Answers;
  readonly handle: (asked: Asked<Path, Query, Body, Headers>) => Response | Promise<Response>;
}

/** One of any parameters: what it is handed is of the shapes it declares. */
export interface Route extends Omit<RouteSpec<Fields, Fields, ObjectShape, Fields>, 'handle'> {
  readonly handle: (asked: AnyAsked) => Response | Promise<Response>;
}

type AnyAsked = Readonly<Record<'path' | 'query' | 'body' | 'headers', Readonly<Record<string, unknown>>>> &
  Pick<Asked<None, None, ObjectShape>, 'request' | 'caller' | 'link' | 'workflows' | 'runs'>;

// biome-ignore lint/complexity/noBannedTypes: no parameters of this kind
type None = {};

/**
 * Declares a route. Everything about it stands here once: who may use it, what it takes, which is checked before it is
 * handled, and what it answers.
 */
export function route<
  const Path extends Fields = None,
  const Query extends Fields = None,
  const Body extends ObjectShape = ObjectShape,
  const Headers extends Fields = None,
>(spec: RouteSpec<Path, Query, Body, Headers>): Route {
  return spec as unknown as Route;
}

export const NO_CONTENT: Answers = { 204: { says: 'done', type: null } };
