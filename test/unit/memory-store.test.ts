import { type FuselineError, type Hint, MemoryStorage, MemoryStore } from 'fuseline';
import { expect, onTestFinished, test } from 'vitest';

test('one commit is one hint, and commits of the same tick share one', async () => {
  const store = new MemoryStore();
  const hints: Hint[] = [];
  store.watch((hint) => hints.push(hint));
  store.commit({ put: [{ key: 'a', value: '1' }] });
  store.commit({ put: [{ key: 'b', value: '1' }], delete: ['a'] });
  await turn();
  await store.commit({ put: [{ key: 'c', value: '1' }] });
  await turn();
  expect(hints).toEqual([{ keys: ['a', 'b', 'a'] }, { keys: ['c'] }]);
});

test('a conflict and a batch without changes are no news', async () => {
  const store = new MemoryStore();
  const hints: Hint[] = [];
  store.watch((hint) => hints.push(hint));
  await store.commit({ expect: [{ key: 'a', version: 1 }], put: [{ key: 'a', value: '1' }] });
  await store.commit({ expect: [{ key: 'a', version: undefined }] });
  await turn();
  expect(hints).toEqual([]);
});

test('handles on the same rows hear of each other and of themselves', async () => {
  const store = new MemoryStore();
  const other = store.reopen();
  const heard: string[] = [];
  store.watch(({ keys }) => heard.push(`store: ${keys}`));
  other.watch(({ keys }) => heard.push(`other: ${keys}`));
  await store.commit({ put: [{ key: 'a', value: '1' }] });
  await turn();
  await other.commit({ put: [{ key: 'b', value: '1' }] });
  await turn();
  expect(heard).toEqual(['store: a', 'other: a', 'store: b', 'other: b']);
});

test('storages that share one store hear of each other', async () => {
  const store = new MemoryStore();
  const [first, second] = [new MemoryStorage({ store }), new MemoryStorage({ store })];
  const heard: Hint[] = [];
  first.onHint((hint) => heard.push(hint));
  await second.sessions.register('w', { name: 'w', workflows: [] });
  await turn();
  expect(heard).toEqual([{ keys: ['session/w'] }]);
});

test('what one listener throws is reported, and the listeners beside it hear the hint all the same', async () => {
  const store = new MemoryStore();
  const reported = unhandled();
  const heard: string[] = [];
  store.watch(() => heard.push('before'));
  store.watch(() => {
    throw new Error('a listener failed');
  });
  store.watch(() => heard.push('after'));
  expect(await store.commit({ put: [{ key: 'a', value: '1' }] })).toMatchObject({ status: 'committed' });
  await turn();
  expect(heard).toEqual(['before', 'after']);
  expect(reported).toEqual([new Error('a listener failed')]);
});

test('a listener taken away by another one in the same turn is not called any more', async () => {
  const store = new MemoryStore();
  const heard: string[] = [];
  store.watch(() => {
    heard.push('first');
    stop();
  });
  const stop = store.watch(() => heard.push('second'));
  await store.commit({ put: [{ key: 'a', value: '1' }] });
  await turn();
  expect(heard).toEqual(['first']);
});

test('a closed store refuses with a sentence that says what to do, and its rows can be reopened', async () => {
  const store = new MemoryStore();
  await store.commit({ put: [{ key: 'a', value: '1' }] });
  await store.close();
  const error = await store.read(['a']).catch((reason: FuselineError) => reason);
  expect(error).toMatchObject({ name: 'FuselineError', code: 'STORAGE_CLOSED' });
  expect(error).toHaveProperty('message', 'this memory store was closed; reopen it, or make a new one');
  expect(await store.reopen().read(['a'])).toMatchObject([{ value: '1' }]);
});

/** Everything that is due in this turn of the event loop happens before. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Takes the runner's place until the test ends. */
function unhandled(): unknown[] {
  const errors: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  return errors;
}
