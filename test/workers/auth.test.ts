import { bearer, durableWorkflows, type Role } from 'fuseline/durable-object';
import { describe, expect, test } from 'vitest';
import { guardedApp, TOKENS } from './guarded.ts';
import { sum } from './worker.ts';

/** Who may use a route. Every route of the app stands here. */
const MAY: Readonly<Record<string, readonly Role[]>> = {
  'GET /workflows': ['client', 'admin'],
  'POST /workflows/:workflow/runs': ['client', 'admin'],
  'GET /runs': ['client', 'admin'],
  'GET /runs/:run': ['client', 'admin'],
  'DELETE /runs/:run': ['admin'],
  'GET /runs/:run/result': ['client', 'admin'],
  'GET /runs/:run/history': ['client', 'admin'],
  'GET /runs/:run/explain': ['client', 'admin'],
  'GET /runs/:run/export': ['client', 'admin'],
  'POST /runs/:run/cancel': ['client', 'admin'],
  'POST /runs/:run/pause': ['client', 'admin'],
  'POST /runs/:run/resume': ['client', 'admin'],
  'POST /runs/:run/retry': ['client', 'admin'],
  'POST /runs/:run/steps/:step/enqueue': ['client', 'admin'],
  'POST /runs/:run/signals/:name': ['client', 'admin'],
  'GET /workers': ['client', 'admin'],
};

/** Answered by the Worker itself. */
const WITHOUT_OBJECT: readonly string[] = ['GET /workflows'];

const { ask, routes } = guardedApp();

test('every route has its roles, and every role its routes', () => {
  expect(routes.toSorted()).toEqual(Object.keys(MAY).sort());
});

describe.each(routes)('%s', (route) => {
  const [method = '', path = ''] = route.split(' ');
  const asking = (token?: string) => ask(path.replaceAll(/:\w+/g, 'some'), { method }, token);

  test.each([
    ['without a token', undefined],
    ['with a token nobody has', 'nobody-0123456789'],
    ['with the beginning of a token', TOKENS.admin.slice(0, -1)],
  ])('answers 401 %s, and asks no object', async (_, token) => {
    expect(await asking(token)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', verbs: [] });
  });

  test.each(['client', 'worker', 'admin'] as const)('lets a %s in, or answers 403 and asks no object', async (role) => {
    const asked = await asking(TOKENS[role]);
    if (!MAY[route]?.includes(role)) expect(asked).toMatchObject({ status: 403, code: 'FORBIDDEN', verbs: [] });
    else if (WITHOUT_OBJECT.includes(route)) expect(asked).toMatchObject({ status: 200, verbs: [] });
    else expect(asked).toMatchObject({ status: 404, code: 'UNKNOWN_RUN', verbs: [expect.any(String)] });
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
  expect(none.message).toContain('CLIENT and WORKER and ADMIN');
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

test('a bearer without a secret is a mistake', () => {
  expect(() => bearer({})).toThrow(TypeError);
});
