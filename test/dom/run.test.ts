import { MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { valueText } from '../../src/elements/value-text.ts';
import { all, finished, heardFrom, one, orders, press, put, see } from './page.ts';

test('the header says which run it is, how it is, and what it waits for', async () => {
  const storage = new MemoryStorage();
  await orders().dispatch(undefined, { storage, id: 'run', labels: { shop: 'paris' } });
  const run = put('fuseline-run', { storage, run: 'run' });
  const header = () => one(run, 'header').textContent;
  await see(() => expect(header()).toContain('Step "read" is ready, but no live worker can handle it'));
  expect(header()).toMatch(/^runwaitingorders · created .+shop: paris/);
  await storage.pause('run');
  await see(() => expect(header()).toContain('Run run is paused'));
  await storage.resume('run');
  await new ProcessEngine(orders(), storage).work('run');
  await see(() => expect(header()).toContain('Run run succeeded.'));
});

test('a step that is chosen shows its input, its result, its error and its attempts', async () => {
  const run = put('fuseline-run', { storage: await finished(orders({ total: 12 })), run: 'run' });
  const panel = () => one(run, '.step').textContent;
  await see(() => expect(panel()).toContain('Choose a step'));
  run.selected = 'check';
  await see(() =>
    expect(panel()).toMatch(/Result.*true.*Error of an earlier attempt.*Error: not today.*Input.*read.*1,\s*2/s),
  );
  const attempts = all(run, '.attempts li').map(({ textContent }) => textContent);
  expect(attempts).toEqual([
    expect.stringMatching(/^1\. failed, [\d.]+ m?stab-1$/),
    expect.stringMatching(/^2\. succeeded, [\d.]+ m?stab-1$/),
  ]);
  run.selected = 'bill';
  await see(() => expect(panel()).toMatch(/^billsucceededResult\{\s*"total": 12\s*\}/));
});

test('one bracket of the journal is one commit', async () => {
  const storage = await finished(orders());
  // Only what is in view is made, and here nothing has a size: some rows around the beginning.
  const run = put('fuseline-run', { storage, run: 'run', moment: 0 });
  await see(() => expect(all(run, '.row').length).toBeGreaterThan(4));
  const rows = all(run, '.row');
  const entries = new Map<string, string[]>();
  let seq = '';
  for (const row of rows) {
    seq = one(row, '.seq').textContent || seq;
    entries.set(seq, [...(entries.get(seq) ?? []), one(row, '.type').textContent ?? '']);
    expect(row.classList.contains('first')).toBe(one(row, '.seq').textContent !== '');
  }
  expect(entries.get('0')).toEqual(['created', 'ready']);
  const has = (row: HTMLElement | undefined, end: 'first' | 'last') => row?.classList.contains(end);
  expect(rows.filter((row) => has(row, 'first')).length).toBe(entries.size);
  rows.slice(0, -1).forEach((row, i) => void expect(has(row, 'last'), `row ${i}`).toBe(has(rows[i + 1], 'first')));
});

test('an entry, a bar and a node of a step are lit together, wherever the pointer is', async () => {
  const storage = await finished(orders());
  const run = put('fuseline-run', { storage, run: 'run' });
  const [graph, timeline] = [one(run, 'fuseline-graph'), one(run, 'fuseline-timeline')];
  await see(() => expect(all(graph, '.node').length).toBe(3));
  await see(() => expect(all(run, '.row').length).toBeGreaterThan(4));
  press(one(run, '.journal'), 'Home');
  const find = () => all(run, '.row').find(({ textContent }) => textContent?.includes('claimedread'));
  await see(() => expect(find()).toBeDefined());
  const row = find();
  const heard = heardFrom(run);
  row?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
  await see(() => expect(all(graph, '.marked').map(({ id }) => id)).toEqual(['step-0']));
  expect(timeline).toMatchObject({ marked: 'read' });
  expect(row?.classList.contains('marked')).toBe(true);
  one(graph, '#step-1').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
  expect(run.marked).toBe('check');
  await see(() => expect(timeline).toMatchObject({ marked: 'check' }));
  expect(heard.map(([type, detail]) => [type, (detail as { readonly step: string }).step])).toEqual([
    ['mark', 'read'],
    ['mark', 'check'],
  ]);
});

test('a moment chosen in one place is that of all, and one can go back to now', async () => {
  const storage = await finished(orders());
  const run = put('fuseline-run', { storage, run: 'run' });
  const heard = heardFrom(run);
  const [graph, timeline] = [one(run, 'fuseline-graph'), one(run, 'fuseline-timeline')];
  const states = () => all(graph, '.word').map(({ textContent }) => textContent);
  await see(() => expect(states()).toEqual(['succeeded', 'succeeded', 'succeeded']));
  press(one(run, '.journal'), 'Home');
  await see(() => expect(states()).toEqual(['ready', 'waiting', 'waiting']));
  expect(timeline).toMatchObject({ moment: 0 });
  expect(one(run, '.explain').textContent).toMatch(/^As it was after entry 0 of \d+\.$/);
  press(one(timeline, '[role=slider]'), 'ArrowRight');
  expect(run.moment).toBe(1);
  await see(() => expect(one(run, '.row.ahead .type').textContent).toBeTruthy());
  one(run, 'button.now').click();
  await see(() => expect(states()).toEqual(['succeeded', 'succeeded', 'succeeded']));
  await see(() => expect(one(run, '.explain').textContent).toBe('Run run succeeded.'));
  expect(heard.map(([type, detail]) => [type, (detail as { readonly seq: number }).seq])).toEqual([
    ['moment', 0],
    ['moment', 1],
    ['moment', undefined],
  ]);
});

test('a run that is made, removed and made again is followed, and its journal begins anew', async () => {
  const storage = new MemoryStorage();
  const quick = workflow('quick', ($) => $.step('go', {}, () => 1));
  const run = put('fuseline-run', { storage, run: 'run' });
  await see(() => expect(one(run, '.message').textContent).toBe('There is no run run.'));
  for (const turn of [1, 2]) {
    await quick.dispatch(undefined, { storage, id: 'run' });
    await new ProcessEngine(quick, storage, { name: `tab-${turn}` }).work('run');
    await see(() => expect(one(run, 'header').textContent).toContain('succeeded'));
    await see(() => expect(all(run, '.row').at(-1)?.textContent).toContain('SUCCEEDED'));
    expect(all(run, '.row').filter(({ textContent }) => textContent?.includes('created')).length).toBe(1);
    await see(() => expect(one(run, '.journal').textContent).toContain(`by tab-${turn}`));
    await storage.remove('run');
    // The second time it is there again before anybody has looked.
    if (turn === 1) await see(() => expect(one(run, '.message').textContent).toBe('There is no run run.'));
  }
  await quick.dispatch(undefined, { storage, id: 'run' });
  await see(() => expect(one(run, '.journal').textContent).not.toContain('by tab-2'));
  expect(all(run, '.row').map((row) => one(row, '.type').textContent)).toEqual(['created', 'ready']);
});

test('an element that has left the document follows nothing, and one that comes back goes on', async () => {
  const storage = await finished(orders());
  let armed = 0;
  const { host } = storage;
  const after = (ms: number, act: () => void) => {
    armed++;
    return host.after(ms, act);
  };
  const counting = { ...host, after };
  const watched = new Proxy(storage, {
    get(target, key) {
      if (key === 'host') return counting;
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const run = put('fuseline-run', { storage: watched, run: 'run' });
  await see(() => expect(one(run, 'header').textContent).toContain('succeeded'));
  expect(armed).toBeGreaterThan(0);
  run.remove();
  armed = 0;
  await storage.enqueue('run', 'bill');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(armed).toBe(0);
  document.body.append(run);
  await see(() => expect(one(run, 'header').textContent).toContain('running'));
});

test('a value is shown as far as one can look at it', () => {
  expect(valueText(undefined)).toBe('nothing');
  expect(valueText({ a: [1, new Date(0), 2n] })).toBe(
    '{\n  "a": [\n    1,\n    "1970-01-01T00:00:00.000Z",\n    "2"\n  ]\n}',
  );
  expect(valueText(new File(['abc'], 'a.txt', { type: 'text/plain' }))).toBe('"[a.txt, text/plain, 3 bytes]"');
  expect(valueText(new Uint8Array(5_000_000))).toBe('"[Uint8Array, 5000000 bytes]"');
  expect(valueText(Array.from({ length: 1e6 }, () => 1)).length).toBeLessThan(1000);
  expect(valueText('x'.repeat(1e6)).length).toBeLessThan(6000);
  const deep: { inner?: unknown } = {};
  deep.inner = deep;
  expect(valueText(deep)).toContain('[…]');
});
