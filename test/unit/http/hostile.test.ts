import { workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { served } from './rig.ts';

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
