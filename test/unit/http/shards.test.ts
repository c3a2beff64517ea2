import { ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { deferred, sharded } from './rig.ts';

test('a step that must have no company is begun once by who works on its run by a short id', () => {
  const attempts: number[] = [];
  const alone = workflow('alone', ($) => $.step('does', {}, (_, { attempt }) => void attempts.push(attempt)));
  return sharded([alone], 3, async ({ far, post, shards }) => {
    const { id: run } = (await post('/workflows/alone/runs', { id: 'short' })).body;
    const behind = shards[Number(run.split('.')[0])];
    const secret = { 'fuseline-secret': 'a'.repeat(32) };
    await post('/workers', { id: 'lost', name: 'lost', workflows: [{ hash: alone.graph().hash }] }, secret);
    expect((await post('/workers/lost/fetch', { run }, secret)).body.claims).toHaveLength(1);
    await behind?.reap('lost');
    const looked = deferred();
    let isReporting = false;
    const storage = far((fetch) => async (url, init) => {
      if (url.endsWith('/report') && !isReporting) {
        isReporting = true;
        await looked.promise;
      }
      const response = await fetch(url, init);
      if (url.endsWith('/fetch') && isReporting) looked.resolve();
      return response;
    });
    await new ProcessEngine(alone, storage).work('short');
    expect(attempts).toEqual([2]);
  });
});
