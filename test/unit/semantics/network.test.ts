import { MemoryStore, type Network, NonRetryableError, ProcessEngine, RuntimeStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { Rig } from './rig.ts';

/** A network the test switches on and off; the platform may believe otherwise. */
class Wire implements Network {
  isOnline = true;
  isUp = true;
  probes = 0;
  readonly #watchers = new Set<() => void>();

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  async probe(): Promise<boolean> {
    this.probes++;
    return this.isUp;
  }

  say(online: boolean): void {
    this.isOnline = online;
    for (const tell of this.#watchers) tell();
  }
}

class WiredRig extends Rig {
  readonly wire = new Wire();

  wired(): RuntimeStorage {
    return new RuntimeStorage({ store: this.store.reopen(), host: this.host, network: this.wire });
  }
}

// proves: network.offline
test('a step that requires the network waits while its worker is offline; the others go on', async () => {
  const rig = new WiredRig();
  const ran: string[] = [];
  const wf = workflow('w', ($) => {
    const upload = $.step('upload', {}, () => ran.push('upload'), { requires: 'network' });
    const local = $.step('local', {}, () => ran.push('local'));
    return $.step('end', { local }, () => ran.push('end'), { after: upload });
  });
  rig.wire.isOnline = false;
  await rig.dispatch(wf, undefined);
  const done = new ProcessEngine([wf], rig.wired()).work('run');
  await rig.host.advance(60_000);
  expect(ran).toEqual(['local']);
  expect(await rig.storage.explain('run', 'upload')).toBe(
    'Step "upload" is ready, and waits for a worker that is online.',
  );
  rig.wire.say(true);
  await rig.host.until(done);
  expect(ran).toEqual(['local', 'upload', 'end']);
});

// proves: network.free, network.wait
test('an attempt that met no network does not count, and is tried again at most every half minute, however long that takes', async () => {
  const rig = new WiredRig();
  const times: number[] = [];
  const wf = workflow('w', ($) =>
    $.step(
      'upload',
      {},
      () => {
        times.push(rig.host.now());
        if (!rig.wire.isUp) throw new TypeError('Failed to fetch');
        return 'sent';
      },
      { requires: 'network' },
    ),
  );
  rig.wire.isUp = false;
  await rig.dispatch(wf, undefined);
  const done = new ProcessEngine([wf], rig.wired()).work('run');
  await rig.host.advance(3_600_000);
  const waits = times.slice(1).map((time, i) => time - (times[i] as number));
  expect(waits.slice(0, 6).map((ms) => Math.round(ms / 1000))).toEqual([1, 2, 4, 8, 16, 30]);
  expect(Math.max(...waits)).toBeLessThan(31_000);
  rig.wire.isUp = true;
  await rig.host.until(done);
  expect(await rig.storage.result('run')).toBe('sent');
  expect((await rig.storage.get('run')).steps[0]).toMatchObject({ status: 'SUCCEEDED', attempt: times.length });
});

// proves: network.counts
test.each([
  ['a server that answers with an error', new Error('503')],
  ['a request the browser refuses while the network is there', new TypeError('Failed to fetch')],
  ['an error that says that no other attempt helps', new NonRetryableError('no')],
])('%s fails the attempt', async (_, error) => {
  const rig = new WiredRig();
  const wf = workflow('w', ($) =>
    $.step(
      'upload',
      {},
      () => {
        throw error;
      },
      { requires: 'network' },
    ),
  );
  await rig.dispatch(wf, undefined);
  await rig.host.until(new ProcessEngine([wf], rig.wired()).work('run'));
  expect(await rig.storage.status('run')).toBe('FAILED');
  expect(await rig.history()).not.toContain('offline upload');
});

test('a server that accepts and never answers is no network when nobody else answers either', async () => {
  const rig = new WiredRig();
  let silent = true;
  const wf = workflow('w', ($) =>
    $.step(
      'upload',
      {},
      (_, { signal }) =>
        silent
          ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
          : 'sent',
      { requires: 'network', timeout: '5s' },
    ),
  );
  rig.wire.isUp = false;
  await rig.dispatch(wf, undefined);
  const done = new ProcessEngine([wf], rig.wired()).work('run');
  await rig.host.advance(20_000);
  expect(await rig.history()).toContain('offline upload');
  silent = false;
  rig.wire.isUp = true;
  await rig.host.until(done);
  expect(await rig.storage.result('run')).toBe('sent');
});

// proves: network.counts
test('of a network that flaps, only what fails while it is there counts', async () => {
  const rig = new WiredRig();
  let calls = 0;
  const wf = workflow('w', ($) =>
    $.step(
      'upload',
      {},
      () => {
        rig.wire.isUp = ++calls % 2 === 0;
        if (!rig.wire.isUp || calls < 6) throw new TypeError('Failed to fetch');
        return calls;
      },
      { requires: 'network', retry: 4 },
    ),
  );
  await rig.dispatch(wf, undefined);
  await rig.host.until(new ProcessEngine([wf], rig.wired()).work('run'));
  expect(await rig.history()).toEqual(
    expect.arrayContaining(['offline upload', 'retrying upload', 'succeeded upload']),
  );
});

test('a step that requires nothing is not asked about: its errors count, and the network is left alone', async () => {
  const rig = new WiredRig();
  rig.wire.isOnline = rig.wire.isUp = false;
  const wf = workflow('w', ($) =>
    $.step('compute', {}, () => {
      throw new TypeError('undefined is not a function');
    }),
  );
  await rig.dispatch(wf, undefined);
  await rig.host.until(new ProcessEngine([wf], rig.wired()).work('run'));
  expect(await rig.storage.status('run')).toBe('FAILED');
  expect(rig.wire.probes).toBe(0);
});

test('where nobody can tell, there is a network', async () => {
  const storage = new RuntimeStorage({ store: new MemoryStore(), host: new Rig().host });
  expect(storage.network).toBeUndefined();
  const rig = new Rig();
  const wf = workflow('w', ($) => $.step('upload', {}, () => 'sent', { requires: 'network' }));
  await rig.dispatch(wf, undefined);
  await rig.work(wf, 'run');
  expect(await rig.storage.result('run')).toBe('sent');
});
