import {
  type Batch,
  type CommitResult,
  FuselineError,
  MemoryStore,
  ProcessEngine,
  RuntimeStorage,
  workflow,
} from 'fuseline';
import { expect, test } from 'vitest';
import { gate, Rig } from './semantics/rig.ts';

/** A handle on the rows of a rig, on a disk of its own. */
class Disk extends MemoryStore {
  readonly #rows: MemoryStore;
  room: 'some' | 'none' = 'some';

  constructor(rows: MemoryStore) {
    super();
    this.#rows = rows;
    this.read = rows.read.bind(rows);
    this.scan = rows.scan.bind(rows);
    this.watch = rows.watch.bind(rows);
  }

  override async commit(batch: Batch): Promise<CommitResult> {
    if (this.room === 'none') throw new FuselineError('STORAGE_FULL', 'there is no room');
    return this.#rows.commit(batch);
  }
}

const double = workflow('double', ($) => {
  const one = $.step('one', {}, () => 1);
  return $.step('two', { one }, ({ one }) => one * 2);
});

test('a worker that finds no room to claim a step tries again until there is some', async () => {
  const rig = new Rig();
  const disk = new Disk(rig.store.reopen());
  const storage = new RuntimeStorage({ store: disk, host: rig.host });
  const engine = new ProcessEngine(double, storage);
  const errors: unknown[] = [];
  engine.on('error', (error) => errors.push(error));
  await rig.host.until(engine.start());

  disk.room = 'none';
  await rig.dispatch(double, undefined);
  await rig.host.advance(10_000);
  expect(await rig.storage.status('run')).toBe('PENDING');
  expect(errors.length).toBeGreaterThan(2);
  // At most once for every look: it does not ask again and again.
  expect(errors.length).toBeLessThan(30);
  expect(errors).not.toContainEqual(expect.objectContaining({ fatal: true }));

  disk.room = 'some';
  await rig.host.advance(2000);
  expect(await rig.storage.result('run')).toBe(2);
  await rig.host.until(engine.stop());
});

test('a worker that cannot look whether others wait records all the same what its step came to', async () => {
  const rig = new Rig();
  const disk = new Disk(rig.store.reopen());
  const { scan } = disk;
  const storage = new RuntimeStorage({ store: disk, host: rig.host });
  const go = gate();
  const slow = workflow('slow', ($) => {
    const one = $.step('one', {}, () => go.promise);
    return $.step('two', { one }, () => 2);
  });
  await rig.dispatch(slow, undefined);
  // Without room for more it looks at nothing meanwhile.
  const working = rig.engine(slow, { concurrency: 1 }, storage).work();
  await rig.host.advance(1500);
  disk.scan = async (range) => {
    if (!range.from.startsWith('ready/')) return scan(range);
    disk.scan = scan;
    throw new FuselineError('STORAGE_FAILED', 'it cannot be read');
  };
  go.open();
  await rig.host.until(working);
  expect(disk.scan).toBe(scan);
  expect(await rig.storage.result('run')).toBe(2);
});
