import { MemoryStorage, MemoryStore, ProcessEngine, RuntimeStorage, type Store, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { webHost } from '../../../src/adapters/host.ts';
import { runsApp } from '../../../src/http/app.ts';
import { eventStream } from '../../../src/http/event-stream.ts';
import type { RunService } from '../../../src/http/run-service.ts';
import { serviceOf } from '../../../src/http/service-of.ts';

const forked = workflow('forked', ($) => {
  const first = $.step('first', {}, () => 1);
  const left = $.step('left', { first }, ({ first }) => first + 1);
  const right = $.step('right', { first }, ({ first }) => first + 2);
  return $.step('last', { left, right }, ({ left, right }) => left + right);
});

interface Told {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

function house() {
  const storage = new MemoryStorage();
  const service = serviceOf([forked], storage);
  const app = runsApp({ service: () => service, workflows: [forked] });
  const ask = (path: string, lastId?: string): Promise<Response> =>
    Promise.resolve(
      app.request(`http://localhost${path}`, lastId === undefined ? {} : { headers: { 'last-event-id': lastId } }),
    );
  const dispatch = (id: string) => forked.dispatch(undefined, { storage, id });
  return {
    storage,
    service,
    ask,
    dispatch,
    async ended(id: string) {
      await dispatch(id);
      await new ProcessEngine(forked, storage).work(id);
      const events = [];
      for await (const event of storage.history(id)) events.push(event);
      return events;
    },
  };
}

/** What a stream tells, up to so many events if it is cut there. */
async function told(response: Response, most = Number.POSITIVE_INFINITY): Promise<readonly Told[]> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const found: Told[] = [];
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return found;
    rest += decoder.decode(value, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
      if (fields.data === undefined) continue;
      found.push({ ...fields, data: JSON.parse(fields.data) });
      if (found.length < most) continue;
      await reader.cancel();
      return found;
    }
  }
}

const dataOf = (events: readonly Told[]): readonly unknown[] => events.map(({ data }) => data);

test('a stream that is cut behind any event and resumed there loses none and doubles none', async () => {
  const { ask, ended } = house();
  const all = await ended('run');
  // Several events of one entry, so that some cuts are in the middle of one.
  expect(all.some(({ index }) => index > 0)).toBe(true);
  for (let cut = 1; cut < all.length; cut++) {
    const before = await told(await ask('/runs/run/events'), cut);
    const after = await told(await ask('/runs/run/events', before.at(-1)?.id));
    expect(dataOf([...before, ...after])).toEqual(all);
  }
});

test('a stream tells of a run while it is worked on, and ends with it', async () => {
  const { storage, ask, dispatch } = house();
  await dispatch('run');
  const response = await ask('/runs/run/events');
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const telling = told(response);
  await new ProcessEngine(forked, storage).work('run');
  const events = [];
  for await (const event of storage.history('run')) events.push(event);
  expect(dataOf(await telling)).toEqual(events);
});

test('where nothing more will come, a stream that is resumed is not there', async () => {
  const { ask, ended } = house();
  await ended('run');
  const last = (await told(await ask('/runs/run/events'))).at(-1);
  expect((await ask('/runs/run/events', last?.id)).status).toBe(204);
});

test('a stream of a run that there is not, or behind what is no place, is refused', async () => {
  const { ask, ended } = house();
  expect((await ask('/runs/run/events')).status).toBe(404);
  await ended('run');
  for (const id of ['17', '1.', 'first', '-1.0']) expect((await ask('/runs/run/events', id)).status).toBe(400);
});

test('a stream with nothing to tell says that it lives, and asks for nothing once its reader is gone', async () => {
  const { service, dispatch } = house();
  await dispatch('run');
  let asked = 0;
  const counting: RunService = {
    ...service,
    history: (run, page) => {
      asked++;
      return service.history(run, { ...page, waitMs: Math.min(page.waitMs, 1) });
    },
  };
  const reader = ((await eventStream(counting, 'run', undefined)).body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const quiet = await reader.read();
  expect(new TextDecoder().decode(quiet.value)).toMatch(/^: /);
  await reader.cancel();
  const until = asked;
  // A look that was under way when the reader went is the last.
  await service.history('run', { from: 100, limit: 1, waitMs: 20 });
  expect(asked).toBe(until);
});

test('a stream whose run is removed says so, and ends', async () => {
  const { service, ended } = house();
  await ended('run');
  const short: RunService = {
    ...service,
    history: async (run, page) => ({ ...(await service.history(run, { ...page, limit: 1 })), status: 'RUNNING' }),
  };
  const stream = await eventStream(short, 'run', undefined);
  await service.remove('run');
  expect((await told(stream)).at(-1)).toMatchObject({ event: 'error', data: { error: { code: 'UNKNOWN_RUN' } } });
});

test('who waits for more of a history has it as soon as it is there', { timeout: 5000 }, async () => {
  const { storage, service, dispatch } = house();
  await dispatch('run');
  const { events } = await service.history('run', { from: 0, limit: 100, waitMs: 0 });
  const more = service.history('run', { from: (events.at(-1)?.seq ?? 0) + 1, limit: 100, waitMs: 25_000 });
  await storage.pause('run');
  expect((await more).events).toMatchObject([{ seq: 1 }]);
});

test('who waits for a result has it although nobody was told of the end', { timeout: 5000 }, async () => {
  const rows = new MemoryStore();
  const deaf: Store = {
    lookMs: 20,
    limits: rows.limits,
    read: (keys) => rows.read(keys),
    scan: (range) => rows.scan(range),
    commit: (batch) => rows.commit(batch),
    watch: () => () => undefined,
    close: () => rows.close(),
  };
  const elsewhere = new RuntimeStorage({ store: rows.reopen(), host: webHost });
  await forked.dispatch(undefined, { storage: elsewhere, id: 'run' });
  const service = serviceOf([forked], new RuntimeStorage({ store: deaf, host: webHost }));
  const result = service.result('run', 25_000);
  expect(await service.result('run', 1)).toEqual({ status: 'PENDING' });
  await new ProcessEngine(forked, elsewhere).work('run');
  expect(await result).toEqual({ status: 'SUCCEEDED', value: '5' });
});
