import {
  type Batch,
  type CommitResult,
  type EngineOptions,
  type Entry,
  FuselineError,
  MemoryStore,
  type ProcessEngine,
  type Range,
  RuntimeStorage,
  type Workflow,
  workflow,
} from 'fuseline';
import { describe, expect, test } from 'vitest';
import { gate, nothing, Rig } from './rig.ts';

/** Rows in memory that one worker reaches late, or not at all, where a test says so. */
class Slow extends MemoryStore {
  readonly #store: MemoryStore;
  readonly #holds = new Set<{ readonly text: string; readonly reached: () => void; readonly passed: Promise<void> }>();
  #failures: { readonly text: string; left: number } | undefined;

  constructor(store: MemoryStore) {
    super();
    this.#store = store;
  }

  /** Holds what has this text in it from now on, until it is let go. `reached`: something is held. */
  hold(text: string): { readonly reached: Promise<void>; readonly letGo: () => void } {
    const [reached, passed] = [gate(), gate()];
    const hold = { text, reached: reached.open, passed: passed.promise };
    this.#holds.add(hold);
    return {
      reached: reached.promise,
      letGo: () => {
        this.#holds.delete(hold);
        passed.open();
      },
    };
  }

  fail(text: string, times: number): void {
    this.#failures = { text, left: times };
  }

  override read(keys: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#store.read(keys);
  }

  override async scan(range: Range): Promise<readonly Entry[]> {
    await this.#wait(range.from);
    return this.#store.scan(range);
  }

  override async commit(batch: Batch): Promise<CommitResult> {
    const text = JSON.stringify(batch).replaceAll('\\', '');
    await this.#wait(text);
    const failing = this.#failures;
    if (failing && text.includes(failing.text) && failing.left-- > 0)
      throw new FuselineError('STORAGE_FAILED', 'the disk is not there');
    return this.#store.commit(batch);
  }

  override watch(listener: Parameters<MemoryStore['watch']>[0]): () => void {
    return this.#store.watch(listener);
  }

  async #wait(text: string): Promise<void> {
    for (const hold of this.#holds) {
      if (!text.includes(hold.text)) continue;
      hold.reached();
      await hold.passed;
    }
  }
}

/** A worker at work on such rows, and those who see what becomes of it. */
async function atWork(
  workflows: Workflow<undefined, unknown> | readonly Workflow<undefined, unknown>[],
  options: EngineOptions = {},
) {
  const rig = new Rig();
  const store = new Slow(rig.store);
  const engine = rig.engine(workflows, { name: 'it', ...options }, new RuntimeStorage({ store, host: rig.host }));
  const told: string[] = [];
  engine.on('disowned', () => told.push('disowned'));
  engine.on('error', ({ error }) => told.push(String(error)));
  await rig.host.until(engine.start());
  const [self] = await rig.storage.sessions.list();
  const by = (worker: string) => (worker === self?.id ? 'by it' : worker ? 'by another' : 'by nobody');
  const claims = async (run = 'run'): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const event of rig.storage.history(run))
      if (event.type === 'claimed') found.push(`${event.step} ${by(event.worker)}`);
    return found;
  };
  const holders = async (): Promise<number> => (await rig.storage.sessions.holders()).size;
  return { rig, store, engine, told, claims, holders, id: self?.id as string };
}

const stop = (rig: Rig, engine: ProcessEngine): Promise<void> => rig.host.until(engine.stop());

describe('a worker that others listen for', () => {
  // proves: worker.alive
  test('is heard while claiming takes it long', async () => {
    const body = gate();
    const held = workflow('held', ($) => $.step('held', {}, () => body.promise));
    const slow = workflow('slow', ($) => $.step('slow', {}, nothing));
    const { rig, store, engine, told, id } = await atWork([held, slow]);
    await rig.dispatch(held, undefined, 'held');
    await rig.host.advance(1000);
    const others = rig.engine(
      workflow('none', ($) => $.step('none', {}, nothing)),
      {},
      rig.open(),
    );
    await rig.host.until(others.start());
    const claim = store.hold('"type":"claimed"');
    await rig.dispatch(slow, undefined, 'slow');
    await claim.reached;
    await rig.host.advance(60_000);
    expect(told).toEqual([]);
    expect(await rig.storage.sessions.isAlive(id)).toBe(true);
    claim.letGo();
    body.open();
    await Promise.all([stop(rig, engine), stop(rig, others)]);
  });

  // proves: worker.alive
  test('is heard while its result waits for room', async () => {
    const wf = workflow('wf', ($) => $.step('a', {}, () => 'done'));
    const { rig, store, engine, id } = await atWork(wf);
    const others = rig.engine(
      workflow('none', ($) => $.step('none', {}, nothing)),
      {},
      rig.open(),
    );
    await rig.host.until(others.start());
    const result = store.hold('"type":"succeeded"');
    await rig.dispatch(wf, undefined);
    await result.reached;
    await rig.host.advance(120_000);
    expect(await rig.storage.sessions.isAlive(id)).toBe(true);
    result.letGo();
    await rig.host.advance(1000);
    expect(await rig.history()).toEqual(['created', 'ready a', 'claimed a', 'succeeded a', 'ended']);
    await Promise.all([stop(rig, engine), stop(rig, others)]);
  });

  test('is not given up by one who has not heard what it said last', async () => {
    const rig = new Rig();
    await rig.storage.sessions.register('it', { name: 'it', workflows: [] });
    const [before] = await rig.storage.sessions.list();
    await rig.storage.sessions.beat('it');
    expect(await rig.open().reap('it', before?.version)).toBe('nothing');
    const [after] = await rig.storage.sessions.list();
    expect(await rig.open().reap('it', after?.version)).toBe('reaped');
    expect(await rig.storage.sessions.list()).toEqual([]);
  });
});

describe('a worker that was given up', () => {
  // proves: worker.given-up
  test('claims nothing in its old name by what it had asked before', async () => {
    const bodies = [gate(), gate()];
    let begun = 0;
    const two = workflow('two', ($) => {
      const first = $.step('first', {}, nothing, { queue: 'elsewhere' });
      $.step('long', {}, async (_, { heartbeat }) => {
        heartbeat('begun');
        await bodies[begun++]?.promise;
      });
      return $.step('later', { first }, nothing);
    });
    const { rig, store, engine, claims, id } = await atWork(two, { queues: ['default'] });
    const progress = store.hold('"type":"progress"');
    await rig.dispatch(two, undefined);
    await progress.reached;
    // The step that follows is ready, and asked for behind the progress.
    await rig.work(two, undefined, { queues: ['elsewhere'] });
    await rig.host.advance(100);
    await rig.storage.reap(id);
    await rig.host.advance(5000);
    progress.letGo();
    await rig.host.advance(5000);
    for (const body of bodies) body.open();
    await rig.host.advance(5000);
    expect(await claims()).toEqual(['long by it', 'first by another', 'later by another', 'long by another']);
    expect(await rig.storage.status('run')).toBe('SUCCEEDED');
    await stop(rig, engine);
  });

  // proves: worker.given-up
  test('gives back at once what it is granted in its old name', async () => {
    let bodies = 0;
    const one = workflow('one', ($) => $.step('one', {}, () => ++bodies));
    const { rig, store, engine, claims, id } = await atWork(one);
    const claim = store.hold('"type":"claimed"');
    await rig.dispatch(one, undefined);
    await claim.reached;
    await rig.storage.reap(id);
    await rig.host.advance(5000);
    claim.letGo();
    await rig.host.advance(5000);
    expect(bodies).toBe(1);
    expect(await claims()).toEqual(['one by it', 'one by another']);
    expect(await rig.history()).toContain('released one');
    await stop(rig, engine);
  });

  test('claims nothing in nobody’s name beside the result it records', async () => {
    const body = gate();
    const two = workflow('two', ($) => {
      $.step('beside', {}, nothing, { priority: -1 });
      return $.step('first', {}, () => body.promise);
    });
    const { rig, store, engine, claims, id } = await atWork(two, { concurrency: 1 });
    await rig.dispatch(two, undefined);
    // So long that it looks whether others wait for their turn before it stays with its run.
    await rig.host.advance(5000);
    const look = store.hold('ready/');
    body.open();
    await look.reached;
    const joining = store.hold('"key":"session/it');
    await rig.storage.reap(id);
    await rig.host.advance(3000);
    await joining.reached;
    look.letGo();
    await rig.host.advance(100);
    joining.letGo();
    await rig.host.advance(60_000);
    expect(await claims()).toEqual(['first by it', 'first by another', 'beside by another']);
    expect(await rig.storage.status('run')).toBe('SUCCEEDED');
    await stop(rig, engine);
  });
});

describe('a worker whose storage failed', () => {
  /** With two runs under way: the end of `fails` cannot be recorded, and behind `first` of the other one comes `second`. */
  async function failing() {
    const [ending, body] = [gate(), gate()];
    const bodies: string[] = [];
    const note = (_: unknown, { step }: { readonly step: string }) => void bodies.push(step);
    const fails = workflow('fails', ($) => $.step('fails', {}, () => ending.promise));
    const chain = workflow('chain', ($) => {
      const first = $.step('first', {}, () => body.promise);
      return $.step('second', {}, note, { after: first });
    });
    const asked = workflow('asked', ($) => $.step('asked', {}, note));
    const worker = await atWork([fails, chain, asked]);
    const { rig, store } = worker;
    for (const one of [fails, chain]) await rig.dispatch(one, undefined, one.name);
    await rig.host.advance(10);
    store.fail('entry/fails/', 4);
    const fail = async (): Promise<void> => {
      ending.open();
      await rig.host.advance(10);
      expect(worker.told).toEqual([]);
    };
    return { ...worker, asked, bodies, fail, endFirst: () => body.open() };
  }

  test('begins nothing of what it is granted then, and gives it back', async () => {
    const { rig, store, engine, told, asked, bodies, fail } = await failing();
    const claim = store.hold('"type":"claimed"');
    await rig.dispatch(asked, undefined, 'asked');
    await claim.reached;
    await fail();
    claim.letGo();
    await stop(rig, engine);
    expect(told).toEqual(['FuselineError: the disk is not there']);
    expect(bodies).toEqual([]);
    expect(await rig.history('asked')).toEqual(['created', 'ready asked', 'claimed asked', 'released asked']);
    expect(await rig.storage.sessions.list()).toEqual([]);
  });

  test('leaves only once it knows what became of what it records, and gives back what that brings', async () => {
    const { rig, store, engine, bodies, fail, endFirst, holders, id } = await failing();
    const record = store.hold('entry/chain/');
    endFirst();
    await record.reached;
    await fail();
    const stopped = engine.stop();
    await rig.host.advance(60_000);
    expect(await rig.storage.sessions.isAlive(id)).toBe(true);
    record.letGo();
    await rig.host.until(stopped);
    expect(bodies).toEqual([]);
    expect(await rig.history('chain')).toContain('released second');
    expect(await holders()).toBe(0);
  });

  test('claims nothing beside a result it records then', async () => {
    const { rig, store, engine, asked, claims, bodies, fail, endFirst } = await failing();
    const claim = store.hold('"type":"claimed"');
    await rig.dispatch(asked, undefined, 'asked');
    await claim.reached;
    await fail();
    endFirst();
    await rig.host.advance(10);
    claim.letGo();
    await stop(rig, engine);
    expect(await claims('chain')).toEqual(['first by it']);
    expect(await rig.steps('chain')).toEqual({ run: 'RUNNING', first: 'SUCCEEDED', second: 'PENDING' });
    expect(bodies).toEqual([]);
  });
});

describe('a claim that was taken back', () => {
  test('is not held on when its body timed out and stopped before that was known', async () => {
    const body = gate();
    const slow = workflow('slow', ($) => $.step('slow', {}, () => body.promise, { timeout: '1s' }));
    const { rig, store, engine, holders } = await atWork(slow);
    await rig.dispatch(slow, undefined);
    await rig.host.advance(100);
    const timeout = store.hold('STEP_TIMEOUT');
    await rig.host.advance(1000);
    await timeout.reached;
    body.open();
    await rig.storage.cancel('run');
    await rig.host.advance(10);
    timeout.letGo();
    await rig.host.advance(100);
    expect(await holders()).toBe(0);
    await stop(rig, engine);
  });

  test('is not held on where it could not be recorded at once that its body has stopped', async () => {
    const body = gate();
    const slow = workflow('slow', ($) => $.step('slow', {}, () => body.promise));
    const { rig, store, engine, holders, told } = await atWork(slow);
    await rig.dispatch(slow, undefined);
    await rig.host.advance(100);
    await rig.storage.cancel('run');
    store.fail('"type":"stopped"', 4);
    expect(await holders()).toBe(1);
    body.open();
    await rig.host.advance(100);
    expect(await holders()).toBe(0);
    expect(told).toEqual([]);
    await stop(rig, engine);
  });
});

test('a worker that is told to stop claims nothing more, though it had asked before', async () => {
  const rig = new Rig();
  const store = new Slow(rig.store);
  const wf = workflow('wf', ($) => $.step('a', {}, nothing));
  const engine = rig.engine(wf, {}, new RuntimeStorage({ store, host: rig.host }));
  await rig.dispatch(wf, undefined);
  // It asks as soon as it is registered.
  const registering = store.hold('"key":"session/');
  const working = engine.work();
  await registering.reached;
  const stopped = engine.stop();
  registering.letGo();
  await rig.host.until(Promise.all([working, stopped]));
  expect(await rig.history()).toEqual(['created', 'ready a']);
});
