import {
  FuselineError,
  type LiveRun,
  type LiveRuns,
  liveRun,
  liveRuns,
  MemoryStore,
  RuntimeStorage,
  type RunView,
  workflow,
} from 'fuseline';
import { expect, test } from 'vitest';
import { share } from '../../src/core/share.ts';
import { Rig } from './semantics/rig.ts';

const pair = workflow('pair', ($) => {
  const first = $.step('first', {}, () => 1);
  return $.step('second', { first }, ({ first }) => first + 1);
});

/** Longer than a frame, shorter than the look that needs no hint. */
const SOON_MS = 100;

function stepsOf(snapshot: LiveRun): Readonly<Record<string, string>> {
  if (snapshot.status !== 'ready') throw new Error(`the run is ${snapshot.status}`);
  return Object.fromEntries(snapshot.run.steps.map(({ name, status }) => [name, status]));
}

function idsOf(snapshot: LiveRuns): readonly string[] {
  if (snapshot.status !== 'ready') throw new Error(`the list is ${snapshot.status}`);
  return snapshot.runs.map(({ id }) => id);
}

test('a live run is loading, then ready, and changes with the run', async () => {
  const rig = new Rig();
  await rig.dispatch(pair, undefined);
  const live = liveRun(rig.storage, 'run');
  expect(live.getSnapshot()).toEqual({ status: 'loading' });
  const stop = live.subscribe(() => undefined);
  await rig.host.advance(0);
  expect(stepsOf(live.getSnapshot())).toEqual({ first: 'PENDING', second: 'PENDING' });
  await rig.work(pair, 'run');
  await rig.host.advance(SOON_MS);
  expect(live.getSnapshot()).toEqual({ status: 'ready', run: await rig.storage.get('run') });
  expect(stepsOf(live.getSnapshot())).toEqual({ first: 'SUCCEEDED', second: 'SUCCEEDED' });
  stop();
});

test('a live run changes with what another process does, and with a step it cannot run', async () => {
  const rig = new Rig();
  const elsewhere = rig.open();
  const live = liveRun(elsewhere, 'run');
  const stop = live.subscribe(() => undefined);
  await rig.dispatch(pair, undefined);
  await rig.host.advance(SOON_MS);
  expect(live.getSnapshot()).toMatchObject({ run: { stranded: [{ step: 'first' }] } });
  const engine = rig.engine(pair);
  await engine.start();
  await rig.host.advance(SOON_MS);
  expect(stepsOf(live.getSnapshot())).toEqual({ first: 'SUCCEEDED', second: 'SUCCEEDED' });
  expect(live.getSnapshot()).toMatchObject({ run: { stranded: [] } });
  stop();
  await engine.stop();
});

test('a run may be made, rerun, removed and made again while it is live, by anybody', async () => {
  const rig = new Rig();
  const others = rig.open();
  for (const storage of [rig.storage, others]) {
    const live = liveRun(storage, 'run');
    const stop = live.subscribe(() => undefined);
    await rig.host.advance(SOON_MS);
    expect(live.getSnapshot()).toEqual({ status: 'missing' });
    for (const turn of ['first', 'second']) {
      await rig.end(pair);
      await rig.host.advance(SOON_MS);
      expect(live.getSnapshot(), turn).toMatchObject({ run: { status: 'SUCCEEDED' } });
      await rig.storage.enqueue('run', 'second');
      await rig.host.advance(SOON_MS);
      expect(stepsOf(live.getSnapshot()), turn).toEqual({ first: 'SUCCEEDED', second: 'PENDING' });
      await rig.work(pair, 'run');
      await rig.host.advance(SOON_MS);
      await rig.storage.remove('run');
      await rig.host.advance(SOON_MS);
      expect(live.getSnapshot(), turn).toEqual({ status: 'missing' });
    }
    stop();
  }
});

test('what this process does is live where the store tells it nothing of that', async () => {
  const rig = new Rig();
  const store = new MemoryStore();
  store.watch = () => () => undefined;
  const storage = new RuntimeStorage({ store, host: rig.host });
  const run = liveRun(storage, 'run');
  const runs = liveRuns(storage);
  const stops = [run, runs].map((live) => live.subscribe(() => undefined));
  await rig.host.advance(SOON_MS);
  for (const turn of ['first', 'second']) {
    await pair.dispatch(undefined, { storage, id: 'run' });
    await rig.host.until(rig.engine(pair, {}, storage).work('run'));
    await storage.enqueue('run', 'second');
    await rig.host.advance(SOON_MS);
    expect(stepsOf(run.getSnapshot()), turn).toEqual({ first: 'SUCCEEDED', second: 'PENDING' });
    await storage.signal('run', 'news', 1);
    await rig.host.advance(SOON_MS);
    expect(run.getSnapshot(), turn).toMatchObject({ run: { signals: [{ name: 'news' }] } });
    await storage.cancel('run');
    await rig.host.advance(SOON_MS);
    expect(runs.getSnapshot(), turn).toMatchObject({ runs: [{ status: 'CANCELLED' }] });
    await storage.remove('run');
    await rig.host.advance(SOON_MS);
    expect([run.getSnapshot(), runs.getSnapshot()], turn).toEqual([
      { status: 'missing' },
      { status: 'ready', runs: [] },
    ]);
  }
  for (const stop of stops) stop();
});

test('a step is no longer stranded once a worker for it is known, before that does anything', async () => {
  const rig = new Rig();
  await rig.dispatch(pair, undefined);
  const live = liveRun(rig.storage, 'run');
  const stop = live.subscribe(() => undefined);
  await rig.host.advance(SOON_MS);
  expect(live.getSnapshot()).toMatchObject({ run: { stranded: [{ step: 'first' }] } });
  await rig.open().register('w', { name: 'w', definitions: [pair], queues: ['default'] });
  await rig.host.advance(SOON_MS);
  expect(live.getSnapshot()).toMatchObject({ run: { stranded: [] } });
  stop();
});

test('a look that fails is made again, and the same failure is no news', async () => {
  const rig = new Rig();
  const store = rig.store.reopen();
  const { read } = store;
  store.read = async () => {
    throw new FuselineError('STORAGE_FAILED', 'the disk is away');
  };
  await rig.dispatch(pair, undefined);
  const live = liveRun(new RuntimeStorage({ store, host: rig.host }), 'run');
  const heard: string[] = [];
  const stop = live.subscribe(() => heard.push(live.getSnapshot().status));
  await rig.host.advance(5000);
  expect(live.getSnapshot()).toMatchObject({ status: 'failed', error: { message: 'the disk is away' } });
  store.read = read;
  await rig.host.advance(1000);
  expect(heard).toEqual(['failed', 'ready']);
  stop();
});

test('what has not changed is the same object', async () => {
  const rig = new Rig();
  await rig.dispatch(pair, undefined);
  const live = liveRun(rig.storage, 'run');
  const snapshots: LiveRun[] = [];
  const stop = live.subscribe(() => snapshots.push(live.getSnapshot()));
  await rig.host.advance(SOON_MS);
  const [before] = snapshots;
  // Looked at again and again meanwhile, and read anew by a cold cache.
  await rig.host.advance(10_000);
  expect(live.getSnapshot()).toBe(before);
  expect(snapshots.length).toBe(1);
  await rig.storage.pause('run');
  await rig.host.advance(SOON_MS);
  const after = snapshots.at(-1);
  if (before?.status !== 'ready' || after?.status !== 'ready') throw new Error('the run is not ready');
  expect(after.run).not.toBe(before.run);
  expect(after.run.status).toBe('PAUSED');
  expect(after.run.steps).toBe(before.run.steps);
  await rig.storage.resume('run');
  await rig.work(pair, 'run');
  await rig.storage.enqueue('run', 'second');
  await rig.host.advance(SOON_MS);
  const later = live.getSnapshot();
  await rig.work(pair, 'run');
  await rig.host.advance(SOON_MS);
  const last = live.getSnapshot();
  if (later.status !== 'ready' || last.status !== 'ready') throw new Error('the run is not ready');
  expect(last.run.steps[0]).toBe(later.run.steps[0]);
  expect(last.run.steps[1]).not.toBe(later.run.steps[1]);
  stop();
});

test('there is at most one notification in a frame, and the last change is never missed', async () => {
  const rig = new Rig();
  await rig.dispatch(pair, undefined);
  const live = liveRun(rig.storage, 'run');
  const times: number[] = [];
  const stop = live.subscribe(() => times.push(rig.host.now()));
  for (let i = 0; i < 200; i++) {
    await rig.storage.signal('run', 'news', i);
    await rig.host.advance(1);
  }
  await rig.host.advance(16);
  expect(live.getSnapshot()).toMatchObject({ run: { signals: { length: 200 } } });
  const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
  expect(gaps.length).toBeGreaterThan(10);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(16);
  stop();
});

test('nothing runs while nobody subscribes', async () => {
  const rig = new Rig();
  await rig.dispatch(pair, undefined);
  const { host } = rig;
  const { after } = host;
  let armed = 0;
  host.after = (ms, callback) => {
    armed++;
    return after.call(host, ms, callback);
  };
  const live = liveRun(rig.storage, 'run');
  await host.advance(5000);
  expect(armed).toBe(0);
  const stops = [live.subscribe(() => undefined), live.subscribe(() => undefined)];
  await host.advance(5000);
  expect(armed).toBeGreaterThan(0);
  stops[0]?.();
  await host.advance(5000);
  const stillArmed = armed;
  stops[1]?.();
  const before = live.getSnapshot();
  await rig.work(pair, 'run');
  armed = 0;
  await host.advance(5000);
  expect(stillArmed).toBeGreaterThan(0);
  expect(armed).toBe(0);
  expect(live.getSnapshot()).toBe(before);
  // Who comes later is told what happened meanwhile.
  const heard: LiveRun[] = [];
  const stop = live.subscribe(() => heard.push(live.getSnapshot()));
  await host.advance(0);
  expect(heard.map(stepsOf)).toEqual([{ first: 'SUCCEEDED', second: 'SUCCEEDED' }]);
  stop();
});

test('a listener added twice is called twice', async () => {
  const rig = new Rig();
  const live = liveRun(rig.storage, 'run');
  let calls = 0;
  const listener = () => calls++;
  const stops = [listener, listener].map((one) => live.subscribe(one));
  await rig.host.advance(SOON_MS);
  expect(calls).toBe(2);
  stops[0]?.();
  await rig.dispatch(pair, undefined);
  await rig.host.advance(SOON_MS);
  expect(calls).toBe(3);
  stops[1]?.();
  await rig.storage.pause('run');
  await rig.host.advance(SOON_MS);
  expect(calls).toBe(3);
});

test('of a storage that is closed, and of an id that cannot be one, the error is the last snapshot', async () => {
  const rig = new Rig();
  const storage = rig.open();
  await rig.dispatch(pair, undefined);
  const run = liveRun(storage, 'run');
  const runs = liveRuns(storage);
  const wrong = liveRun(storage, 'not an id');
  const stops = [run, runs, wrong].map((live) => live.subscribe(() => undefined));
  await rig.host.advance(SOON_MS);
  expect(wrong.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'INVALID_ID' } });
  await storage.close();
  await rig.host.advance(1100);
  for (const live of [run, runs]) {
    const snapshot = live.getSnapshot() as { readonly status: string; readonly error: FuselineError };
    expect(snapshot).toMatchObject({ status: 'failed', error: { code: 'STORAGE_CLOSED' } });
    await rig.host.advance(5000);
    expect(live.getSnapshot()).toBe(snapshot);
  }
  for (const stop of stops) stop();
});

test('live runs are a page of the list, and an unchanged run is the same object when others come', async () => {
  const rig = new Rig();
  const live = liveRuns(rig.storage, { limit: 2, workflow: 'pair' });
  const stop = live.subscribe(() => undefined);
  await rig.host.advance(SOON_MS);
  expect(live.getSnapshot()).toEqual({ status: 'ready', runs: [] });
  await rig.dispatch(pair, undefined, 'a');
  await rig.host.advance(SOON_MS);
  const before = live.getSnapshot();
  await rig.dispatch(pair, undefined, 'b');
  await rig.host.advance(SOON_MS);
  const after = live.getSnapshot();
  expect(idsOf(after)).toEqual(['b', 'a']);
  if (before.status !== 'ready' || after.status !== 'ready') throw new Error('the list is not ready');
  expect(after.runs[1]).toBe(before.runs[0]);
  expect(after.cursor).toBeUndefined();
  await rig.dispatch(pair, undefined, 'c');
  await rig.host.advance(SOON_MS);
  const full = live.getSnapshot();
  expect(idsOf(full)).toEqual(['c', 'b']);
  if (full.status !== 'ready' || full.cursor === undefined) throw new Error('there is no second page');
  const second = liveRuns(rig.storage, { limit: 2, workflow: 'pair', cursor: full.cursor });
  const stopSecond = second.subscribe(() => undefined);
  await rig.work(pair);
  await rig.host.advance(SOON_MS);
  expect(second.getSnapshot()).toMatchObject({ runs: [{ id: 'a', status: 'SUCCEEDED' }] });
  await rig.storage.remove('c');
  await rig.host.advance(SOON_MS);
  expect(idsOf(live.getSnapshot())).toEqual(['b', 'a']);
  stop();
  stopSecond();
});

test('a run can be viewed as it was after every entry of its journal', async () => {
  const rig = new Rig();
  const handle = await rig.dispatch(pair, undefined);
  const seen: { readonly seq: number; readonly view: RunView }[] = [];
  const acts = [
    () => handle.pause(),
    () => handle.resume(),
    () => rig.work(pair, 'run'),
    () => handle.enqueue('second'),
    () => handle.signal('late', { big: 'x'.repeat(10_000) }),
    () => handle.cancel(),
  ];
  for (const act of [() => undefined, ...acts]) {
    await act();
    const seq = (await rig.storage.peek('run', (state) => state.seq)) ?? -1;
    seen.push({ seq, view: await handle.get() });
    await rig.host.advance(10);
  }
  expect(seen.map(({ view }) => view.status)).toEqual([
    ...['PENDING', 'PAUSED', 'PENDING', 'SUCCEEDED', 'RUNNING', 'RUNNING', 'CANCELLED'],
  ]);
  const elsewhere = rig.open();
  for (const { seq, view } of seen) {
    expect(await elsewhere.viewAt('run', seq), `after entry ${seq}`).toEqual({ ...view, stranded: [] });
  }
  const last = seen.at(-1)?.seq ?? -1;
  for (const seq of [-1, 0.5, last + 1, Number.NaN])
    await expect(elsewhere.viewAt('run', seq)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(elsewhere.viewAt('another', 0)).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
});

test('what is equal is shared, whatever its keys are called, and what is not is not', () => {
  const error = new Error('x');
  const known = { a: [{ b: 1 }, { c: [2] }], d: { e: undefined }, f: error };
  const own = JSON.parse('{"__proto__": 1}');
  expect(share(known, { a: [{ b: 1 }, { c: [2] }], d: { e: undefined }, f: error })).toBe(known);
  const changed = share(known, { a: [{ b: 1 }, { c: [3] }], d: { e: undefined }, f: error });
  expect(changed).toEqual({ a: [{ b: 1 }, { c: [3] }], d: { e: undefined }, f: error });
  expect(changed.a[0]).toBe(known.a[0]);
  expect(changed.d).toBe(known.d);
  for (const [one, other] of [
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ a: 1, b: undefined }, { a: 1 }],
    [[1, 2], [1]],
    [[1], { 0: 1 }],
    [own, {}],
    [{}, own],
    [null, {}],
    [{ a: error }, { a: new Error('x') }],
  ]) {
    expect(share(one, other)).not.toBe(one);
    expect(share(one, other)).toStrictEqual(other);
  }
  expect(share(own, JSON.parse('{"__proto__": 1}'))).toBe(own);
});
