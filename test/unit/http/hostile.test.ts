import { ProcessEngine, workflow } from 'fuseline';
import { expect, test, vi } from 'vitest';
import { deferred, served } from './rig.ts';

const SECRET = { 'fuseline-secret': 'a'.repeat(32) };
const one = workflow('one', ($) => $.step('only', {}, () => 1));

test('a worker that fetches again while its first fetch still waits has the first one answered, and keeps nobody waiting', () => {
  return served([one], async ({ post }) => {
    await post('/workers', { id: 'w', name: 'w', workflows: [{ hash: one.graph().hash }] }, SECRET);
    const fetch = () => post('/workers/w/fetch', { waitMs: 20_000 }, SECRET);
    const first = fetch();
    const second = fetch();
    expect(await Promise.race([first, second])).toMatchObject({ body: { claims: [] } });
    await post('/workflows/one/runs', { id: 'run' });
    const answers = await Promise.all([first, second]);
    expect(answers.flatMap(({ body }) => body.claims)).toMatchObject([{ run: 'run' }]);
  });
});

test('nothing is claimed for a worker that has gone while its fetch waited', () =>
  served([one], async ({ post, fetch, behind }) => {
    await post('/workers', { id: 'w', name: 'w', workflows: [{ hash: one.graph().hash }] }, SECRET);
    const connection = new AbortController();
    const waiting = fetch('http://localhost/workers/w/fetch', {
      method: 'POST',
      headers: { ...SECRET, 'content-type': 'application/json' },
      body: JSON.stringify({ waitMs: 20_000 }),
      signal: connection.signal,
    });
    connection.abort();
    const { id: run } = (await post('/workflows/one/runs', {})).body;
    await waiting;
    expect((await behind.get(run)).steps).toMatchObject([{ status: 'PENDING' }]);
  }));

test.each([
  ['many, each with the names of all that the worker holds', 150, 0],
  ['long ones, whose texts are longer as bytes', 5, 160_000],
])('reports of one moment that do not fit into one request are recorded as they are: %s', (_, count, length) => {
  const together = deferred();
  let begun = 0;
  const wide = workflow('wide', ($) => {
    const sides = Array.from({ length: count }, (_, i) =>
      $.step(`side ${i}`, {}, async (_, { once }) => {
        if (++begun === count) together.resolve();
        await together.promise;
        // The key of one of them is too long for any request.
        if (i === 1 && length > 0) return once('k'.repeat(1024 * 1024), () => i).catch(({ code }) => code);
        return `${i}${'語'.repeat(length)}`;
      }),
    );
    return $.step('last', {}, () => begun, { after: sides });
  });
  return served([wide], async ({ far, behind }) => {
    const storage = far();
    const run = await wide.dispatch(undefined, { storage });
    await new ProcessEngine(wide, storage, { concurrency: count }).work(run.id);
    expect(await behind.result(run.id)).toBe(count);
    expect(await behind.stepResult(run.id, 'side 1')).toBe(length > 0 ? 'VALUE_TOO_LARGE' : '1');
  });
});

test('what a worker holds that leaves, or has left by the time it is claimed, is there for others and not for its namesake', () => {
  const pair = workflow('pair', ($) => {
    $.step('left', {}, () => 1);
    return $.step('right', {}, () => 2);
  });
  return served([pair], async ({ post, fetch, behind }) => {
    const OTHER = { 'fuseline-secret': 'b'.repeat(32) };
    const register = (id: string, secret: object) =>
      post('/workers', { id, name: id, workflows: [{ hash: pair.graph().hash }] }, { ...SECRET, ...secret });
    const { id: run } = (await post('/workflows/pair/runs', {})).body;
    await register('leaver', {});
    const [lost] = (await post('/workers/leaver/fetch', {}, SECRET)).body.claims;
    await fetch('http://localhost/workers/leaver', { method: 'DELETE', headers: SECRET });
    await register('heir', {});
    const heirs = (await post('/workers/heir/fetch', { limit: 2 }, SECRET)).body.claims;
    expect(heirs.map(({ spec }: { spec: object }) => spec)).toContainEqual(lost.spec);
    // Its fetch was under way while it left.
    await behind.leave('heir');
    await register('heir', OTHER);
    const [namesakes] = (await post('/workers/heir/fetch', { run }, OTHER)).body.claims;
    expect(heirs.map(({ id }: { id: string }) => id)).not.toContain(namesakes.id);
  });
});

test('what came with an answer that was lost, and not with the next one, is found all the same', () => {
  const pair = workflow('pair', ($) => {
    const first = $.step('first', {}, () => 1);
    return $.step('second', { first }, ({ first }) => first + 1);
  });
  return served([pair], async ({ far, behind }) => {
    const lost = new Set<string>();
    const storage = far((fetch) => async (url, init) => {
      const what = /fetch|report/.exec(url)?.[0];
      if (what === undefined) return fetch(url, init);
      if (!lost.has(what)) {
        lost.add(what);
        await fetch(url, init);
        throw new TypeError('the answer was lost');
      }
      if (lost.has(`${what} again`)) return fetch(url, init);
      lost.add(`${what} again`);
      // Decided on in one turn with the one before, which was given everything there was.
      const nothing = { claims: [], rest: 'nothing' };
      return Response.json(what === 'fetch' ? nothing : { answers: [{ status: 'duplicate', ...nothing }] });
    });
    const engine = new ProcessEngine(pair, storage);
    await engine.start();
    const run = await pair.dispatch(undefined, { storage });
    expect(await behind.result(run.id)).toBe(2);
    expect((await behind.get(run.id)).steps).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
    await engine.stop();
  });
});

test('a body of a run that was removed takes nothing from its namesake when it stops', () => {
  const [begun, again, old, young] = [deferred(), deferred(), deferred(), deferred()];
  let bodies = 0;
  const named = workflow('named', ($) =>
    $.step('only', {}, async () => {
      const body = ++bodies;
      (body === 1 ? begun : again).resolve();
      await (body === 1 ? old : young).promise;
      return body;
    }),
  );
  return served([named], async ({ far, behind }) => {
    const storage = far();
    const engine = new ProcessEngine(named, storage);
    await engine.start();
    const stale = new Promise<unknown>((resolve) => engine.on('stale', resolve));
    await named.dispatch(undefined, { storage, id: 'one' });
    await begun.promise;
    await behind.cancel('one');
    await behind.remove('one');
    const run = await named.dispatch(undefined, { storage, id: 'one' });
    await again.promise;
    old.resolve();
    await stale;
    young.resolve();
    expect(await behind.result(run.id)).toBe(2);
    await engine.stop();
  });
});

test('an engine that works once more says that it lives as before', () =>
  served([one], async ({ far, behind }) => {
    const disowned = deferred();
    const storage = far();
    await storage.register('given-up', { name: 'far', definitions: [one], queues: [] });
    await behind.leave('given-up');
    const watch = storage.keepWatch({
      self: () => ({ id: 'given-up', holds: true }),
      lost: () => undefined,
      disowned: disowned.resolve,
      error: () => undefined,
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    try {
      await watch.look();
      await watch.close();
      await watch.look();
      await vi.advanceTimersByTimeAsync(20_000);
      await disowned.promise;
      await watch.close();
    } finally {
      vi.useRealTimers();
    }
  }));
