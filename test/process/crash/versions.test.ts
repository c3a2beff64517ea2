import { FileStore } from 'fuseline/node';
import { expect, test } from 'vitest';
import { fleet } from '../fleet.ts';
import { continueByNewer } from '../newer.ts';

const rowsOf = async (store: FileStore, run: string) =>
  (await store.scan({ from: ' ', to: '~' })).filter(
    ({ key }) => key.startsWith(`entry/${run}/`) || key === `head/${run}`,
  );

// proves: version.newer
test('a run that a newer version has continued is left alone by an older one, with a sentence; everything else goes on', async () => {
  const { directory, flows, open, start } = fleet();
  const storage = open();
  const store = new FileStore(directory);
  const newer = await flows.quick.dispatch(1, { storage, id: 'newer' });
  await continueByNewer(store, newer.id);
  const before = await rowsOf(store, newer.id);
  const worker = start({ what: 'start', workflows: ['quick'] });
  const told = await worker.told('error');
  expect(told.error).toMatch(/newer version of Fuseline \(protocol 99.*left alone, upgrade/);
  expect(await (await flows.quick.dispatch(2, { storage })).result()).toBe('second by attempt 1');
  await expect(newer.get()).rejects.toMatchObject({ code: 'PROTOCOL_TOO_NEW' });
  worker.signal('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(worker.lines.filter(({ type }) => type === 'error').length).toBe(1);
  expect(await rowsOf(store, newer.id)).toEqual(before);
  await store.close();
});

test('a worker that holds a step of a run which a newer version continues meanwhile records nothing, and works on', async () => {
  const { directory, flows, open, start, noted, letGo } = fleet();
  const storage = open();
  const store = new FileStore(directory);
  const worker = start({ what: 'start', workflows: ['hold', 'quick'] });
  await worker.told('ready');
  const newer = await flows.hold.dispatch(1, { storage, id: 'newer' });
  await noted(({ run }) => run === newer.id);
  await continueByNewer(store, newer.id);
  const before = await rowsOf(store, newer.id);
  letGo();
  expect(await worker.told('stale')).toMatchObject({ run: newer.id, step: 'hold', attempt: 1 });
  expect(await (await flows.quick.dispatch(2, { storage })).result()).toBe('second by attempt 1');
  worker.signal('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(await rowsOf(store, newer.id)).toEqual(before);
  await store.close();
});
