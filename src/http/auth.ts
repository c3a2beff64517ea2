import { timingSafeEqual } from 'hono/utils/buffer';
import { FuselineError } from '../core/errors.ts';

/**
 * What a caller may do. `client`: dispatch, look and command. `worker`: work on steps. `admin`: everything a client may,
 * and remove runs.
 */
export type Role = 'client' | 'worker' | 'admin';

/** Tells who asks; `undefined` for nobody that is known. `env` is the Worker's, or whatever the host of the app has. */
export type Auth = (request: Request, env: unknown) => Role | undefined | Promise<Role | undefined>;

/** The names of the secrets, per role. */
export type BearerSecrets = Partial<Readonly<Record<Role, string>>>;

/** A secret may be two, separated by a comma, while callers change from one to the other. */
const BETWEEN = ',';

/**
 * Knows callers by a bearer token each role has of its own, from secrets of the environment:
 * `bearer({ client: 'CLIENT_TOKEN' })` reads `env.CLIENT_TOKEN`.
 */
export function bearer(secrets: BearerSecrets): Auth {
  const roles = Object.entries(secrets) as readonly (readonly [Role, string])[];
  if (roles.length === 0) throw new TypeError("bearer() names no secret; write for example { client: 'CLIENT_TOKEN' }");
  return async (request, env) => {
    const tokens = roles.map(([role, name]) => [role, tokensIn(env, name)] as const);
    if (tokens.every(([, known]) => known.length === 0)) {
      throw new FuselineError(
        'UNAVAILABLE',
        `nobody can be let in: ${roles.map(([, name]) => name).join(' and ')} are not set; set one with wrangler secret put`,
      );
    }
    const token = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) return undefined;
    let found: Role | undefined;
    // Each one is compared, and takes as long whether it fits or not.
    for (const [role, known] of tokens) for (const one of known) if (await timingSafeEqual(one, token)) found ??= role;
    return found;
  };
}

export function refuseUnlessMay(role: Role | undefined, needed: Role): void {
  if (role === undefined) {
    throw new FuselineError('UNAUTHENTICATED', 'send a token this service knows, as authorization: Bearer …');
  }
  if (role !== needed && !(role === 'admin' && needed === 'client')) {
    throw new FuselineError('FORBIDDEN', `this needs a token of the kind ${needed}, and yours is of the kind ${role}`);
  }
}

function tokensIn(env: unknown, name: string): readonly string[] {
  const secret = (env as Readonly<Record<string, unknown>> | undefined)?.[name];
  if (typeof secret !== 'string') return [];
  return secret
    .split(BETWEEN)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
