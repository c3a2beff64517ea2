import { timingSafeEqual } from 'hono/utils/buffer';
import { checkNamespace } from '../adapters/namespace.ts';
import { secretsIn } from '../adapters/secrets.ts';
import { FuselineError } from '../core/errors.ts';

/**
 * What a caller may do. `client`: dispatch, look and command. `worker`: work on steps. `admin`: everything a client may,
 * and remove runs.
 */
export type Role = 'client' | 'worker' | 'admin';

/** A caller that is known. Runs of one namespace do not exist for callers of another. */
export interface Caller {
  readonly role: Role;
  /** 1 to 64 of `A–Z a–z 0–9 _ -`. */
  readonly namespace?: string;
}

/** Tells who asks; `undefined` for nobody that is known. `env` is the Worker's, or whatever the host of the app has. */
export type Auth = (request: Request, env: unknown) => Known | Promise<Known>;

export type Known = Role | Caller | undefined;

/** The names of the secrets, per role. */
export type BearerSecrets = Partial<Readonly<Record<Role, string>>> & {
  /** The names of the secrets of those who have runs of their own. */
  readonly namespaces?: Readonly<Record<string, Partial<Readonly<Record<Role, string>>>>>;
};

/**
 * Knows callers by a bearer token each role has of its own, from secrets of the environment:
 * `bearer({ client: 'CLIENT_TOKEN' })` reads `env.CLIENT_TOKEN`. With
 * `namespaces: { acme: { client: 'ACME_TOKEN' } }`, who brings that one is a client of the namespace `acme`.
 */
export function bearer({ namespaces = {}, ...secrets }: BearerSecrets): Auth {
  const callers = [
    ...secretsOf(secrets),
    ...Object.entries(namespaces).flatMap(([namespace, own]) => secretsOf(own, checkNamespace(namespace))),
  ];
  if (callers.length === 0)
    throw new TypeError("bearer() names no secret; write for example { client: 'CLIENT_TOKEN' }");
  return async (request, env) => {
    const tokens = callers.map(({ caller, secret }) => [caller, tokensIn(env, secret)] as const);
    if (tokens.every(([, known]) => known.length === 0)) {
      throw new FuselineError(
        'UNAVAILABLE',
        `nobody can be let in: ${callers.map(({ secret }) => secret).join(' and ')} are not set; set one with wrangler secret put`,
      );
    }
    const token = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) return undefined;
    let found: Caller | undefined;
    // Each one is compared, and takes as long whether it fits or not.
    for (const [caller, known] of tokens)
      for (const one of known) if (await timingSafeEqual(one, token)) found ??= caller;
    return found;
  };
}

/** Throws `UNAUTHENTICATED` and `FORBIDDEN`. */
export function callerFor(known: Known, roles: readonly Role[]): Caller {
  if (known === undefined) {
    throw new FuselineError('UNAUTHENTICATED', 'send a token this service knows, as authorization: Bearer …');
  }
  const caller = typeof known === 'string' ? { role: known } : known;
  if (caller.namespace !== undefined) checkNamespace(caller.namespace);
  if (roles.includes(caller.role)) return caller;
  throw new FuselineError(
    'FORBIDDEN',
    `this needs a token of the kind ${roles.join(' or ')}, and yours is of the kind ${caller.role}`,
  );
}

function secretsOf(secrets: Partial<Readonly<Record<Role, string>>>, namespace?: string) {
  return Object.entries(secrets).map(([role, secret]) => ({
    secret,
    caller: { role: role as Role, ...(namespace !== undefined && { namespace }) },
  }));
}

function tokensIn(env: unknown, name: string): readonly string[] {
  return secretsIn((env as Readonly<Record<string, unknown>> | undefined)?.[name]);
}
