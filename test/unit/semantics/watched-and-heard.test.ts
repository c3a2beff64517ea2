import { type Batch, type Entry, type Liveness, MemoryStore, type Range, RuntimeStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { gate, nothing, Rig } from './rig.ts';

/** Rows in memory, for a worker that at some moment gets no further. */
class Halting extends MemoryStore {
  readonly #store: MemoryStore;
  #halted: Promise<void> | undefined;

  constructor(store: MemoryStore) {
    super();
    this.#store = store;
  }

  halt(): void {
    this.#halted = new Promise(nothing);
  }

  override async read(keys: readonly string[]) {
    await this.#halted;
    return this.#store.read(keys);
  }

  override async scan(range: Range): Promise<readonly Entry[]> {
    await this.#halted;
    return this.#store.scan(range);
  }

  override async commit(batch: Batch) {
    await this.#halted;
    return this.#store.commit(batch);
  }
}

/** A place where everybody looks alive, as a page that hangs does. */
const alive = (evidence: string, heartbeats?: Liveness['heartbeats']): Liveness => ({
  evidence,
  ...(heartbeats && { heartbeats }),
  watch: () => nothing,
});

/** The attempts made of a step while a worker that holds it has another one beside it, for two minutes. */
async function attempts(heartbeats: Liveness['heartbeats'], holder: 'hangs' | 'works'): Promise<readonly number[]> {
  const rig = new Rig();
  const begun: number[] = [];
  const hold = gate();
  const wf = workflow('w', ($) =>
    $.step('step', {}, (_, { attempt }) => {
      begun.push(attempt);
      return attempt === 1 ? hold.promise : undefined;
    }),
  );
  await rig.dispatch(wf, undefined);
  const store = new Halting(rig.store);
  const first = new RuntimeStorage({ store, host: rig.host, liveness: alive('first', heartbeats) });
  void rig.engine(wf, {}, first).start();
  await rig.host.advance(1000);
  if (holder === 'hangs') store.halt();
  void rig.engine(wf, {}, rig.open({ liveness: alive('second', heartbeats) })).start();
  await rig.host.advance(120_000);
  return begun;
}

test('who is watched need not be heard', async () => {
  expect(await attempts('unwatched', 'hangs')).toEqual([1]);
  expect(await attempts(undefined, 'hangs')).toEqual([1]);
});

// proves: worker.alive
test('where all are to be heard, one that hangs is given up though it looks alive, and one that works is not', async () => {
  expect(await attempts('always', 'hangs')).toEqual([1, 2]);
  expect(await attempts('always', 'works')).toEqual([1]);
});

test('a reader waits until the dead are told from the living', async () => {
  const rig = new Rig();
  const wf = workflow('w', ($) => $.step('step', {}, () => undefined));
  let judge: () => void = nothing;
  const late: Liveness = {
    ...alive('reader'),
    watch(_, gone) {
      judge = gone;
      return nothing;
    },
    async judged() {
      await Promise.resolve();
      judge();
    },
  };
  void rig.engine(wf, {}, rig.open({ liveness: alive('dead') })).start();
  await rig.host.advance(100);
  expect(await rig.storage.workers()).toHaveLength(1);
  expect(await rig.open({ liveness: late }).workers()).toEqual([]);
});

test('a claim is timed anew in a run that has the id of a removed one', async () => {
  const rig = new Rig();
  const wf = workflow('w', ($) => $.step('step', {}, () => gate().promise, { timeout: '30s', queue: 'slow' }));
  void rig.engine(wf, { queues: ['default'] }, rig.open({ liveness: alive('observer') })).start();
  const claimAndHang = async (evidence: string): Promise<void> => {
    const store = new Halting(rig.store);
    const storage = new RuntimeStorage({ store, host: rig.host, liveness: alive(evidence) });
    void rig.engine(wf, { queues: ['slow'] }, storage).start();
    await rig.host.advance(1000);
    expect(await rig.steps()).toEqual({ run: 'RUNNING', step: 'RUNNING' });
    store.halt();
  };

  await rig.dispatch(wf, undefined);
  await claimAndHang('first');
  await rig.host.advance(25_000);
  await rig.storage.cancel('run');
  await rig.storage.remove('run');
  await rig.dispatch(wf, undefined);
  await claimAndHang('second');
  await rig.host.advance(25_000);
  expect(await rig.steps()).toEqual({ run: 'RUNNING', step: 'RUNNING' });
  await rig.host.advance(20_000);
  expect(await rig.history()).toContain('failed step');
});
