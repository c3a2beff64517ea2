import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Browser, type Tab } from './browser.ts';
import { houseOfThisFile } from './house.ts';

const house = houseOfThisFile();

const fresh = (): Promise<Tab> => house.browser.tab(house.site.address);

function clear(tab: Tab): Promise<unknown> {
  return tab.send('Storage.clearDataForOrigin', {
    origin: new URL(house.site.address).origin,
    storageTypes: 'indexeddb',
  });
}

test('a full disk is said by name, nothing is half written, and work goes on when there is room', async () => {
  const tab = await fresh();
  const origin = new URL(house.site.address).origin;
  await tab.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  expect(await tab.call('put', 'full', [['first', 'x']])).toBe('STORAGE_FULL');
  await tab.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 });
  expect(await tab.call('put', 'full', [['before', 'x']])).toBe('committed');
  // The database packs what repeats itself.
  const large = randomBytes(1_500_000).toString('base64');
  const rows = [
    ['small', 'x'],
    ['large', large],
  ];
  expect(await tab.call('put', 'full', rows)).toBe('STORAGE_FULL');
  // A small one goes through beside a large one.
  expect(await tab.call('putAtOnce', 'full', [[['large', large]], [['beside', 'x']]])).toEqual([
    'STORAGE_FULL',
    'committed',
  ]);
  expect(await tab.call('keys', 'full')).toEqual(['before', 'beside']);
  await tab.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await tab.call('put', 'full', rows)).toBe('committed');
  expect(await tab.call('keys', 'full')).toEqual(['before', 'beside', 'large', 'small']);
  await tab.close();
});

test('a storage whose data was cleared under it says so for good, and a new one begins anew', async () => {
  const tab = await fresh();
  await tab.call('put', 'cleared', [['a', '1']]);
  await clear(tab);
  expect(await tab.call('put', 'cleared', [['b', '2']])).toBe('STORAGE_CLOSED');
  expect(await tab.call('put', 'cleared', [['b', '2']])).toBe('STORAGE_CLOSED');
  const other = await fresh();
  expect(await other.call('put', 'cleared', [['c', '3']])).toBe('committed');
  expect(await other.call('keys', 'cleared')).toEqual(['c']);
  expect(await tab.call('put', 'cleared', [['b', '2']])).toBe('STORAGE_CLOSED');
  await Promise.all([tab.close(), other.close()]);
});

test('one that is writing when its data is cleared says so too, once it is gone for good', async () => {
  const tab = await fresh();
  const refusals = tab.call<readonly string[]>('putUntilGone', 'clearing');
  await house.site.noted(({ who }) => who === 'clearing');
  await clear(tab);
  const [gone, ...before] = (await refusals).toReversed();
  expect(gone).toBe('STORAGE_CLOSED');
  // Whether that commit was made, nobody can say.
  expect(before.filter((code) => code !== 'STORAGE_FAILED')).toEqual([]);
  await tab.close();
});

test('an opening that the browser cuts is asked for again, and one that it always cuts is an error', async () => {
  const tab = await fresh();
  const cut = (times: number): Promise<unknown> =>
    tab.evaluate(`{
      const open = IDBFactory.prototype.open;
      let left = ${times};
      IDBFactory.prototype.open = function (...of) {
        if (left-- === 0) IDBFactory.prototype.open = open;
        const request = open.apply(this, of);
        if (left >= 0) request.addEventListener('upgradeneeded', () => request.transaction.abort());
        return request;
      };
    }`);
  await cut(2);
  expect(await tab.call('put', 'cut', [['a', '1']])).toBe('committed');
  await cut(3);
  expect(await tab.call('put', 'cut off', [['a', '1']])).toBe('STORAGE_FAILED');
  expect(await tab.call('put', 'cut off', [['a', '1']])).toBe('committed');
  await tab.close();
});

test('a database that newer code wants to change is let go of at once, and then left alone', async () => {
  const old = await fresh();
  await old.call('put', 'newer', [['a', '1']]);
  const tab = await fresh();
  expect(await tab.call('upgrade', 'newer', 2)).toBe('upgraded');
  expect(await old.call('put', 'newer', [['b', '2']])).toBe('PROTOCOL_TOO_NEW');
  expect(await tab.call('rawKeys', 'newer')).toEqual(['a']);
  await Promise.all([old.close(), tab.close()]);
});

test('a database that another tab does not let go of is said to be kept, and can be had once that tab is gone', async () => {
  const keeper = await fresh();
  expect(await keeper.call('keepAtVersion', 'kept', 1)).toBe('kept');
  const upgrading = await fresh();
  // Waits for the keeper, and whoever opens the database waits behind it.
  await upgrading.evaluate('void tab.deleteRaw("kept")');
  const tab = await fresh();
  expect(await tab.call('put', 'kept', [['a', '1']])).toBe('STORAGE_FAILED');
  await keeper.close();
  expect(await tab.call('put', 'kept', [['a', '1']])).toBe('committed');
  await Promise.all([upgrading.close(), tab.close()]);
});

test('a page without IndexedDB is told so', async () => {
  const tab = await fresh();
  await tab.evaluate('void Object.defineProperty(globalThis, "indexedDB", { value: undefined })');
  expect(await tab.call('put', 'none', [['a', '1']])).toBe('STORAGE_UNSUPPORTED');
  // Pages without an origin have none either.
  expect(await tab.call('putInSandbox', 'none')).toBe('STORAGE_UNSUPPORTED');
  await tab.close();
});

test('a page without Web Locks works, with heartbeats alone, and says so once', async () => {
  const tab = await fresh();
  await tab.evaluate(`{
    Object.defineProperty(navigator, 'locks', { value: undefined });
    globalThis.warnings = [];
    console.warn = (text) => warnings.push(text);
  }`);
  const run = await tab.call<string>('dispatch', 'no locks', 'chain', 1);
  await tab.call('work', { who: 'one', database: 'no locks' });
  await tab.call('work', { who: 'two', database: 'no locks' });
  expect(await tab.call('result', 'no locks', run)).toBe(20);
  expect(await tab.evaluate('globalThis.warnings')).toEqual([expect.stringContaining('Web Locks')]);
  await tab.close();
});

test('a private window keeps runs as long as it is open', async () => {
  const { browserContextId } = await house.browser.send<{ browserContextId: string }>('Target.createBrowserContext');
  const tab = await house.browser.tab(house.site.address, 'own-window', browserContextId);
  const run = await tab.call<string>('dispatch', 'private', 'chain', 1);
  await tab.call('work', { who: 'private', database: 'private' });
  expect(await tab.call('result', 'private', run)).toBe(20);
  await house.browser.send('Target.disposeBrowserContext', { browserContextId });
});

test('what was committed is there after the whole browser was killed', async () => {
  const before = await Browser.start();
  const tab = await before.tab(house.site.address);
  const run = await tab.call<string>('dispatch', 'killed', 'hold', 'done');
  await tab.call('work', { who: 'killed', database: 'killed' });
  await house.site.noted((note) => note.run === run && note.what === 'begin');
  await before.kill();
  await before.restart();
  const again = await before.tab(house.site.address);
  await again.call('work', { who: 'restarted', database: 'killed' });
  expect(await again.call('result', 'killed', run)).toBe('done by attempt 2');
  await before.close();
});
