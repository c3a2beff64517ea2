import { FuselineError } from '../core/errors.ts';
import type { Auth } from './auth.ts';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Without an `auth`, a service is for trying things out. A page of another site that a browser on this machine shows is
 * not of this machine: what it sends says where it is from, or that its name was made to lead here.
 */
export const onlyThisMachine: Auth = (request) => {
  const { hostname, origin } = new URL(request.url);
  if (!LOOPBACK.has(hostname)) {
    throw new FuselineError(
      'UNAVAILABLE',
      'this service has no auth, so it answers on localhost only; give it an auth, for example bearer({ client: "CLIENT_TOKEN" })',
    );
  }
  const from = request.headers.get('origin');
  const isForeign = request.headers.get('sec-fetch-site') === 'cross-site' || (from !== null && from !== origin);
  return isForeign ? undefined : 'admin';
};
