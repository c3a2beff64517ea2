import { IndexedDBStore } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { afterEach, expect, test, vi } from 'vitest';

/** Every connection that is opened meanwhile. */
function connections(): readonly IDBDatabase[] {
  const opened: IDBDatabase[] = [];
  const { open } = IDBFactory.prototype;
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
    const request = open.apply(this, args);
    request.addEventListener('success', () => opened.push(request.result));
    return request;
  });
  return opened;
}

afterEach(() => vi.restoreAllMocks());

const NAME = 'connection';

test('a connection that was closed under a store is opened again for the next read and the next commit', async () => {
  const opened = connections();
  const store = new IndexedDBStore(NAME);
  await store.commit({ put: [{ key: 'a', value: '1' }] });
  opened.at(-1)?.close();
  expect((await store.commit({ put: [{ key: 'b', value: '2' }] })).status).toBe('committed');
  opened.at(-1)?.close();
  expect((await store.read(['a', 'b'])).map((entry) => entry?.value)).toEqual(['1', '2']);
  expect(opened).toHaveLength(3);
  await store.close();
  await deleteDB(NAME);
});

test('a store that was closed while it was busy leaves no connection open', async () => {
  const opened = connections();
  const store = new IndexedDBStore(NAME);
  store.watch(() => undefined);
  await Promise.all([store.commit({ put: [{ key: 'a', value: '' }] }), store.read(['a']), store.close()].map(ignore));
  expect(opened.length).toBeGreaterThan(0);
  for (const connection of opened) expect(() => connection.transaction('rows')).toThrow(/closing/);
  await deleteDB(NAME);
});

function ignore(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(() => undefined);
}
