import { ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { deferred, served } from './rig.ts';

const SECRET = { 'fuseline-secret': 'a'.repeat(32) };

test('a worker that fetches again while its first fetch still waits has the first one answered, and keeps nobody waiting', () => {
  const one = workflow('one', ($) => $.step('only', {}, () => 1));
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
