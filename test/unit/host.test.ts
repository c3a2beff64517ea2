import { afterEach, expect, test, vi } from 'vitest';
import { webHost } from '../../src/adapters/host.js';

const DAY_MS = 86_400_000;

afterEach(() => {
  // In the opposite order of how they came: what was stubbed may be a fake timer.
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a callback comes no earlier than asked for, by either clock', async () => {
  for (let round = 0; round < 20; round++) {
    const ms = 1 + (round % 7) * 1.3;
    const [wall, monotonic] = [webHost.now(), webHost.monotonic()];
    await new Promise<void>((resolve) => {
      webHost.after(ms, resolve);
    });
    expect(webHost.now() - wall).toBeGreaterThanOrEqual(ms);
    expect(webHost.monotonic() - monotonic).toBeGreaterThanOrEqual(ms);
  }
});

test('a timer of the platform that fires early is set again', () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const early: number[] = [];
  const { setTimeout } = globalThis;
  vi.stubGlobal('setTimeout', (callback: () => void, ms: number) => {
    early.push(ms);
    return setTimeout(callback, ms - 1);
  });
  const called = vi.fn();
  webHost.after(10, called);
  vi.advanceTimersByTime(9);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(100);
  expect(called).toHaveBeenCalledOnce();
  expect(early.length).toBeGreaterThan(1);
});

test('a delay longer than a platform timer takes is waited for to its end', () => {
  vi.useFakeTimers();
  const platform = vi.spyOn(globalThis, 'setTimeout');
  const called = vi.fn();
  webHost.after(60 * DAY_MS, called);
  expect(platform.mock.lastCall?.[1]).toBe(2 ** 31 - 1);
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(called).toHaveBeenCalledOnce();
});

test('a callback that was cancelled does not come, not even in the last stretch of a long delay', () => {
  vi.useFakeTimers();
  const called = vi.fn();
  const cancel = webHost.after(60 * DAY_MS, called);
  vi.advanceTimersByTime(59 * DAY_MS);
  cancel();
  cancel();
  vi.advanceTimersByTime(10 * DAY_MS);
  expect(called).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('a wall clock that lags a little is waited for, one that was set back is not', () => {
  vi.useFakeTimers({ now: 100 * DAY_MS });
  const [slewed, set] = [vi.fn(), vi.fn()];
  webHost.after(1000, slewed);
  vi.setSystemTime(100 * DAY_MS - 20);
  vi.advanceTimersByTime(1019);
  expect(slewed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(slewed).toHaveBeenCalledOnce();
  webHost.after(1000, set);
  vi.setSystemTime(0);
  vi.advanceTimersByTime(1000);
  expect(set).toHaveBeenCalledOnce();
});

test('no delay, a negative one and one that is no number are the next turn', async () => {
  vi.useFakeTimers();
  const called = vi.fn();
  for (const ms of [0, -5, Number.NaN]) webHost.after(ms, called);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(called).toHaveBeenCalledTimes(3);
});

test('ids are unique and of few characters, also on pages that have no randomUUID', () => {
  const ids = new Set<string>();
  for (let i = 0; i < 1000; i++) ids.add(webHost.id());
  const random = vi.fn(<T extends Uint8Array>(bytes: T): T => bytes.map(() => Math.floor(webHost.random() * 256)) as T);
  vi.stubGlobal('crypto', { getRandomValues: random });
  for (let i = 0; i < 1000; i++) ids.add(webHost.id());
  expect(random).toHaveBeenCalledTimes(1000);
  expect(ids.size).toBe(2000);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{16,36}$/);
});
