import { MemoryStorage, ProcessEngine, type StepView, workflow } from 'fuseline';
import { type GraphShape, layoutGraph } from 'fuseline/elements';
import { expect, test } from 'vitest';
import { all, finished, heardFrom, one, orders, press, put, see } from './page.ts';

/** What a screen reader says of each node. */
function nodesOf(graph: Element): readonly string[] {
  return all(graph, '.node').map(({ textContent }) => (textContent ?? '').replace(/\s+/g, ' ').trim());
}

test('every step is a node that says its name, its state, which attempt, and how long or why', async () => {
  const graph = put('fuseline-graph', { storage: await finished(orders()), run: 'run' });
  await see(() =>
    expect(nodesOf(graph)).toEqual([
      expect.stringMatching(/^read succeeded [\d.]+ m?s$/),
      expect.stringMatching(/^check succeeded attempt 2 [\d.]+ m?s$/),
      expect.stringMatching(/^bill succeeded [\d.]+ m?s$/),
    ]),
  );
  expect(all(graph, '.edges path').map((path) => path.getAttribute('data-state'))).toEqual(['live', 'live', 'live']);
});

test('names, results and errors are text, whatever they contain', async () => {
  const hostile = '<img src=x onerror="globalThis.hit = true">{{}}<script>globalThis.hit = true</script>';
  const evil = workflow(hostile, ($) => {
    const first = $.step(hostile, {}, () => hostile);
    return $.step('fails', { first }, () => {
      throw new Error(hostile);
    });
  });
  const storage = await finished(evil as never);
  const run = put('fuseline-run', { storage, run: 'run', selected: 'fails' });
  const graph = one(run, 'fuseline-graph');
  await see(() => expect(nodesOf(graph)).toEqual([expect.stringContaining(hostile), expect.stringContaining(hostile)]));
  await see(() => expect(one(run, '.step').textContent).toContain(hostile));
  await see(() => expect(one(run, '.journal').textContent).toContain(hostile));
  run.selected = hostile;
  await see(() => expect(one(run, '.step pre').textContent).toContain('<img src=x'));
  for (const root of [run, graph, one(run, 'fuseline-timeline')]) expect(all(root, 'img, script')).toEqual([]);
  expect(globalThis).not.toHaveProperty('hit');
});

test('a change touches the nodes of the steps that have changed, and no other', async () => {
  const wide = workflow('wide', ($) => {
    const first = $.step('first', {}, () => 1);
    for (let i = 0; i < 30; i++) $.step(`side-${i}`, { first }, ({ first }) => first);
    return first;
  });
  const storage = await finished(wide);
  const graph = put('fuseline-graph', { storage, run: 'run' });
  await see(() => expect(nodesOf(graph).filter((label) => label.includes('succeeded')).length).toBe(31));
  const touched = new Set<string>();
  const observer = new MutationObserver((records) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const node = element?.closest('.node');
      if (node) touched.add(node.id);
    }
  });
  observer.observe(graph.shadowRoot as ShadowRoot, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  await storage.enqueue('run', 'side-7');
  await see(() => expect(nodesOf(graph)[8]).toBe('side-7 ready'));
  expect([...touched]).toEqual(['step-8']);
  observer.disconnect();
});

test('the page puts its own output into a node, made of the step and its result, where its styles reach it', async () => {
  const storage = await finished(orders({ total: 12 }));
  const calls: (readonly [string, unknown])[] = [];
  const kept = document.createElement('b');
  const content = ({ name, status }: StepView, result: unknown) => {
    calls.push([`${name} ${status}`, result]);
    if (name === 'check') return kept;
    return name === 'bill' ? document.createTextNode(JSON.stringify(result)) : undefined;
  };
  for (const name of ['fuseline-graph', 'fuseline-run'] as const) {
    calls.length = 0;
    const element = put(name, { storage, run: 'run', content });
    await see(() => expect(element.textContent).toBe('{"total":12}'));
    expect(calls).toEqual(
      expect.arrayContaining([
        ['read SUCCEEDED', [1, 2]],
        ['check SUCCEEDED', true],
        ['bill SUCCEEDED', { total: 12 }],
      ]),
    );
    expect(kept.getRootNode()).toBe(document);
    const graph = name === 'fuseline-graph' ? element : one(element, 'fuseline-graph');
    const slot = one(graph, '#step-2 slot') as HTMLSlotElement;
    expect(slot.assignedNodes({ flatten: true }).map(({ textContent }) => textContent)).toEqual(['{"total":12}']);
    const { length } = calls;
    await storage.enqueue('run', 'bill');
    await see(() => expect(element.textContent).toBe('undefined'));
    expect(calls.slice(length).map(([step]) => step)).toEqual(['bill PENDING']);
    element.remove();
    await new ProcessEngine(orders({ total: 12 }), storage).work('run');
  }
});

test('the keyboard moves along the arrows, chooses and lets go', async () => {
  const graph = put('fuseline-graph', { storage: await finished(orders()), run: 'run' });
  const heard = heardFrom(graph);
  await see(() => expect(nodesOf(graph).length).toBe(3));
  const view = one(graph, '[role=listbox]');
  view.focus();
  const active = () => view.getAttribute('aria-activedescendant');
  press(view, 'Home');
  expect(active()).toBe('step-0');
  press(view, 'ArrowRight');
  expect(active()).toBe('step-1');
  press(view, 'ArrowRight');
  expect(active()).toBe('step-2');
  press(view, 'ArrowRight');
  expect(active()).toBe('step-2');
  press(view, 'Enter');
  expect(graph.selected).toBe('bill');
  await see(() => expect(one(graph, '#step-2').getAttribute('aria-selected')).toBe('true'));
  press(view, 'Escape');
  expect(graph.selected).toBeUndefined();
  expect(heard.filter(([type]) => type === 'select')).toEqual([
    ['select', { run: 'run', step: 'bill' }],
    ['select', { run: 'run', step: undefined }],
  ]);
});

test('a step under the pointer is marked, and one that is clicked is selected, in events that leave shadow roots', async () => {
  const graph = put('fuseline-graph', { storage: await finished(orders()), run: 'run' });
  await see(() => expect(nodesOf(graph).length).toBe(3));
  const heard: unknown[] = [];
  const hear = (event: Event) => heard.push((event as CustomEvent).detail);
  document.addEventListener('fuseline-mark', hear);
  document.addEventListener('fuseline-select', hear);
  const node = one(graph, '#step-1 .name');
  node.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
  expect(graph.marked).toBe('check');
  await see(() => expect(all(graph, '.marked').map(({ id }) => id)).toEqual(['step-1']));
  expect(all(graph, 'path.lit').length).toBe(2);
  node.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(graph.selected).toBe('check');
  one(graph, '.view').dispatchEvent(new PointerEvent('pointerleave'));
  expect(graph.marked).toBeUndefined();
  await see(() => expect(all(graph, '.marked, path.lit')).toEqual([]));
  expect(heard).toEqual([
    { run: 'run', step: 'check' },
    { run: 'run', step: 'check' },
    { run: 'run', step: undefined },
  ]);
  document.removeEventListener('fuseline-mark', hear);
  document.removeEventListener('fuseline-select', hear);
});

test('what changes is said to a screen reader: which step, how it ended, the attempt, the worker', async () => {
  let let_go = () => {};
  const gate = new Promise<void>((resolve) => {
    let_go = resolve;
  });
  const slow = workflow('slow', ($) => $.step('resize', {}, () => gate.then(() => 1)));
  const storage = new MemoryStorage();
  await slow.dispatch(undefined, { storage, id: 'run' });
  const engine = new ProcessEngine(slow, storage, { name: 'tab-1' });
  const worked = engine.work('run');
  const graph = put('fuseline-graph', { storage, run: 'run' });
  await see(() => expect(nodesOf(graph)).toEqual(['resize running tab-1']));
  const live = one(graph, '[aria-live=polite]');
  expect(live.textContent).toBe('');
  let_go();
  await worked;
  await see(() => expect(live.textContent).toBe('resize succeeded, attempt 1, worker tab-1. Run run succeeded'));
});

test('a graph shows the run as it was at a moment, and as it is again', async () => {
  const storage = await finished(orders());
  const graph = put('fuseline-graph', { storage, run: 'run', moment: 0 });
  const states = () => all(graph, '.word').map(({ textContent }) => textContent);
  await see(() => expect(states()).toEqual(['ready', 'waiting', 'waiting']));
  graph.moment = undefined;
  await see(() => expect(states()).toEqual(['succeeded', 'succeeded', 'succeeded']));
  graph.moment = 1;
  await see(() => expect(states()).toEqual(['running', 'waiting', 'waiting']));
  graph.moment = 1000;
  await see(() => expect(one(graph, '.message').textContent).toMatch(/cannot be viewed at 1000/));
});

test('what cannot be shown is said: no storage, no run, a run that is not there, a storage that is closed', async () => {
  const storage = await finished(orders());
  const graph = put('fuseline-graph', {});
  const says = (text: RegExp) => see(() => expect(one(graph, '.message:not([hidden])').textContent).toMatch(text));
  await says(/^Not connected to a storage\.$/);
  graph.storage = storage;
  await says(/^No run is chosen\.$/);
  graph.setAttribute('run', 'nobody');
  expect(graph.run).toBe('nobody');
  await says(/^There is no run nobody\.$/);
  graph.run = 'run';
  expect(graph.getAttribute('run')).toBe('run');
  await see(() => expect(nodesOf(graph).length).toBe(3));
  await storage.close();
  await says(/closed/);
});

test('properties that were set before the element was defined are heeded', async () => {
  const storage = await finished(orders());
  const graph = document.createElement('fuseline-graph');
  for (const [name, value] of Object.entries({ storage, run: 'run', direction: 'down' }))
    Object.defineProperty(graph, name, { value, writable: true, enumerable: true, configurable: true });
  document.body.append(graph);
  await see(() => expect(nodesOf(graph).length).toBe(3));
  expect(graph.direction).toBe('down');
  graph.remove();
});

test('a layout of the page’s own is asked for once per graph, and what it cannot do is said', async () => {
  const storage = await finished(orders());
  const shapes: GraphShape[] = [];
  const graph = put('fuseline-graph', {
    storage,
    run: 'run',
    layout: (shape) => {
      shapes.push(shape);
      return layoutGraph(structuredClone(shape));
    },
  });
  await see(() => expect(nodesOf(graph).length).toBe(3));
  expect(shapes).toMatchObject([
    {
      nodes: 3,
      edges: [
        [0, 1],
        [0, 2],
        [1, 2],
      ],
      direction: 'right',
    },
  ]);
  graph.layout = () => Promise.reject(new Error('the Worker is gone'));
  await see(() => expect(one(graph, '.message').textContent).toContain('the Worker is gone'));
});
