import { MemoryStorage, ProcessEngine, typed, workflow } from 'fuseline';
import { expect, onTestFinished, test } from 'vitest';
import { openHouse } from '../../src/ui/page/house.ts';
import { all, one, put, see } from './page.ts';

const parcel = workflow('parcel', { input: typed<string>() }, ($) => {
  const address = $.waitFor('address', typed<string>());
  return $.step('sent', { what: $.input, address }, ({ what, address }) => `${what} to ${address}`);
});
const order = workflow('order', ($) => {
  const packed = $.step('packed', {}, () => 'a <b>book</b>');
  return $.run('shipping', parcel, packed, { timeout: '2h' });
});

/** An order whose parcel waits for its address, which one can say. */
async function shipping() {
  const storage = new MemoryStorage();
  const run = await order.dispatch(undefined, { storage, id: 'order-1' });
  const engine = new ProcessEngine(order, storage);
  await engine.start();
  onTestFinished(() => engine.stop());
  let child = '';
  for await (const event of run.events()) {
    if (event.type !== 'called') continue;
    child = event.child;
    break;
  }
  const answer = async (): Promise<void> => {
    await storage.signal(child, 'address', 'Paris');
    await run.result();
  };
  return { storage, child, answer };
}

const textOf = (element: Element) => element.textContent?.replace(/\s+/g, ' ').trim();

test('a step that has a workflow run says which one, leads to that run, and shows its result once it is there', async () => {
  const { storage, child, answer } = await shipping();
  const run = put('fuseline-run', { storage, run: 'order-1', selected: 'shipping' });
  const wanted: unknown[] = [];
  const hear = ({ detail }: HTMLElementEventMap['fuseline-open']) => void wanted.push(detail);
  document.body.addEventListener('fuseline-open', hear);
  onTestFinished(() => document.body.removeEventListener('fuseline-open', hear));
  const graph = one(run, 'fuseline-graph');
  await see(() => expect(textOf(one(graph, '#step-1'))).toMatch(/^shipping runs parcel, until \d/));
  await see(() =>
    expect(textOf(one(run, '.step'))).toMatch(/^shippingruns parcelIt waits for the end of another run, /),
  );
  one(run, '[part=child]').click();
  expect(wanted).toEqual([{ run: child, step: undefined }]);
  expect(run.run).toBe('order-1');
  const moment = await storage.peek('order-1', ({ seq }) => seq);
  await answer();
  const results = () => all(run, 'pre.value').map(({ textContent }) => textContent);
  await see(() => expect(results()[0]).toBe('"a <b>book</b> to Paris"'));
  expect(one(run, '[part=child]').textContent).toBe(child);
  run.moment = moment;
  await see(() => expect(textOf(one(graph, '#step-1'))).toMatch(/^shipping runs parcel/));
  run.moment = 0;
  await see(() => expect(all(run, '[part=child]')).toEqual([]));

  const other = put('fuseline-run', { storage, run: child });
  await see(() => expect(one(other, '[part=parent]').textContent).toBe('for step shipping of run order-1'));
  one(other, '[part=parent]').click();
  expect(wanted.at(-1)).toEqual({ run: 'order-1', step: 'shipping' });
});

test('the page puts its own output into the node of such a step with the result of that run', async () => {
  const { storage, answer } = await shipping();
  await answer();
  const seen: unknown[] = [];
  put('fuseline-graph', {
    storage,
    run: 'order-1',
    content: ({ name }, result) => {
      if (name === 'shipping') seen.push(result);
      return undefined;
    },
  });
  await see(() => expect(seen).toEqual(['a <b>book</b> to Paris']));
});

test('the list says for which step a run was made, and the page goes to a run that is wanted, and back', async () => {
  history.replaceState(null, '', '#run=order-1&step=shipping');
  const { storage, child } = await shipping();
  const root = document.createElement('div');
  document.body.append(root);
  const close = openHouse(root, { title: 'here', storage, refusal: undefined, leave: undefined });
  onTestFinished(async () => {
    await close();
    root.remove();
  });
  const inspector = one(root, '#run');
  await see(() => expect(one(inspector, '[part=child]').textContent).toBe(child));
  const rows = () => all(root, '.row .status').map(({ textContent }) => textContent);
  await see(() => expect(rows()).toEqual(['running · for step shipping · parcel', 'running · order']));
  one(inspector, '[part=child]').click();
  expect(new URLSearchParams(location.hash.slice(1)).get('run')).toBe(child);
  await see(() => expect(one(inspector, 'header h2').textContent).toBe(child));
  one(inspector, '[part=parent]').click();
  expect(location.hash).toBe('#run=order-1&step=shipping');
  await see(() => expect(one(inspector, 'header h2').textContent).toBe('order-1'));
});
