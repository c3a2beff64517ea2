import { MemoryStorage, ProcessEngine, type RuntimeStorage, typed, workflow } from 'fuseline';
import { expect, onTestFinished, test } from 'vitest';
import { all, one, put, see } from './page.ts';

const MINUTE_MS = 60_000;

/** It talks, loops, sleeps and waits; `words` are what it says, once it is let. */
function patient(words: AsyncIterable<unknown>) {
  return workflow('patient', ($) => {
    const talk = $.step('talk', {}, async (_, { emit }) => {
      for await (const word of words) await emit(word);
    });
    const count = $.loop(
      'count',
      $.step('zero', {}, () => 0),
      (n) => n + 1,
      { until: (n) => n === 3 },
    );
    const nap = $.sleep('nap', MINUTE_MS, { after: count });
    const answer = $.waitFor('answer', typed<unknown>(), { signal: 'approved', after: count });
    return $.step('end', { answer, talk }, ({ answer }) => answer, { after: nap });
  });
}

/** What is said as it is given. */
function spoken() {
  const said: unknown[] = [];
  let heard = () => {};
  let isOver = false;
  return {
    say(...words: readonly unknown[]) {
      said.push(...words);
      heard();
    },
    end() {
      isOver = true;
      heard();
    },
    async *[Symbol.asyncIterator]() {
      for (let i = 0; ; i++) {
        while (i >= said.length && !isOver)
          await new Promise<void>((resolve) => {
            heard = resolve;
          });
        if (i >= said.length) return;
        yield said[i];
      }
    },
  };
}

async function begun(words = spoken()): Promise<RuntimeStorage> {
  const storage = new MemoryStorage();
  const engine = new ProcessEngine(patient(words), storage);
  await patient(words).dispatch(undefined, { storage, id: 'run' });
  await engine.start();
  onTestFinished(async () => {
    words.end();
    await engine.stop();
  });
  return storage;
}

test('a step that sleeps, waits or loops says so by sign, word and kind, and to a screen reader', async () => {
  const storage = new MemoryStorage();
  const words = spoken();
  await patient(words).dispatch(undefined, { storage, id: 'run' });
  const graph = put('fuseline-graph', { storage, run: 'run' });
  await see(() => expect(all(graph, '.node')).toHaveLength(6));
  const engine = new ProcessEngine(patient(words), storage);
  await engine.start();
  onTestFinished(() => engine.stop());
  const node = (at: number) => one(graph, `#step-${at}`);
  const textOf = (at: number) => node(at).textContent?.replace(/\s+/g, ' ').trim();
  await see(() => expect(textOf(4)).toBe('answer awaiting signal approved'));
  expect(textOf(3)).toMatch(/^nap sleeping until \d/);
  expect(textOf(2)).toMatch(/^count succeeded 3 rounds [\d.]+ m?s$/);
  expect(node(3).dataset.status).toBe('SLEEPING');
  expect([2, 3, 4].map((at) => one(node(at), '.kind').getAttribute('aria-label'))).toEqual([
    'loop',
    'sleep',
    'waits for a signal',
  ]);
  expect(all(node(0), '.kind')).toEqual([]);
  const told = () => one(graph, '[aria-live=polite]').textContent;
  await see(() => expect(told()).toMatch(/nap sleeps until \d.*\. answer waits for signal approved/));
  words.end();
});

test('what a step emits comes in live, the newest last, and is what it was at a moment', async () => {
  const words = spoken();
  const run = put('fuseline-run', { storage: await begun(words), run: 'run', selected: 'talk' });
  const parts = () => all(run, '.parts li').map(({ textContent }) => textContent);
  words.say('one', '<b>two</b>');
  await see(() => expect(parts()).toEqual(['one', '<b>two</b>']));
  const [first] = all(run, '.parts li');
  words.say({ three: 3 });
  await see(() => expect(parts()[2]).toMatch(/"three": 3/));
  expect(all(run, '.parts li')[0]).toBe(first);
  run.selected = 'count';
  await see(() => expect(one(run, '.step').textContent).toMatch(/It took 3 rounds\./));
  expect(parts()).toEqual([]);
  run.selected = 'talk';
  await see(() => expect(parts()).toHaveLength(3));
  run.moment = 0;
  await see(() => expect(parts()).toEqual([]));
  run.moment = undefined;
  await see(() => expect(parts()).toHaveLength(3));
  // Nothing else happens in the run by now.
  words.say('four');
  await see(() => expect(parts()[3]).toBe('four'));
});

test('how far a step is comes in live, of a list how far its items are, and is what it was at a moment', async () => {
  const steps = spoken();
  const striding = workflow('striding', ($) => {
    const list = $.step('list', {}, async (_, { heartbeat }) => {
      for await (const done of steps) heartbeat(done);
      return ['a', 'b'];
    });
    return $.each('each', list, async (item, { heartbeat, signal }) => {
      heartbeat(`<i>${item}</i>`);
      if (item === 'b') await new Promise((stopped) => signal.addEventListener('abort', stopped));
    });
  });
  const storage = new MemoryStorage();
  const engine = new ProcessEngine(striding, storage);
  await striding.dispatch(undefined, { storage, id: 'run' });
  await engine.start();
  onTestFinished(() => engine.stop({ drain: false }));
  const run = put('fuseline-run', { storage, run: 'run', selected: 'list' });
  const told = () => all(run, '[part=progress]:not([hidden]) pre').map(({ textContent }) => textContent);
  steps.say({ done: 1 });
  await see(() => expect(told()).toEqual([expect.stringMatching(/"done": 1\b/)]));
  const moment = await storage.peek('run', ({ seq }) => seq);
  steps.say({ done: 2 }, { done: 3 });
  await see(() => expect(told()).toEqual([expect.stringMatching(/"done": 3\b/)]));
  run.moment = moment;
  await see(() => expect(told()).toEqual([expect.stringMatching(/"done": 1\b/)]));
  run.moment = 0;
  await see(() => expect(told()).toEqual([]));
  run.moment = undefined;
  steps.end();
  run.selected = 'each';
  await see(() => expect(told()).toEqual(['1: <i>b</i>']));
  run.selected = 'list';
  await see(() => expect(told()).toEqual([expect.stringMatching(/"done": 3\b/)]));
});

test('of very many parts the latest are shown, and how many were before', async () => {
  const words = spoken();
  words.say(...Array.from({ length: 250 }, (_, i) => `part ${i}`));
  const run = put('fuseline-run', { storage: await begun(words), run: 'run', selected: 'talk' });
  await see(() => expect(all(run, '.parts li').at(-1)?.textContent).toBe('part 249'));
  expect(all(run, '.parts li')).toHaveLength(200);
  expect(one(run, '.step').textContent).toContain('50 earlier ones are in the journal.');
});

test('where signals may be sent, a step that waits for one has a form, and what is no JSON is not sent', async () => {
  const words = spoken();
  words.end();
  const storage = await begun(words);
  const run = put('fuseline-run', { storage, run: 'run', selected: 'answer' });
  await see(() => expect(one(run, '.step').textContent).toContain('It waits for signal approved.'));
  expect(all(run, 'form')).toEqual([]);
  run.signals = true;
  await see(() => expect(one(run, 'form button').textContent).toBe('Send signal approved'));
  const payload = one(run, 'textarea') as HTMLTextAreaElement;
  const send = (text: string) => {
    payload.value = text;
    one(run, 'form').dispatchEvent(new Event('submit', { cancelable: true }));
  };
  send('{no');
  await see(() => expect(one(run, 'form [role=status]').textContent).toMatch(/^This is not JSON/));
  expect((await storage.get('run')).signals).toEqual([]);
  expect(payload.value).toBe('{no');
  run.moment = 0;
  await see(() => expect(all(run, 'form')).toEqual([]));
  run.moment = undefined;
  await see(() => expect(all(run, 'form')).toHaveLength(1));
  send('{"by":"ann"}');
  await see(() => expect(one(run, '.step').textContent).toMatch(/answersucceeded/));
  expect(await storage.stepResult('run', 'answer')).toEqual({ by: 'ann' });
  expect(all(run, 'form')).toEqual([]);
});

test('a list is one node with how many of its items ended, and its results are those of all items', async () => {
  const storage = new MemoryStorage();
  const doubled = workflow('doubled', ($) => {
    const numbers = $.step('numbers', {}, () => [1, 2, 3]);
    const each = $.each('double', numbers, (n) => n * 2);
    return $.step('sum', { each }, ({ each }) => each.reduce((a, b) => a + b));
  });
  await doubled.dispatch(undefined, { storage, id: 'run' });
  const run = put('fuseline-run', { storage, run: 'run', selected: 'double' });
  const engine = new ProcessEngine(doubled, storage);
  await engine.start();
  onTestFinished(() => engine.stop());
  const results = () => all(run, 'pre.value').map(({ textContent }) => textContent?.replace(/\s+/g, ''));
  await see(() => expect(results()).toContain('[2,4,6]'));
  run.selected = 'sum';
  await see(() => expect(results()).toEqual(expect.arrayContaining(['12', '[2,4,6]'])));
  const graph = put('fuseline-graph', { storage, run: 'run' });
  await see(() => expect(all(graph, '.node')).toHaveLength(3));
  const node = () => one(graph, '#step-1').textContent?.replace(/\s+/g, ' ');
  await see(() => expect(node()).toMatch(/double succeeded 3 of 3 items/));
});
