import { bearer, durableWorkflows, type EdgeOptions } from 'fuseline/durable-object';
import { sum } from './worker.ts';

const SECRETS = {
  CLIENT: 'client-0123456789',
  WORKER: 'worker-0123456789',
  ADMIN: 'admin-0123456789, admin-next',
  ACME: 'acme-0123456789',
  LINKS: 'links-0123456789-0123456789-0123456789',
};

export const TOKENS = { client: 'client-0123456789', worker: 'worker-0123456789', admin: 'admin-0123456789' } as const;
export const LINK_SECRET = SECRETS.LINKS;
/** An admin's of another namespace. */
export const ACME_TOKEN = 'acme-0123456789';

export interface Asked {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** What the objects were asked. */
  readonly verbs: readonly string[];
  /** The objects that were asked. */
  readonly objects: readonly string[];
}

export interface AppOptions extends Partial<EdgeOptions> {
  readonly env?: Readonly<Record<string, string>>;
}

/** The app with tokens, in front of objects that know of no run and note what they are asked. */
export function guardedApp({ env = SECRETS, ...options }: AppOptions = {}) {
  const { app } = durableWorkflows({
    workflows: [sum],
    binding: 'RUNS',
    auth: bearer({ client: 'CLIENT', worker: 'WORKER', admin: 'ADMIN', namespaces: { acme: { admin: 'ACME' } } }),
    links: { secret: 'LINKS' },
    ...options,
  });
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  const ask = async (path: string, init: RequestInit = {}, token?: string): Promise<Asked> => {
    const verbs: string[] = [];
    const names: string[] = [];
    const objects = {
      getByName: (name: string) => ({
        ask: async (verb: string) => {
          verbs.push(verb);
          names.push(name);
          return { status: 'refused', code: 'UNKNOWN_RUN', message: 'there is no such run' };
        },
      }),
    };
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const url = new URL(path, 'https://runs.example');
    const response = await app.request(url.href, { ...init, headers }, { RUNS: objects, ...env });
    const text = await response.text();
    const { error } = (text === '' ? {} : JSON.parse(text)) as { error?: { code: string; message: string } };
    return { status: response.status, code: error?.code, message: error?.message, verbs, objects: names };
  };
  return { ask, routes: [...new Set(routes)] };
}

export function json(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
