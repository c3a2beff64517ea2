import { FuselineError, MemoryStorage, openExport, ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';

const LARGE = 'x'.repeat(10_000);

const order = workflow('order', ($) => {
  const read = $.step('read', {}, () => LARGE);
  const check = $.step(
    'check',
    { read },
    () => {
      throw new Error('not today');
    },
    { retry: { attempts: 2, base: 1, jitter: 'none' } },
  );
  return $.step('bill', { check }, () => 'paid');
});

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** As a file holds it. */
async function exported(storage: MemoryStorage, run: string) {
  return JSON.parse(JSON.stringify(await storage.export(run)));
}

async function failedOrder(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await order.dispatch(undefined, { storage, id: 'order-1', labels: { of: 'Ada' } });
  await new ProcessEngine(order, storage).work('order-1');
  return storage;
}

test('a run that was exported looks the same where it is opened', async () => {
  const storage = await failedOrder();
  const copy = await openExport(await exported(storage, 'order-1'));
  expect(await copy.get('order-1')).toEqual(await storage.get('order-1'));
  expect(await copy.list()).toEqual(await storage.list());
  expect(await all(copy.history('order-1'))).toEqual(await all(storage.history('order-1')));
  expect(await copy.viewAt('order-1', 2)).toEqual(await storage.viewAt('order-1', 2));
  expect(await copy.stepResult('order-1', 'read')).toBe(LARGE);
  await expect(copy.result('order-1')).rejects.toThrow('not today');
});

test('one that has not ended is not worked on, and what is done to the copy is not done to it', async () => {
  const storage = new MemoryStorage();
  await order.dispatch(undefined, { storage, id: 'order-1' });
  const copy = await openExport(await exported(storage, 'order-1'));
  await new ProcessEngine(order, copy).work();
  expect(await copy.status('order-1')).toBe('PENDING');
  await copy.cancel('order-1');
  expect(await storage.status('order-1')).toBe('PENDING');
});

test('what is no export is refused, and says what is wrong with it', async () => {
  const good = await exported(await failedOrder(), 'order-1');
  const [created, ...rest] = good.entries;
  const [value] = Object.keys(good.values);
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [undefined, 'INVALID_INPUT', /its format is undefined/],
    [[], 'INVALID_INPUT', /its format is undefined/],
    [{ name: 'my-package', version: '1.0.0' }, 'INVALID_INPUT', /its format is undefined/],
    [{ ...good, format: 'fuseline-run/9' }, 'INVALID_INPUT', /"fuseline-run\/9"/],
    [{ ...good, entries: undefined }, 'INVALID_INPUT', /parts of it are missing/],
    [{ ...good, id: 'a/b' }, 'INVALID_ID', /a\/b/],
    [{ ...good, graph: { name: 'order', steps: [] } }, 'INVALID_INPUT', /its graph cannot be read/],
    [{ ...good, entries: [] }, 'INVALID_INPUT', /its journal cannot be read/],
    [{ ...good, entries: rest }, 'INVALID_INPUT', /its journal cannot be read/],
    [{ ...good, entries: [created, null] }, 'INVALID_INPUT', /its journal cannot be read/],
    [{ ...good, values: {} }, 'INVALID_INPUT', new RegExp(`the value ${value} is not in it`)],
    [{ ...good, values: { [value as string]: 'cut' } }, 'INVALID_INPUT', /not whole/],
    [{ ...good, entries: [created, { ...rest[0], protocol: 99 }] }, 'PROTOCOL_TOO_NEW', /protocol 99/],
  ];
  for (const [given, code, message] of cases) {
    const error = await openExport(given).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error, String(message)).toBeInstanceOf(FuselineError);
    expect([(error as FuselineError).code, (error as FuselineError).message]).toEqual([
      code,
      expect.stringMatching(message),
    ]);
  }
});
