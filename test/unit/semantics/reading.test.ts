import { type HistoryEvent, typed, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import { Retention } from '../../../src/core/retention.ts';
import { boom, gate, nothing, Rig } from './rig.ts';

const fine = workflow('fine', { labels: { team: 'a' } }, ($) => $.step('a', {}, () => 'done'));
const other = workflow('other', ($) => $.step('a', {}, boom));

describe('a list', () => {
  async function filled(): Promise<Rig> {
    const rig = new Rig();
    for (let i = 0; i < 5; i++) {
      await fine.dispatch(undefined, { storage: rig.storage, id: `fine-${i}`, labels: { n: String(i % 2) } });
      await rig.host.advance(1000);
    }
    await other.dispatch(undefined, { storage: rig.storage, id: 'other' });
    await rig.work(other, 'other');
    return rig;
  }
  const ids = async (rig: Rig, query: Parameters<typeof rig.storage.list>[0]) =>
    (await rig.open().list(query)).runs.map(({ id }) => id);

  test('is newest first, by workflow, status, label and time', async () => {
    const rig = await filled();
    const start = Date.UTC(2020, 0, 1);
    expect(await ids(rig, {})).toEqual(['other', 'fine-4', 'fine-3', 'fine-2', 'fine-1', 'fine-0']);
    expect(await ids(rig, { workflow: 'other' })).toEqual(['other']);
    expect(await ids(rig, { status: 'FAILED' })).toEqual(['other']);
    expect(await ids(rig, { status: ['FAILED', 'PENDING'], limit: 2 })).toEqual(['other', 'fine-4']);
    expect(await ids(rig, { labels: { n: '1', team: 'a' } })).toEqual(['fine-3', 'fine-1']);
    expect(await ids(rig, { labels: { n: '2' } })).toEqual([]);
    expect(await ids(rig, { createdFrom: start + 1000, createdBefore: start + 3000 })).toEqual(['fine-2', 'fine-1']);
  });

  test('comes in pages that together are the whole, without a run twice', async () => {
    const rig = await filled();
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await rig.storage.list({ limit: 2, workflow: 'fine', ...(cursor !== undefined && { cursor }) });
      pages.push(page.runs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined && pages.length < 10);
    expect(pages.flat()).toEqual(['fine-4', 'fine-3', 'fine-2', 'fine-1', 'fine-0']);
    expect(pages[0]).toHaveLength(2);
  });
});

test('events() tells the history so far and, live, what is added to it elsewhere, until the run ends', async () => {
  const rig = new Rig();
  const hold = gate();
  const wf = workflow('w', ($) => {
    const a = $.step('a', {}, nothing);
    return $.step('b', { a }, () => hold.promise);
  });
  const run = await rig.dispatch(wf, undefined);
  const seen: HistoryEvent[] = [];
  const watching = (async () => {
    for await (const event of run.events()) seen.push(event);
  })();
  const working = rig.engine(wf, {}, rig.open()).work('run');
  await rig.host.advance(1500);
  expect(seen.map(({ type }) => type)).toContain('succeeded');
  expect(seen.at(-1)).toMatchObject({ type: 'claimed', step: 'b', attempt: 1 });
  hold.open();
  await rig.host.until(Promise.all([working, watching]));
  expect(seen.at(-1)).toMatchObject({ type: 'ended', status: 'SUCCEEDED' });
  const positions = seen.map(({ seq, index }) => seq * 1000 + index);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  const history: HistoryEvent[] = [];
  for await (const event of rig.open().history('run')) history.push(event);
  expect(seen).toEqual(history);
});

test('an export is a copy of the run as plain data, its large values included', async () => {
  const rig = new Rig();
  const wf = workflow('w', ($) => {
    const big = $.step('big', {}, () => 'x'.repeat(9000));
    return $.step('size', { big }, ({ big }) => big.length);
  });
  const run = await rig.dispatch(wf, undefined);
  await rig.work(wf, 'run');
  const copy = JSON.parse(JSON.stringify(await run.export()));
  expect(copy).toMatchObject({ format: 'fuseline-run/1', id: 'run', graph: { name: 'w' } });
  expect(Object.values(copy.values)).toEqual([JSON.stringify('x'.repeat(9000))]);
  expect(
    copy.entries.flatMap((entry: { events: { type: string }[] }) => entry.events.map(({ type }) => type)),
  ).toContain('ended');
});

describe('explain() says in one sentence', () => {
  test('what a run, or one of its steps, waits for, and how they ended', async () => {
    const rig = new Rig();
    const hold = gate();
    const wf = workflow('w', ($) => {
      const a = $.step('a', {}, () => hold.promise);
      const flaky = $.step('flaky', {}, boom, { retry: { attempts: 2, base: '10s', jitter: 'none' } });
      $.step('b', { a }, nothing);
      const fork = $.branch('fork', { a }, (): 'x' | 'y' => 'x');
      $.step('y', {}, nothing, { after: fork.on('y') });
      $.step('skipped', { a: a.when(() => false) }, nothing);
      return $.step('c', { flaky }, nothing);
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf, { name: 'worker' }).work('run');
    await rig.host.advance(1000);
    expect(await run.explain('b')).toBe('Step "b" waits for step "a" (running).');
    expect(await run.explain('a')).toMatch(/^Step "a" is running: attempt 1 on worker .+, for 1/);
    expect(await run.explain('flaky')).toMatch(
      /^Step "flaky" failed in attempt 1 \(boom\); the next attempt starts in 9/,
    );
    expect(await run.explain()).toMatch(/^Run run is running step "a" on worker/);
    hold.open();
    await rig.host.until(working);
    expect(await run.explain('a')).toBe('Step "a" succeeded in attempt 1.');
    expect(await run.explain('flaky')).toBe('Step "flaky" failed in attempt 2: boom.');
    expect(await run.explain('c')).toBe('Step "c" was cancelled because step "flaky" failed.');
    expect(await run.explain('y')).toBe('Step "y" was skipped because it lies on a road not taken.');
    expect(await run.explain('skipped')).toBe('Step "skipped" was skipped by its own condition.');
    expect(await run.explain()).toBe('Run run failed because step "flaky" did (boom).');
  });

  test('how long a step sleeps in words of people, and that it had no attempt', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) => {
      $.waitFor('never', typed<string>(), { timeout: '1s' });
      return $.sleep('nap', '2m');
    });
    const run = await rig.dispatch(wf, undefined);
    const working = rig.engine(wf).work('run');
    await rig.host.advance(2000);
    expect(await run.explain()).toMatch(/^Step "nap" sleeps for another 1 m 5\d s/);
    await rig.host.advance(120_000);
    await rig.host.until(working);
    expect(await run.explain('nap')).toBe('Step "nap" succeeded.');
    expect(await run.explain('never')).toMatch(/^Step "never" failed: step "never" was sent no signal/);
  });

  test('all that a run waits for, where nothing of it is under way', async () => {
    const rig = new Rig();
    const other = workflow('other', ($) => $.sleep('rest', '2h'));
    const wf = workflow('w', ($) => {
      $.waitFor('approval', typed<string>());
      $.sleep('nap', '1h');
      $.step('flaky', {}, boom, { retry: { attempts: 2, base: '30m', jitter: 'none' } });
      $.run('child', other, {});
      return $.each(
        'each',
        $.step('list', {}, () => [1, 2]),
        boom,
        { retry: { attempts: 2, base: '40m', jitter: 'none' } },
      );
    });
    const run = await rig.dispatch(wf, undefined);
    void rig.engine(wf).work('run');
    await rig.host.advance(60_000);
    expect(await run.explain()).toMatch(
      /^Run run waits for step "flaky" \(due in 29 m.*\), step "each" \(0 of 2 items have ended\), step "nap" \(due in 59 m.*\), step "approval" \(signal "approval"\) and step "child" \(run run::\S+\)\.$/,
    );
  });

  test('that a run is scheduled, paused, or cancelled', async () => {
    const rig = new Rig();
    await fine.dispatch(undefined, { storage: rig.storage, id: 'run', startAt: rig.host.now() + 60_000 });
    const run = fine.get('run', { storage: rig.storage });
    expect(await run.explain()).toMatch(/"a" starts in 1 m 0 s/);
    await run.pause();
    expect(await run.explain()).toMatch(/paused/);
    await run.cancel();
    expect(await run.explain()).toBe('Run run was cancelled.');
    expect(await run.explain('a')).toBe('Step "a" was cancelled with its run.');
    await expect(run.explain('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_STEP' });
  });
});

describe('removing', () => {
  const rows = async (rig: Rig) => (await rig.store.scan({ from: '!', to: '~' })).map(({ key }) => key);

  // proves: remove.all
  test('takes everything the run recorded away; the same id begins anew, also for whoever knew the old one', async () => {
    const rig = new Rig();
    const elsewhere = rig.open();
    const big = workflow('big', ($) => $.step('a', {}, () => 'x'.repeat(9000)));
    await rig.dispatch(big, undefined);
    await rig.work(big, 'run');
    expect(await elsewhere.status('run')).toBe('SUCCEEDED');
    await rig.storage.remove('run');
    await expect(elsewhere.status('run')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
    expect((await elsewhere.list()).runs).toEqual([]);
    expect(
      (await rows(rig)).filter((key) => key.startsWith('value/') || key.startsWith('head/') || key.startsWith('time/')),
    ).toEqual([]);
    await fine.dispatch(undefined, { storage: elsewhere, id: 'run' });
    expect(await rig.storage.status('run')).toBe('PENDING');
    await rig.work(fine, 'run');
    expect(await elsewhere.result('run')).toBe('done');
  });

  // proves: remove.unended
  test('is refused for a run that has not ended, and for one that does not exist', async () => {
    const rig = new Rig();
    await rig.dispatch(fine, undefined);
    await expect(rig.storage.remove('run')).rejects.toMatchObject({ code: 'RUN_NOT_FINISHED' });
    await expect(rig.storage.remove('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  });

  test.each([
    ['by age', { finished: '30d' } as const, ['day-2', 'unfinished']],
    ['by count', { finished: 2 } as const, ['day-1', 'day-2', 'unfinished']],
  ])('keeps %s, never one that has not ended', async (_, keep, left) => {
    const rig = new Rig();
    await rig.dispatch(fine, undefined, 'unfinished');
    for (let day = 0; day < 3; day++) {
      await rig.dispatch(fine, undefined, `day-${day}`);
      await rig.work(fine, `day-${day}`);
      await rig.host.advance(20 * 86_400_000);
    }
    await new Retention(rig.store, rig.host, keep).sweep();
    expect((await rig.storage.list()).runs.map(({ id }) => id).sort()).toEqual(left);
  });

  test('does a bounded amount of work in one sweep, and all of it in several', async () => {
    const rig = new Rig();
    for (let i = 0; i < 250; i++) await (await rig.dispatch(fine, undefined, `r${i}`)).cancel();
    await rig.host.advance(1000);
    const retention = new Retention(rig.store, rig.host, { finished: '500ms' });
    const removed = [
      await retention.sweep(),
      await retention.sweep(),
      await retention.sweep(),
      await retention.sweep(),
    ];
    expect(removed).toEqual([100, 100, 50, 0]);
    expect((await rig.storage.list()).runs).toEqual([]);
  });

  test('what a removal leaves behind is swept as well', async () => {
    const rig = new Rig();
    await rig.end(fine);
    await rig.storage.remove('run');
    await rig.host.advance(2 * 86_400_000);
    const retention = new Retention(rig.store, rig.host, undefined);
    for (let i = 0; i < 3; i++) await retention.sweep();
    // What is left are graphs, which any number of runs share.
    expect((await rows(rig)).filter((key) => !key.startsWith('graph/'))).toEqual([]);
  });
});
