import { FuselineError, ProcessEngine, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { deferred, type ShardedRig, sharded } from './rig.ts';

const SECRET = { 'fuseline-secret': 'a'.repeat(32) };
const one = workflow('one', ($) => $.step('does', {}, () => 'done'));

/** A run on each shard. */
async function everywhere({ post, shards }: ShardedRig): Promise<string[]> {
  const runs: string[] = [];
  for (const shard of shards.keys()) {
    const { body } = await post('/workflows/one/runs', { id: `${shard}.some` });
    runs.push(body.id);
  }
  return runs;
}

const register = ({ post }: ShardedRig) =>
  post('/workers', { id: 'w', name: 'w', workflows: [{ hash: one.graph().hash }] }, SECRET);

const fetchAll = async ({ post }: ShardedRig, held: readonly string[] = []) =>
  (await post('/workers/w/fetch', { limit: 10, held }, SECRET)).body.claims;

function away(): never {
  throw Object.assign(new Error('the object is away'), { retryable: true });
}

function shardOf(run: string): number {
  return Number(run.split('.')[0]);
}

test('a step that must have no company is begun once by who works on its run by a short id', () => {
  const attempts: number[] = [];
  const alone = workflow('alone', ($) => $.step('does', {}, (_, { attempt }) => void attempts.push(attempt)));
  return sharded([alone], 3, async ({ far, post, shards }) => {
    const { id: run } = (await post('/workflows/alone/runs', { id: 'short' })).body;
    await post('/workers', { id: 'lost', name: 'lost', workflows: [{ hash: alone.graph().hash }] }, SECRET);
    expect((await post('/workers/lost/fetch', { run }, SECRET)).body.claims).toHaveLength(1);
    await shards[shardOf(run)]?.reap('lost');
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

test(
  'a run is read, and its rows found within the range that was asked for, by a short id too',
  { timeout: 5000 },
  () =>
    sharded([one], 3, async ({ far, post }) => {
      const { id: whole } = (await post('/workflows/one/runs', { id: 'short' })).body;
      expect(await far().status('short')).toBe('PENDING');
      const [row] = await far().rows.scan({ from: 'entry/short/', to: 'entry/short0' });
      expect(row?.key).toMatch(/^entry\/short\//);
      expect((await far().rows.scan({ from: `entry/${whole}/`, to: `entry/${whole}0` }))[0]?.value).toBe(row?.value);
    }),
);

describe('a shard that is away', () => {
  test('takes no work from the others, and what is reported to it is refused alone, to be sent again', () =>
    sharded([one], 3, async (rig) => {
      const runs = await everywhere(rig);
      rig.broken.set(1, away);
      expect((await register(rig)).status).toBe(200);
      rig.broken.clear();
      const shown = await (await rig.fetch('http://localhost/workers', {})).json();
      expect(shown).toEqual({ workers: [expect.objectContaining({ id: 'w' })] });
      rig.broken.set(1, away);
      const some = await fetchAll(rig);
      expect(some.map(({ run }: { run: string }) => run).toSorted()).toEqual([runs[0], runs[2]]);
      rig.broken.clear();
      // It was away when the worker registered, and hears of it now.
      const held = some.map(({ id }: { id: string }) => id);
      const rest = await fetchAll(rig, held);
      expect(rest).toMatchObject([{ run: runs[1] }]);
      rig.broken.set(1, away);
      const reports = [...some, ...rest].map(({ id, secret }) => ({ claim: id, secret, type: 'succeeded', value: 1 }));
      const { answers } = (await rig.post('/workers/w/report', { reports })).body;
      expect(answers).toMatchObject([
        { status: 'recorded' },
        { status: 'recorded' },
        { status: 'refused', code: 'UNAVAILABLE' },
      ]);
    }));

  test('hides nothing but work that waits', () =>
    sharded([one], 2, async (rig) => {
      await everywhere(rig);
      rig.broken.set(1, away);
      const ranges = ['ready', 'time', 'entry/0.some', 'entry/1.some'].map((from) => ({
        from: `${from}/`,
        to: `${from}0`,
      }));
      const { pages } = (await rig.post('/rows/scan', { ranges })).body;
      expect(pages.map(({ rows }: { rows: object[] }) => rows.length > 0)).toEqual([true, false, true, false]);
      expect(pages[0]).toMatchObject({ isPartial: true });
      const refused = { isCut: true, refused: { code: 'UNAVAILABLE' } };
      expect([pages[1], pages[3]]).toMatchObject([refused, refused]);
      expect((await rig.post('/rows/news', { asker: 'some' })).status).toBe(200);
      expect((await rig.post('/rows/scan', { ranges: [ranges[3]] })).status).toBe(503);
      const keys = ['head/0.some', 'head/1.some', `graph/${one.graph().hash}`, 'graph/none'];
      const { rows } = (await rig.post('/rows/read', { keys })).body;
      expect(rows).toMatchObject([
        { value: expect.any(String) },
        { refused: { code: 'UNAVAILABLE' } },
        { value: expect.any(String) },
        { refused: { code: 'UNAVAILABLE' } },
      ]);
      expect((await rig.post('/rows/read', { keys: ['head/1.some'] })).status).toBe(503);
    }));

  test('is waited for by who reads its rows, and by nobody else of the same request', () =>
    sharded([one], 2, async (rig) => {
      await everywhere(rig);
      const storage = rig.far((fetch) => async (url, init) => {
        const response = await fetch(url, init);
        if (url.endsWith('/rows/read')) rig.broken.clear();
        return response;
      });
      rig.broken.set(1, away);
      const order: string[] = [];
      const look = async (run: string) => void ((await storage.status(run)) === 'PENDING' && order.push(run));
      await Promise.all([look('1.some'), look('0.some')]);
      expect(order).toEqual(['0.some', '1.some']);
    }));

  test('may have work, so that nobody who works until nothing is left ends meanwhile', () =>
    sharded([one], 2, async (rig) => {
      const runs = await everywhere(rig);
      let scans = 0;
      const storage = rig.far((fetch) => async (url, init) => {
        if (url.endsWith('/rows/scan') && ++scans === 8) rig.broken.clear();
        return fetch(url, init);
      });
      rig.broken.set(1, away);
      await new ProcessEngine(one, storage).work();
      for (const run of runs) expect(await storage.status(run)).toBe('SUCCEEDED');
    }));

  test('hears of the end of its steps when it is back, and those of others are recorded meanwhile', () => {
    const bodies: string[] = [];
    const begun = deferred();
    const go = deferred();
    const kept = workflow('one', ($) =>
      $.step('does', {}, async (_, { runId }) => {
        bodies.push(runId);
        if (bodies.length === 2) begun.resolve();
        await go.promise;
      }),
    );
    return sharded([kept], 2, async (rig) => {
      const runs = await everywhere(rig);
      const storage = rig.far((fetch) => async (url, init) => {
        const response = await fetch(url, init);
        if (url.endsWith('/report') && (await rig.shards[0]?.status('0.some')) === 'SUCCEEDED') rig.broken.clear();
        return response;
      });
      const working = new ProcessEngine(kept, storage).work();
      await begun.promise;
      rig.broken.set(1, (verb) => (verb === 'report' ? away() : undefined));
      go.resolve();
      expect(await working).toMatchObject({ attempts: 2 });
      expect(bodies.toSorted()).toEqual(runs);
      expect(await rig.shards[1]?.status('1.some')).toBe('SUCCEEDED');
    });
  });
});

test('a shard that refuses a report or a worker speaks for itself', () =>
  sharded([one], 2, async (rig) => {
    await everywhere(rig);
    await register(rig);
    rig.broken.set(1, (verb) => {
      if (verb === 'fetch') throw new FuselineError('PROTOCOL_TOO_NEW', 'it is of a newer version');
    });
    const [first] = await fetchAll(rig);
    expect(first).toMatchObject({ run: '0.some' });
    expect((await rig.post('/workers/w/fetch', { held: [first.id] }, SECRET)).body.error.code).toBe('PROTOCOL_TOO_NEW');
    rig.broken.clear();
    const [second] = await fetchAll(rig, [first.id]);
    const report = (claim: string, secret: string) => ({ claim, secret, type: 'succeeded', value: 1 });
    const mixed = [report(second.id, first.secret), report(first.id, first.secret)];
    expect((await rig.post('/workers/w/report', { reports: mixed })).body.answers).toMatchObject([
      { status: 'refused', code: 'FORBIDDEN' },
      { status: 'recorded' },
    ]);
    expect((await rig.post('/workers/w/report', { reports: mixed.slice(0, 1) })).status).toBe(403);
    expect(await rig.shards[1]?.status('1.some')).toBe('RUNNING');
  }));

describe('a shard that gave a worker up', () => {
  test('is told of it by one that knows it, and by nobody of another one', () =>
    sharded([one], 3, async (rig) => {
      const runs = await everywhere(rig);
      await register(rig);
      await rig.shards[2]?.reap('w');
      expect((await rig.post('/workers/w/heartbeat', {}, { 'fuseline-secret': 'b'.repeat(32) })).status).toBe(403);
      expect((await rig.post('/workers/w/fetch', { run: runs[2] }, { 'fuseline-secret': 'b'.repeat(32) })).status).toBe(
        404,
      );
      expect(await fetchAll(rig)).toHaveLength(3);
      await rig.shards[1]?.reap('w');
      expect((await rig.post('/workers/w/heartbeat', {}, SECRET)).status).toBe(204);
      expect(await rig.shards[1]?.workers()).toMatchObject([{ id: 'w', queues: ['default'] }]);
      for (const shard of rig.shards) await shard.reap('w');
      expect((await rig.post('/workers/w/heartbeat', {}, SECRET)).status).toBe(404);
    }));

  test('is told the graph too that it has never had', () => {
    const other = workflow('other', ($) => $.step('of a worker', {}, () => 17));
    return sharded([one], 2, async (rig) => {
      const { hash, ...graph } = other.graph();
      rig.broken.set(1, away);
      await rig.post('/workers', { id: 'w', name: 'w', workflows: [{ graph }] }, SECRET);
      rig.broken.clear();
      expect((await rig.post('/workers/w/heartbeat', {}, SECRET)).status).toBe(204);
      expect(await rig.shards[1]?.workers()).toMatchObject([{ workflows: [{ graph: hash }] }]);
    });
  });

  test('takes nothing from it that others gave it', () => {
    const begun = deferred();
    const go = deferred();
    const attempts: string[] = [];
    const kept = workflow('one', ($) =>
      $.step('does', {}, async (_, { runId, attempt }) => {
        attempts.push(`${attempt} of ${runId}`);
        if (attempts.length === 2) begun.resolve();
        if (attempt === 1) await go.promise;
      }),
    );
    return sharded([kept], 2, async (rig) => {
      await everywhere(rig);
      const storage = rig.far();
      const engine = new ProcessEngine(kept, storage);
      const disowned: object[] = [];
      engine.on('disowned', (event) => disowned.push(event));
      const working = engine.work();
      await begun.promise;
      const [given] = (await rig.shards[1]?.workers()) ?? [];
      await rig.shards[1]?.reap(given?.id ?? '');
      go.resolve();
      await working;
      await new ProcessEngine(kept, storage).work('1.some');
      expect(disowned).toEqual([]);
      expect(attempts.filter((one) => one.endsWith('0.some'))).toEqual(['1 of 0.some']);
      expect(await rig.shards[1]?.status('1.some')).toBe('SUCCEEDED');
    });
  });
});
