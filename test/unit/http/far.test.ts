import { MemoryStorage, ProcessEngine, RunFailedError, type StandardSchema, typed, workflow } from 'fuseline';
import { describe, expect, test, vi } from 'vitest';
import { deferred, served } from './rig.ts';

const sum = workflow('sum', { input: typed<{ readonly a: number; readonly b: bigint }>() }, ($) => {
  const a = $.step('a', { input: $.input }, ({ input }) => new Date(input.a));
  const b = $.step('b', { input: $.input }, ({ input }) => input.b + 1n);
  return $.step('sum', { a, b }, ({ a, b }) => new Map([['both', `${a.getTime()} and ${b}`]]));
});

const chain = workflow('chain', ($) => {
  let last = $.step('step 0', {}, () => 0);
  for (let i = 1; i < 12; i++) last = $.step(`step ${i}`, { last }, ({ last }) => last + 1);
  return last;
});

const SECRET = 'a'.repeat(32);
const OTHER_SECRET = 'b'.repeat(32);
const proof = (secret = SECRET) => ({ 'fuseline-secret': secret });

describe('a storage far away', () => {
  test('dispatches, works and reads, with every value as it was', () =>
    served([sum], async ({ far }) => {
      const storage = far();
      const run = await sum.dispatch({ a: 5, b: 6n }, { storage, id: 'one', labels: { kind: 'test' } });
      const report = await new ProcessEngine(sum, storage).work(run.id);
      expect(report.attempts).toBe(3);
      expect(await run.result()).toEqual(new Map([['both', '5 and 7']]));
      expect(await storage.stepResult(run.id, 'a')).toEqual(new Date(5));
      expect((await storage.list({ labels: { kind: 'test' } })).runs).toMatchObject([
        { id: 'one', status: 'SUCCEEDED' },
      ]);
      expect(await sum.run({ a: 1, b: 1n }, { storage })).toEqual(new Map([['both', '1 and 2']]));
      await storage.remove(run.id);
      await expect(storage.get(run.id)).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
    }));

  test('commands a run, and hears of everything that happens to it', () =>
    served([chain], async ({ far, behind }) => {
      const storage = far();
      const run = await chain.dispatch(undefined, { storage });
      await run.pause();
      expect(await behind.status(run.id)).toBe('PAUSED');
      await run.signal('hello', new Map([[1, 2n]]));
      await run.resume();
      const heard: string[] = [];
      const hearing = (async () => {
        for await (const { type } of run.events()) heard.push(type);
      })();
      await new ProcessEngine(chain, behind).work(run.id);
      await hearing;
      expect(heard.slice(0, 5)).toEqual(['created', 'ready', 'pause', 'signal', 'resume']);
      expect(heard.at(-1)).toBe('ended');
      await expect(run.cancel()).rejects.toMatchObject({ code: 'RUN_FINISHED' });
      await run.enqueue('step 11', { id: 'again' });
      await run.enqueue('step 11', { id: 'again' });
      await run.cancel();
      await expect(run.result()).rejects.toBeInstanceOf(RunFailedError);
    }));

  test('of which the worker is cancelled in the middle of a step hears of it', () => {
    const begun = deferred();
    const endless = workflow('endless', ($) =>
      $.step('waits', {}, (_, { signal }) => {
        begun.resolve();
        return new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }),
    );
    return served([endless], async ({ far }) => {
      const storage = far();
      const run = await endless.dispatch(undefined, { storage });
      const working = new ProcessEngine(endless, storage).work(run.id);
      await begun.promise;
      await run.cancel();
      await working;
      expect(await run.status()).toBe('CANCELLED');
    });
  });

  test('refuses what the service does not have, and what its schema makes something else of', () => {
    const doubling: StandardSchema<number, number> = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: (value as number) * 2 }) },
    };
    const doubled = workflow('doubled', { input: doubling }, ($) => $.step('same', { n: $.input }, ({ n }) => n));
    return served([doubled], async ({ far }) => {
      const storage = far();
      await expect(chain.dispatch(undefined, { storage })).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
      await expect(doubled.dispatch(2, { storage })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      await doubled.dispatch(0, { storage });
    });
  });
});

describe('answers that are lost', () => {
  /** Loses, by turns, a request that was never made and the answer to one that was. */
  const losing = (every: number) => {
    let count = 0;
    return (fetch: (url: string, init: RequestInit) => Promise<Response>) => async (url: string, init: RequestInit) => {
      if (url.endsWith('/news')) return fetch(url, init);
      const turn = count++ % (every * 2);
      if (turn === 0) throw new TypeError('the request was lost');
      const response = await fetch(url, init);
      if (turn === every) throw new TypeError('the answer was lost');
      return response;
    };
  };

  test.each([2, 3, 5])('one of %i: nothing is done twice, and nothing is left undone', (every) => {
    const bodies: string[] = [];
    const counted = workflow('counted', ($) => {
      const first = $.step('first', {}, () => void bodies.push('first'));
      const sides = Array.from({ length: 6 }, (_, i) =>
        $.step(`side ${i}`, { first }, async (_, { once }) => {
          bodies.push(`side ${i}`);
          await once('paid', () => bodies.push(`once ${i}`));
        }),
      );
      return $.step('last', {}, () => void bodies.push('last'), { after: sides });
    });
    return served([counted], async ({ far, behind }) => {
      const storage = far(losing(every));
      const run = await counted.dispatch(undefined, { storage });
      await new ProcessEngine(counted, storage).work(run.id);
      expect((await behind.list()).runs).toHaveLength(1);
      const { steps, status } = await behind.get(run.id);
      expect(status).toBe('SUCCEEDED');
      expect(steps.map(({ attempt }) => attempt)).toEqual(steps.map(() => 1));
      expect(bodies.toSorted()).toEqual([...new Set(bodies)].sort());
      expect(bodies).toHaveLength(14);
      let ends = 0;
      for await (const { type } of behind.history(run.id)) if (type === 'succeeded') ends++;
      expect(ends).toBe(8);
      expect(await behind.workers()).toMatchObject([{}]);
    });
  });

  test('a look whose answer comes late, after claims that were made since, takes nothing from the worker', () => {
    const [looking, begun, told] = [deferred(), deferred(), deferred()];
    const pair = workflow('pair', ($) => {
      const first = $.step('first', {}, () => looking.promise);
      return $.step('second', { first }, async (_, { signal }) => {
        begun.resolve();
        await told.promise;
        return signal.aborted;
      });
    });
    return served([pair], async ({ far }) => {
      const storage = far((fetch) => async (url, init) => {
        const response = await fetch(url, init);
        if (!url.endsWith('/scan')) return response;
        looking.resolve();
        await begun.promise;
        return response;
      });
      const run = await pair.dispatch(undefined, { storage });
      storage.listen(run.id, () => setTimeout(told.resolve));
      expect((await new ProcessEngine(pair, storage).work(run.id)).attempts).toBe(2);
      expect(await run.result()).toBe(false);
    });
  });

  test('a worker that loses its connection finishes its step, and reports when it is back', () => {
    const away = deferred();
    const begun = deferred();
    const held = workflow('held', ($) =>
      $.step('waits', {}, async () => {
        begun.resolve();
        await away.promise;
        return 'done meanwhile';
      }),
    );
    let isAway = false;
    const refusals: string[] = [];
    return served([held], async ({ far, behind }) => {
      const storage = far((fetch) => (url, init) => {
        if (!isAway) return fetch(url, init);
        refusals.push(url);
        if (refusals.filter((one) => one.endsWith('/report')).length === 3) isAway = false;
        return Promise.reject(new TypeError('there is no connection'));
      });
      const run = await held.dispatch(undefined, { storage });
      const working = new ProcessEngine(held, storage).work(run.id);
      await begun.promise;
      isAway = true;
      away.resolve();
      await working;
      expect(await behind.result(run.id)).toBe('done meanwhile');
      expect((await behind.get(run.id)).steps).toMatchObject([{ attempt: 1 }]);
    });
  });

  test('a run that was removed already when it is asked for again is removed, and no other that is not there', () =>
    served([chain], async ({ far, behind }) => {
      const run = await chain.dispatch(undefined, { storage: behind });
      await new ProcessEngine(chain, behind).work(run.id);
      const deleted: number[] = [];
      const storage = far((fetch) => async (url, init) => {
        const response = await fetch(url, init);
        deleted.push(response.status);
        if (deleted.length === 1) throw new TypeError('the answer was lost');
        return response;
      });
      await storage.remove(run.id);
      expect(deleted).toEqual([204, 404]);
      await expect(storage.remove(run.id)).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
    }));

  test('a history that is watched is whole, and in order', () =>
    served([chain], async ({ far, behind }) => {
      const storage = far(losing(2));
      const run = await chain.dispatch(undefined, { storage });
      const heard: object[] = [];
      const hearing = (async () => {
        for await (const event of run.events()) heard.push(event);
      })();
      await new ProcessEngine(chain, behind).work(run.id);
      await hearing;
      const all: object[] = [];
      for await (const event of behind.history(run.id)) all.push(event);
      expect(heard).toEqual(all);
    }));

  test('a worker that is stopped while its service is away waits to report, until its storage is closed', () => {
    const held = workflow('held', ($) => $.step('ends', {}, () => 'at once'));
    let isAway = false;
    return served([held], async ({ far }) => {
      const reporting = deferred();
      const storage = far((fetch) => (url, init) => {
        isAway ||= url.endsWith('/report');
        if (!isAway) return fetch(url, init);
        reporting.resolve();
        return Promise.reject(new TypeError('there is no connection'));
      });
      await held.dispatch(undefined, { storage });
      const engine = new ProcessEngine(held, storage);
      const errors: unknown[] = [];
      engine.on('error', ({ error }) => errors.push(error));
      await engine.start();
      await reporting.promise;
      const stopped = engine.stop();
      await storage.close();
      await stopped;
      expect(errors).toContainEqual(expect.objectContaining({ code: 'STORAGE_CLOSED' }));
    });
  });

  test('a worker that was given up meanwhile is told that its step is stale, and goes on as a new one', () => {
    const attempts: number[] = [];
    const gate = deferred();
    const begun = deferred();
    const held = workflow('held', ($) =>
      $.step('waits', {}, async (_, { attempt }) => {
        attempts.push(attempt);
        begun.resolve();
        if (attempt === 1) await gate.promise;
        return `attempt ${attempt}`;
      }),
    );
    return served([held], async ({ far, behind }) => {
      const storage = far();
      const engine = new ProcessEngine(held, storage, { name: 'far' });
      const stale: object[] = [];
      engine.on('stale', (event) => stale.push(event));
      const run = await held.dispatch(undefined, { storage });
      await engine.start();
      await begun.promise;
      const given = (await behind.workers()).find(({ name }) => name === 'far')?.id as string;
      expect(await behind.reap(given)).toBe('reaped');
      gate.resolve();
      expect(await run.result()).toBe('attempt 2');
      await engine.stop();
      expect(attempts).toEqual([1, 2]);
    });
  });

  test('an address where no service is, and a storage that was closed, are said to be', () =>
    served([chain], async ({ far }) => {
      const storage = far(() => async () => new Response('<html>bad gateway</html>', { status: 418 }));
      await expect(storage.status('some')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await storage.close();
      await expect(storage.status('some')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    }));
});

describe('a worker in any language', () => {
  const register = (id = 'worker-1', secret = SECRET) =>
    [{ id, name: 'other', workflows: [{ hash: chain.graph().hash }] }, proof(secret)] as const;

  test('registers, fetches, reports and leaves', () =>
    served([chain], async ({ post, behind, fetch }) => {
      const { id: run } = (await post('/workflows/chain/runs', {})).body;
      expect((await post('/workers', ...register())).body).toMatchObject({ beatMs: 10_000, silenceMs: 30_000 });
      const shown = await (await fetch('http://localhost/workers', {})).json();
      expect(shown).toMatchObject({ workers: expect.arrayContaining([expect.objectContaining({ id: 'worker-1' })]) });
      expect(JSON.stringify(shown)).not.toContain('proof');
      const ask = (path: string, body: object) => post(`/workers/worker-1/${path}`, body, proof());
      for (let value = 0; value < 12; value++) {
        const { claims } = (await ask('fetch', { waitMs: 5_000 })).body;
        expect(claims).toMatchObject([{ run, attempt: 1, spec: { name: `step ${value}` } }]);
        if (value > 0) expect(claims[0].needs[0][1]).toEqual({ kind: 'value', stored: String(value - 1) });
        const { id: claim, secret } = claims[0];
        const reports = [{ claim, secret, type: 'succeeded', value }];
        expect((await ask('report', { reports })).body.answers).toMatchObject([{ status: 'recorded' }]);
        expect((await ask('report', { reports })).body.answers).toMatchObject([{ status: 'duplicate' }]);
      }
      expect(await behind.result(run)).toBe(11);
      expect((await ask('heartbeat', {})).status).toBe(204);
      expect((await fetch('http://localhost/workers/worker-1', { method: 'DELETE', headers: proof() })).status).toBe(
        204,
      );
      expect(await ask('heartbeat', {})).toMatchObject({ status: 404, body: { error: { code: 'UNKNOWN_WORKER' } } });
    }));

  test('waits for work, is given what it lost the answer to, and nothing above its limit', () =>
    served([chain], async ({ post }) => {
      await post('/workers', ...register());
      const fetching = post('/workers/worker-1/fetch', { waitMs: 20_000, limit: 2 }, proof());
      await post('/workflows/chain/runs', { id: 'one' });
      const { claims } = (await fetching).body;
      expect(claims).toMatchObject([{ run: 'one' }]);
      await post('/workflows/chain/runs', { id: 'two' });
      await post('/workflows/chain/runs', { id: 'three' });
      const lost = (await post('/workers/worker-1/fetch', { limit: 1, held: [claims[0].id] }, proof())).body.claims;
      expect(lost).toMatchObject([{ run: expect.stringMatching(/two|three/) }]);
      const again = (await post('/workers/worker-1/fetch', { limit: 1, held: [claims[0].id] }, proof())).body.claims;
      expect(again).toEqual(lost);
    }));

  test('is given another run if somebody else takes the one it was about to be given', () =>
    served([chain], async ({ post, behind }) => {
      const workers = ['w-1', 'w-2'];
      for (const id of workers) {
        await post('/workers', { id, name: id, workflows: [{ hash: chain.graph().hash }] }, proof());
        await post('/workflows/chain/runs', {});
      }
      const both = deferred();
      let asked = 0;
      vi.spyOn(behind, 'claim').mockImplementation(async (...request) => {
        if (++asked === workers.length) both.resolve();
        await both.promise;
        return MemoryStorage.prototype.claim.apply(behind, request);
      });
      const fetched = await Promise.all(workers.map((id) => post(`/workers/${id}/fetch`, {}, proof())));
      expect(new Set(fetched.flatMap(({ body }) => body.claims).map(({ run }) => run)).size).toBe(workers.length);
    }));

  test('cannot speak for another one, nor report on what another one was given', () =>
    served([chain], async ({ post, behind }) => {
      const { id: run } = (await post('/workflows/chain/runs', {})).body;
      await post('/workers', ...register());
      await post('/workers', ...register('worker-2', OTHER_SECRET));
      const { id: claim, secret } = (await post('/workers/worker-1/fetch', {}, proof())).body.claims[0];
      const forbidden = { status: 403, body: { error: { code: 'FORBIDDEN' } } };
      for (const path of ['fetch', 'heartbeat'])
        expect(await post(`/workers/worker-1/${path}`, {}, proof(OTHER_SECRET))).toMatchObject(forbidden);
      expect(await post('/workers', ...register('worker-1', OTHER_SECRET))).toMatchObject(forbidden);
      const report = (worker: string, secret: string) =>
        post(`/workers/${worker}/report`, { reports: [{ claim, secret, type: 'succeeded', value: 17 }] });
      await post('/workflows/chain/runs', { id: 'other' });
      const other = (await post('/workers/worker-2/fetch', {}, proof(OTHER_SECRET))).body.claims[0];
      expect(await report('worker-1', other.secret)).toMatchObject(forbidden);
      expect(await report('worker-2', secret)).toMatchObject(forbidden);
      expect(await report('worker-2', other.secret)).toMatchObject(forbidden);
      expect((await behind.get(run)).steps[0]).toMatchObject({ status: 'RUNNING' });
      expect((await report('worker-1', secret)).body.answers).toMatchObject([{ status: 'recorded' }]);
    }));

  test('has a workflow run by its graph and an input, and nothing that nobody knows', () => {
    const kid = workflow('kid', { input: typed<{ readonly n: number }>() }, ($) =>
      $.step('more', { given: $.input }, ({ given }) => given.n + 1),
    );
    const calling = workflow('calling', ($) => $.run('it', kid, { n: $.step('n', {}, () => 1) }));
    return served([calling, kid], async ({ post, behind }) => {
      const workflows = [{ hash: calling.graph().hash }, { hash: kid.graph().hash }];
      await post('/workers', { id: 'w', name: 'w', workflows }, proof());
      await post('/workflows/calling/runs', { id: 'top' });
      const report = async (what: object) => {
        const { claims } = (await post('/workers/w/fetch', {}, proof())).body;
        const [{ id: claim, secret, run }] = claims;
        const { answers } = (await post('/workers/w/report', { reports: [{ claim, secret, ...what }] })).body;
        return { run, answer: answers[0] };
      };
      await report({ type: 'succeeded', value: 1 });
      const labels = { by: 'hand' };
      const unknown = await report({ type: 'called', graph: 'unknown', value: { n: 1 } });
      expect(unknown.answer).toMatchObject({ status: 'refused', code: 'UNKNOWN_WORKFLOW' });
      await report({ type: 'called', graph: kid.graph().hash, labels, value: { n: 1 } });
      const { run } = await report({ type: 'succeeded', value: 2 });
      expect(await behind.get(run)).toMatchObject({ workflow: 'kid', labels, parent: { run: 'top', step: 'it' } });
      await post('/workers/w/fetch', {}, proof());
      expect(await behind.result('top')).toBe(2);
    });
  });

  test('that was given up is told that its report is stale', () =>
    served([chain], async ({ post, behind }) => {
      await post('/workflows/chain/runs', {});
      await post('/workers', ...register());
      const { id: claim, secret } = (await post('/workers/worker-1/fetch', {}, proof())).body.claims[0];
      await behind.reap('worker-1');
      expect(await post('/workers/worker-1/fetch', {}, proof())).toMatchObject({ status: 404 });
      const { answers } = (
        await post('/workers/worker-1/report', {
          reports: [
            { claim, secret, type: 'released' },
            { claim, secret, type: 'failed', error: { name: 'Error', message: 'late' } },
          ],
        })
      ).body;
      expect(answers).toMatchObject([{ status: 'recorded' }, { status: 'stale' }]);
    }));
});

test('rows that are nobody’s business are not read', () =>
  served([chain], async ({ post }) => {
    await post('/workers', { id: 'w', name: 'w', workflows: [{ hash: chain.graph().hash }] }, proof());
    await post('/workflows/chain/runs', {});
    await post('/workers/w/fetch', {}, proof());
    for (const key of ['secret/claims', 'removed/1', 'head', ' head/x'])
      expect(await post('/rows/read', { keys: [key] })).toMatchObject({ status: 400 });
    for (const [from, to] of [
      ['ready/', 'session0'],
      ['secret/', 'secret0'],
      ['head/', 'secret0'],
    ])
      expect(await post('/rows/scan', { ranges: [{ from, to }] })).toMatchObject({ status: 400 });
    expect((await post('/rows/scan', { ranges: [{ from: 'ready/', to: 'ready0' }] })).body.pages).toHaveLength(1);
    const { pages } = (await post('/rows/scan', { ranges: [{ from: 'session/', to: 'session0' }] })).body;
    const { rows } = (await post('/rows/read', { keys: ['session/w'] })).body;
    for (const { value } of [...pages[0].rows, ...rows]) expect(JSON.parse(value)).not.toHaveProperty('proof');
    expect(rows[0].value).toContain('"name":"w"');
  }));
