import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardedApp, json, TOKENS } from './guarded.ts';

const { ask, routes } = guardedApp({ bodyBytes: 20_000 });
const asking = (path: string, init?: RequestInit) => ask(path, init, TOKENS.admin);

const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
const dispatching = (body: unknown) => asking('/workflows/sum/runs', json(body));
const RUNS = '/workflows/sum/runs';

describe('a request that is not in order is refused before any object is asked:', () => {
  test.each([
    ['an unknown field', () => dispatching({ hope: 1 })],
    ['a field of __proto__', () => asking(RUNS, { ...json({}), body: '{"__proto__": {"id": "some"}}' })],
    ['an id with a slash', () => dispatching({ id: 'a/b' })],
    ['an id that is too long', () => dispatching({ id: 'x'.repeat(129) })],
    ['an id that is no string', () => dispatching({ id: 17 })],
    ['an id of a shard that there is not', () => dispatching({ id: '1.some' })],
    [
      'too many labels',
      () => dispatching({ labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [i, ''])) }),
    ],
    ['a label that is no string', () => dispatching({ labels: { a: 1 } })],
    ['a priority that is no whole number', () => dispatching({ priority: 1.5 })],
    ['a start that is no time', () => dispatching({ startAt: 1e300 })],
    ['an input nested too deep', () => dispatching({ input: deep(70) })],
    ['a body that is no object', () => dispatching([])],
    ['a body that is no JSON', () => asking(RUNS, { ...json({}), body: '{' })],
    ['a body of another type', () => asking(RUNS, { method: 'POST', body: '{}' })],
    ['a list of too many', () => asking('/runs?limit=1001')],
    ['a list of nothing', () => asking('/runs?limit=')],
    ['a status there is not', () => asking('/runs?status=LOST')],
    ['a label without a value', () => asking('/runs?label=some')],
    ['a cursor that is none', () => asking('/runs?cursor=value/some')],
    ['a wait that is too long', () => asking('/runs/some/result?waitMs=25001')],
    ['a history from before the beginning', () => asking('/runs/some/history?from=-1')],
    ['a command id that is none', () => asking('/runs/some/cancel', json({ commandId: '' }))],
    ['a force there is not', () => asking('/runs/some/steps/a/enqueue', json({ force: 'always' }))],
    ['a run id with a slash', () => asking('/runs/a%2Fb')],
  ])('%s', async (_, request) => {
    const asked = await request();
    expect(asked).toMatchObject({ status: 400, verbs: [] });
    expect(['INVALID_REQUEST', 'INVALID_ID']).toContain(asked.code);
  });

  test('a body that is too large, also one that does not say how large it is', async () => {
    const large = { input: 'x'.repeat(20_000) };
    expect(await dispatching(large)).toMatchObject({ status: 413, code: 'VALUE_TOO_LARGE', verbs: [] });
    const { body } = new Response(JSON.stringify(large));
    const streamed = await asking(RUNS, { ...json({}), body });
    expect(streamed).toMatchObject({ status: 413, code: 'VALUE_TOO_LARGE', verbs: [] });
  });

  test('a method there is not', async () => {
    expect(await asking('/runs/some', { method: 'PUT' })).toMatchObject({ status: 404, code: 'INVALID_REQUEST' });
  });
});

test('whatever is sent, the answer is one of the documented kind', async () => {
  const path = fc.constantFrom(...routes.filter((route) => route.startsWith('POST ')).map((route) => route.slice(5)));
  const field = fc.constantFrom(
    'id',
    'input',
    'labels',
    'priority',
    'startAt',
    'version',
    'commandId',
    'payload',
    'force',
  );
  const body = fc.oneof(
    fc.dictionary(fc.oneof(field, fc.string()), fc.jsonValue(), { maxKeys: 4 }).map((found) => JSON.stringify(found)),
    fc.json(),
    fc.string(),
  );
  const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('some', '0.some', '..', '%00', '__proto__'));
  await fc.assert(
    fc.asyncProperty(path, name, body, async (route, part, text) => {
      const target = route.replaceAll(/:\w+/g, encodeURIComponent(part));
      const asked = await asking(target, { ...json({}), body: text });
      expect([400, 404]).toContain(asked.status);
      expect(asked.code).toEqual(expect.any(String));
    }),
    { numRuns: 300 },
  );
});
