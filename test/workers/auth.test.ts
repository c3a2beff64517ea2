import { bearer, durableWorkflows, type Role } from 'fuseline/durable-object';
import { type SignalLinkOptions, signalLink } from 'fuseline/http';
import { describe, expect, test, vi } from 'vitest';
import { ACME_TOKEN, guardedApp, json, LINK_SECRET, TOKENS } from './guarded.ts';
import { sum } from './worker.ts';

/** Who may use a route. Every route of the app stands here. */
const MAY: Readonly<Record<string, readonly Role[] | 'link' | 'everybody'>> = {
  'GET /status': 'everybody',
  'GET /openapi.json': 'everybody',
  'GET /caller': ['client', 'worker', 'admin'],
  'GET /workflows': ['client', 'admin'],
  'POST /workflows/:workflow/runs': ['client', 'admin'],
  'GET /runs': ['client', 'admin'],
  'GET /runs/:run': ['client', 'admin'],
  'DELETE /runs/:run': ['admin'],
  'GET /runs/:run/result': ['client', 'admin'],
  'GET /runs/:run/history': ['client', 'admin'],
  'GET /runs/:run/events': ['client', 'admin'],
  'GET /runs/:run/explain': ['client', 'admin'],
  'GET /runs/:run/export': ['client', 'admin'],
  'POST /runs/:run/cancel': ['client', 'admin'],
  'POST /runs/:run/pause': ['client', 'admin'],
  'POST /runs/:run/resume': ['client', 'admin'],
  'POST /runs/:run/retry': ['client', 'admin'],
  'POST /runs/:run/steps/:step/enqueue': ['client', 'admin'],
  'POST /runs/:run/signals/:name': ['client', 'admin'],
  'GET /links/:token': 'link',
  'POST /links/:token': 'link',
  'GET /workers': ['client', 'admin'],
  'POST /workers': ['worker', 'admin'],
  'POST /workers/:worker/fetch': ['worker', 'admin'],
  'POST /workers/:worker/report': ['worker', 'admin'],
  'POST /workers/:worker/heartbeat': ['worker', 'admin'],
  'DELETE /workers/:worker': ['worker', 'admin'],
  'POST /runs': ['client', 'admin'],
  'POST /rows/read': ['client', 'worker', 'admin'],
  'POST /rows/scan': ['client', 'worker', 'admin'],
  'POST /rows/news': ['client', 'worker', 'admin'],
};

const CLAIM = 'some/0123456789abcdef/0.1.0';

/** Answered by the Worker itself. */
const WITHOUT_OBJECT: readonly string[] = ['GET /workflows', 'GET /caller', 'GET /status', 'GET /openapi.json'];

const { ask, routes } = guardedApp();

test('every route has its roles, and every role its routes', () => {
  expect(routes.toSorted()).toEqual(Object.keys(MAY).sort());
});

/** What a route needs in order to ask an object. */
const NEEDS: Readonly<Record<string, object>> = {
  'POST /workers': { id: 'some', name: 'some', workflows: [] },
  'POST /workers/:worker/report': { reports: [{ claim: CLAIM, secret: 'some', type: 'skipped' }] },
  'POST /runs': { id: 'some', graph: '0'.repeat(28), input: '{}' },
  'POST /rows/read': { keys: ['head/some'] },
  'POST /rows/scan': { ranges: [{ from: 'time/', to: 'time0' }] },
  'POST /rows/news': { asker: 'some' },
};

const asking = (route: string) => {
  const [method = '', path = ''] = route.split(' ');
  const body = NEEDS[route];
  const init = body ? json(body) : { method };
  const headers = { ...init.headers, 'fuseline-secret': 'x'.repeat(32) };
  return (token?: string) => ask(path.replaceAll(/:\w+/g, 'some'), { ...init, headers }, token);
};
const guarded = routes.filter((route) => Array.isArray(MAY[route]));

test.each(routes.filter((route) => MAY[route] === 'everybody'))(
  '%s is for everybody, and no object’s business',
  async (route) => {
    expect(await asking(route)()).toMatchObject({ status: 200, verbs: [] });
  },
);

describe.each(guarded)('%s', (route) => {
  const ask = asking(route);

  test.each([
    ['without a token', undefined],
    ['with a token nobody has', 'nobody-0123456789'],
    ['with the beginning of a token', TOKENS.admin.slice(0, -1)],
  ])('answers 401 %s, and asks no object', async (_, token) => {
    expect(await ask(token)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', verbs: [] });
  });

  test.each(['client', 'worker', 'admin'] as const)('lets a %s in, or answers 403 and asks no object', async (role) => {
    const asked = await ask(TOKENS[role]);
    if (!MAY[route]?.includes(role)) expect(asked).toMatchObject({ status: 403, code: 'FORBIDDEN', verbs: [] });
    else if (WITHOUT_OBJECT.includes(route)) expect(asked).toMatchObject({ status: 200, verbs: [] });
    else expect(asked).toMatchObject({ status: 404, code: 'UNKNOWN_RUN', verbs: [expect.any(String)] });
  });

  test('asks the objects of the caller’s namespace and no other', async () => {
    const { status, objects } = await ask(ACME_TOKEN);
    if (MAY[route]?.includes('admin')) expect(objects).toEqual(WITHOUT_OBJECT.includes(route) ? [] : ['acme/shard-0']);
    else expect([status, objects]).toEqual([403, []]);
  });
});

describe.each(routes.filter((route) => MAY[route] === 'link'))('%s', (route) => {
  const [method = ''] = route.split(' ');
  const link = async (options: Partial<SignalLinkOptions> = {}) => {
    const terms = { run: 'some', signal: 'some', once: 'some', expires: '1h', secret: LINK_SECRET } as const;
    return new URL(await signalLink('https://runs.example', { ...terms, ...options })).pathname;
  };

  test.each(['client', 'worker', 'admin'] as const)(
    'answers a %s without a link 404, and asks no object',
    async (role) => {
      for (const path of ['/links/some', await link({ secret: 'x'.repeat(32) })])
        expect(await ask(path, { method }, TOKENS[role])).toMatchObject({
          status: 404,
          code: 'UNKNOWN_LINK',
          verbs: [],
        });
    },
  );

  test('asks the objects of the link’s namespace and no other, whoever brings it', async () => {
    for (const [namespace, object] of [
      [undefined, 'shard-0'],
      ['acme', 'acme/shard-0'],
    ] as const)
      for (const token of [undefined, ACME_TOKEN]) {
        const asked = await ask(await link(namespace && { namespace }), { method }, token);
        expect(asked).toMatchObject({ status: 404, code: 'UNKNOWN_RUN', objects: [object] });
      }
  });

  test('is not there unless it is asked for, and opens nothing without a secret that is long enough', async () => {
    const { app } = durableWorkflows({ workflows: [sum], binding: 'RUNS', auth: bearer({ client: 'CLIENT' }) });
    expect(await (await app.request(`https://runs.example${await link()}`, { method })).json()).toMatchObject({
      error: { code: 'INVALID_REQUEST' },
    });
    for (const secret of ['', LINK_SECRET.slice(0, 31)]) {
      const asked = await guardedApp({ env: { LINKS: secret } }).ask(await link(), { method });
      expect(asked).toMatchObject({ status: 503, code: 'UNAVAILABLE', verbs: [] });
    }
  });
});

test('a secret may be two while callers change from one to the other', async () => {
  expect(await ask('/workers', {}, 'admin-next')).toMatchObject({ status: 404 });
  expect(await ask('/workers', {}, 'admin-0123456789, admin-next')).toMatchObject({ status: 401 });
});

test('a role whose secret is not set lets nobody in, and without any secret it is said which are missing', async () => {
  const half = guardedApp({ env: { CLIENT: TOKENS.client, ADMIN: '' } });
  expect(await half.ask('/workers', {}, TOKENS.client)).toMatchObject({ status: 404 });
  expect(await half.ask('/workers', { headers: { authorization: 'Bearer ' } })).toMatchObject({ status: 401 });
  const none = await guardedApp({ env: {} }).ask('/workers', {}, TOKENS.client);
  expect(none).toMatchObject({ status: 503, code: 'UNAVAILABLE', verbs: [] });
  expect(none.message).toContain('CLIENT and WORKER and ADMIN and ACME');
});

test('an auth of one’s own decides, and nothing is asked if it fails', async () => {
  const own = guardedApp({ auth: async (request) => (request.headers.has('x-known') ? 'client' : undefined) });
  expect(await own.ask('/workers', { headers: { 'x-known': 'yes' } })).toMatchObject({ status: 404 });
  expect(await own.ask('/workers')).toMatchObject({ status: 401, verbs: [] });
  expect(await own.ask('/runs/some', { method: 'DELETE', headers: { 'x-known': 'yes' } })).toMatchObject({
    status: 403,
    verbs: [],
  });
});

test('without an auth the app answers on localhost only, and says so', async () => {
  const { app } = durableWorkflows({ workflows: [sum], binding: 'RUNS' });
  for (const host of ['localhost:8787', '127.0.0.1', '[::1]:8787'])
    expect((await app.request(`http://${host}/workflows`, {}, { RUNS: {} })).status).toBe(200);
  for (const host of ['runs.example', 'localhost.example', '10.0.0.1']) {
    const response = await app.request(`https://${host}/workflows`, {}, { RUNS: {} });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('no auth') } });
  }
});

test('without an auth, a page of another site that a browser on this machine shows is nobody', async () => {
  const { app } = durableWorkflows({ workflows: [sum], binding: 'RUNS' });
  const ask = (headers: HeadersInit) => app.request('http://localhost:8787/workflows', { headers }, { RUNS: {} });
  expect((await ask({ origin: 'https://evil.example' })).status).toBe(401);
  expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(401);
  expect((await ask({ origin: 'http://localhost:8787', 'sec-fetch-site': 'same-origin' })).status).toBe(200);
});

test('a bearer without a secret, and a namespace that could name another object, are mistakes', () => {
  expect(() => bearer({})).toThrow(TypeError);
  expect(() => bearer({ namespaces: { 'a/shard-0': { client: 'CLIENT' } } })).toThrow(TypeError);
});

test('a namespace that an auth of one’s own makes of anything is refused before it names an object', async () => {
  const log = vi.spyOn(console, 'error').mockReturnValue();
  const own = guardedApp({ auth: () => ({ role: 'client', namespace: '../acme' }) });
  expect(await own.ask('/workers')).toMatchObject({ status: 500, code: 'INTERNAL', verbs: [] });
  log.mockRestore();
});

describe('pages of other sites', () => {
  const preflight = async (cors?: readonly string[]) => {
    const { app } = durableWorkflows({
      workflows: [sum],
      binding: 'RUNS',
      auth: bearer({ client: 'CLIENT' }),
      ...(cors && { cors }),
    });
    const headers = { origin: 'https://shop.example', 'access-control-request-method': 'POST' };
    return (await app.request('https://runs.example/runs', { method: 'OPTIONS', headers })).headers;
  };

  test('may not ask', async () => {
    expect((await preflight()).get('access-control-allow-origin')).toBeNull();
    expect((await preflight(['https://other.example'])).get('access-control-allow-origin')).toBeNull();
  });

  test('may if they are listed', async () => {
    const headers = await preflight(['https://shop.example']);
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
  });
});
