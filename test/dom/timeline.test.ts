import { MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { lanesOf } from '../../src/elements/lanes.ts';
import { ticksOf, timeAt, xOf, zoomed } from '../../src/elements/time-scale.ts';
import { all, finished, heardFrom, one, orders, press, put, see } from './page.ts';

test('the attempts stand in a table by worker, with how each ended', async () => {
  const timeline = put('fuseline-timeline', { storage: await finished(orders()), run: 'run' });
  await see(() => expect(all(timeline, '[role=table] [role=row]:has([role=cell])').length).toBe(4));
  const rows = all(timeline, '[role=table] [role=row]:has([role=cell])').map((row) =>
    [...row.children].map(({ textContent }) => textContent),
  );
  const time = expect.stringMatching(/^[\d.]+ m?s$/);
  expect(rows).toEqual([
    ['tab-1', 'run', 'read', '1', time, time, 'succeeded'],
    ['tab-1', 'run', 'check', '1', time, time, 'failed'],
    ['tab-1', 'run', 'check', '2', time, time, 'succeeded'],
    ['tab-1', 'run', 'bill', '1', time, time, 'succeeded'],
  ]);
});

test('a slider goes through the entries of the journal, and says where it stands', async () => {
  const storage = await finished(orders());
  const last = (await storage.peek('run', ({ seq }) => seq)) ?? -1;
  const timeline = put('fuseline-timeline', { storage, run: 'run' });
  const heard = heardFrom(timeline);
  const slider = one(timeline, '[role=slider]');
  await see(() => expect(slider.getAttribute('aria-valuemax')).toBe(String(last)));
  expect(slider.getAttribute('aria-valuetext')).toBe('now');
  press(slider, 'ArrowLeft');
  press(slider, 'ArrowLeft');
  expect(timeline.moment).toBe(last - 2);
  await see(() => expect(slider.getAttribute('aria-valuenow')).toBe(String(last - 2)));
  expect(slider.getAttribute('aria-valuetext')).toMatch(new RegExp(`^entry ${last - 2} of ${last}, [\\d.]+ m?s$`));
  press(slider, 'Home');
  press(slider, 'ArrowLeft');
  expect(timeline.moment).toBe(0);
  press(slider, 'End');
  expect(timeline.moment).toBeUndefined();
  const at = expect.any(Number);
  expect(heard).toEqual([
    ['moment', { seq: last - 1, at }],
    ['moment', { seq: last - 2, at }],
    ['moment', { seq: 0, at }],
    ['moment', { seq: undefined, at: undefined }],
  ]);
});

test('several runs share the lanes, and the slider chooses a time', async () => {
  const storage = new MemoryStorage();
  const quick = workflow('quick', ($) => $.step('go', {}, () => 1));
  for (const id of ['a', 'b', 'c']) await quick.dispatch(undefined, { storage, id });
  for (const name of ['tab-1', 'tab-2'])
    await new ProcessEngine(quick, storage, { name }).work(name === 'tab-1' ? 'a' : 'b');
  const timeline = put('fuseline-timeline', { storage, runs: ['a', 'b'] });
  const names = () => all(timeline, '.names div:not(.axis)').map(({ textContent }) => textContent);
  await see(() => expect(names()).toEqual(['tab-1', 'tab-2']));
  timeline.runs = ['b', 'c'];
  await see(() => expect(names()).toEqual(['tab-2']));
  const heard = heardFrom(timeline);
  press(one(timeline, '[role=slider]'), 'Home');
  expect(timeline.time).toBe((await storage.get('b')).createdAt);
  press(one(timeline, '[role=slider]'), 'End');
  expect(timeline.time).toBeUndefined();
  expect(heard.map(([, detail]) => detail)).toEqual([
    { seq: undefined, at: expect.any(Number) },
    { seq: undefined, at: undefined },
  ]);
});

test('a worker has as many rows as it did things at once, and an attempt that had not ended at a moment runs', () => {
  const attempt = (step: string, startedAt: number, endedAt: number, seq: number) =>
    ({ step, attempt: 1, worker: 'w.1', seq, endSeq: seq + 10, startedAt, endedAt, outcome: 'lost' }) as const;
  const attempts = new Map([
    ['a', [attempt('a', 0, 10, 1)]],
    ['b', [attempt('b', 5, 15, 2)]],
    ['c', [attempt('c', 10, 12, 3)]],
    ['d', [{ ...attempt('d', 1, 2, 4), worker: 'v.1' }]],
  ]);
  const lanes = lanesOf([{ run: 'r', attempts }], undefined);
  expect(
    lanes.map(({ name, rows, bars }) => [name, rows, bars.map(({ attempt: { step }, row }) => `${step}${row}`)]),
  ).toEqual([
    ['w', 2, ['a0', 'b1', 'c0']],
    ['v', 1, ['d0']],
  ]);
  const [then] = lanesOf([{ run: 'r', attempts }], 12);
  expect(then?.bars.map(({ attempt: { step, outcome } }) => `${step} ${outcome}`)).toEqual([
    'a lost',
    'b lost',
    'c running',
  ]);
});

test('a time scale is its own inverse, and its ticks are round and apart', () => {
  const scale = { from: 1_000_000, to: 1_090_000, width: 900 };
  for (const x of [0, 1, 450, 900]) expect(xOf(scale, timeAt(scale, x))).toBeCloseTo(x);
  const ticks = ticksOf(scale, scale.from);
  expect(ticks.map(({ label }) => label)).toEqual([
    '0',
    '10 s',
    '20 s',
    '30 s',
    '40 s',
    '50 s',
    '1 m 0 s',
    '1 m 10 s',
    '1 m 20 s',
    '1 m 30 s',
  ]);
  const near = { ...scale, ...zoomed(scale, 2, 1_030_000) };
  expect(xOf(near, 1_030_000)).toBeCloseTo(xOf(scale, 1_030_000));
  expect(near.to - near.from).toBe(45_000);
});
