import { ProcessEngine, type RunHandle, type RuntimeStorage, typed, type Workflow, workflow } from 'fuseline';
import { ensure, equal } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

export interface Order {
  readonly item: string;
  readonly price: number;
}

/** Bodies of `packed` that wait until they are let end, and who waits for them to begin; by the ids of their runs. */
const packing = new Map<string, () => void>();
const watching = new Map<string, (end: () => void) => void>();

export const charge = workflow('features-charge', { input: typed<Order>() }, ($) => {
  const checked = $.step('checked', { order: $.input }, ({ order }) => {
    if (order.price > 100) throw new Error(`${order.price} is too much`);
    return order.price;
  });
  return $.step('charged', { checked }, ({ checked }) => ({ paid: checked }));
});

export const pack = workflow(
  'features-pack',
  { input: typed<{ readonly order: Order; readonly paid: number }>() },
  ($) =>
    $.step('packed', { all: $.input }, ({ all }, { signal, runId }) => {
      if (all.order.item !== 'heavy') return `${all.order.item} for ${all.paid}`;
      return new Promise<string>((resolve, reject) => {
        const end = () => resolve('heavy, at last');
        packing.set(runId, end);
        watching.get(runId)?.(end);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }),
);

export const ordering = workflow('features-ordering', { input: typed<Order>() }, ($) => {
  const payment = $.run('payment', charge, $.input);
  const paid = $.step('paid', { payment }, ({ payment }) => payment.paid);
  return $.run('parcel', pack, { order: $.input, paid });
});

export const forgiving = workflow('features-forgiving', { input: typed<Order>() }, ($) => ({
  payment: $.run('payment', charge, $.input, {
    fallback: (error) => ({ paid: Number(error.message.includes('too much')) }),
  }),
}));

export const hasty = workflow('features-hasty', { input: typed<Order>() }, ($) => {
  const paid = $.step('paid', {}, () => 1);
  return $.run('parcel', pack, { order: $.input, paid }, { timeout: 500 });
});

export interface Level {
  readonly level: number;
}

/** Has itself run, until it is deep enough. */
export const nested: Workflow<Level, number> = workflow('features-nested', { input: typed<Level>() }, ($) => {
  const way = $.branch('way', { at: $.input }, ({ at }) => (at.level > 0 ? 'down' : 'out'));
  const below = $.step('below', { at: $.input }, ({ at }) => ({ level: at.level - 1 }), { after: way.on('down') });
  const deeper = $.run('deeper', () => nested, below);
  const out = $.step('out', {}, () => 0, { after: way.on('out') });
  return $.step('depth', { either: $.any(deeper, out) }, ({ either }) => either + 1);
});

export const childCases: readonly FeatureCase[] = [
  // proves: child.input, child.result, child.visible, child.engine
  {
    name: 'a step has a workflow run, as one run of its own, and hands on its result',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await ordering.dispatch(
          { item: 'book', price: 12 },
          { storage, labels: { of: 'parent' }, priority: 7 },
        );
        // Who works on a run works on those it waits for.
        await new ProcessEngine(ordering, storage, { concurrency: 1 }).work(run.id);
        equal(await run.result(), 'book for 12', 'the result');
        const { steps, parent } = await run.get();
        equal(parent, undefined, 'the parent of the run at the top');
        const [payment = '', , parcel = ''] = steps.map(({ child }) => child);
        const view = await storage.get(payment);
        equal(view.parent, { run: run.id, step: 'payment' }, 'the parent of the first');
        equal([view.workflow, view.priority, view.status], ['features-charge', 7, 'SUCCEEDED'], 'the first');
        equal(await pack.get(parcel, { storage }).result(), 'book for 12', 'the result of the second');
        equal((await storage.list()).runs.length, 3, 'runs in all');
        const told = await typesOf(run);
        equal(count(told, 'called'), 2, 'calls');
        equal(count(told, 'returned'), 2, 'returns');
      }),
  },
  // proves: child.failed, child.fallback, child.rerun
  {
    name: 'a run that fails fails the step it was made for; a retry has another one made',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await ordering.dispatch({ item: 'car', price: 900 }, { storage });
        const engine = new ProcessEngine([ordering, forgiving], storage);
        await engine.work(run.id);
        const [{ error, child } = {}] = (await run.get()).steps;
        equal([error?.code, error?.cause?.message], ['CHILD_FAILED', '900 is too much'], 'the error of the step');
        await run.retry();
        await engine.work(run.id);
        equal(await run.status(), 'FAILED', 'the run after a retry');
        ensure((await run.get()).steps[0]?.child !== child, 'a retry waits for the run that failed');
        equal((await storage.list()).runs.length, 3, 'runs in all');
        const other = await forgiving.dispatch({ item: 'car', price: 900 }, { storage });
        await engine.work(other.id);
        equal(await other.result(), { payment: { paid: 1 } }, 'the result of a fallback');
      }),
  },
  // proves: child.cancelled, child.timeout, child.waits
  {
    name: 'a run is cancelled when the step it was made for waits no longer',
    run: (ground) =>
      during(ground, async (storage) => {
        const engine = new ProcessEngine([ordering, hasty], storage);
        await engine.start();
        const run = await ordering.dispatch({ item: 'heavy', price: 5 }, { storage });
        const child = await called(run, 'parcel');
        ensure(
          /has workflow "features-pack" run as run /.test(await run.explain('parcel')),
          await run.explain('parcel'),
        );
        await begun(child);
        await run.cancel();
        equal(await endOf(storage, child), 'CANCELLED', 'the run that is not waited for');
        const late = await hasty.dispatch({ item: 'heavy', price: 5 }, { storage });
        const tooLate = await called(late, 'parcel');
        equal(await endOf(storage, late.id), 'FAILED', 'the run of the step that waited too long');
        const end = await endOf(storage, tooLate).catch(({ code }: { readonly code?: string }) => code);
        // One whose time is over before it is made never is: somebody was slow.
        const wasMade = end !== 'UNKNOWN_RUN' || packing.has(tooLate);
        if (wasMade) equal(end, 'CANCELLED', 'the run that took too long');
        const [, step] = (await late.get()).steps;
        equal([step?.status, step?.error?.code], ['FAILED', 'STEP_TIMEOUT'], 'the step that waited too long');
        await engine.stop();
      }),
  },
  // proves: child.kept, child.once
  {
    name: 'a run that a step waits for goes on after everything was closed, and is the only one',
    run: async (ground) => {
      const { id, child } = await during(ground, async (storage) => {
        const run = await ordering.dispatch({ item: 'heavy', price: 5 }, { storage });
        const engine = new ProcessEngine(ordering, storage);
        await engine.start();
        const child = await called(run, 'parcel');
        await begun(child);
        await engine.stop({ drain: false });
        return { id: run.id, child };
      });
      await during(ground, async (storage) => {
        const run = ordering.get(id, { storage });
        packing.clear();
        const engine = new ProcessEngine(ordering, storage);
        await engine.start();
        (await begun(child))();
        equal(await run.result(), 'heavy, at last', 'the result');
        equal((await run.get()).steps[2]?.child, child, 'the run it waits for');
        equal((await storage.list()).runs.length, 3, 'runs in all');
        await engine.stop();
      });
    },
  },
  {
    name: 'a workflow may have itself run',
    run: (ground) =>
      during(ground, async (storage) => {
        const engine = new ProcessEngine(nested, storage);
        const run = await nested.dispatch({ level: 3 }, { storage });
        await engine.work(run.id);
        equal(await run.result(), 4, 'levels');
      }),
  },
];

async function typesOf(run: RunHandle<unknown>): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { type } of run.events()) types.push(type);
  return types;
}

function count(types: readonly string[], type: string): number {
  return types.filter((one) => one === type).length;
}

/** The run that a step has had made, once it has. */
async function called(run: RunHandle<unknown>, step: string): Promise<string> {
  for await (const event of run.events()) if (event.type === 'called' && event.step === step) return event.child;
  throw new Error(`${run.id} has ended, and step ${step} has called nothing`);
}

async function endOf(storage: RuntimeStorage, run: string): Promise<string> {
  for await (const event of storage.watch(run)) if (event.type === 'ended') return event.status;
  throw new Error(`${run} has no end`);
}

/** Lets its packing end, once it has begun. */
async function begun(run: string): Promise<() => void> {
  return packing.get(run) ?? new Promise((resolve) => void watching.set(run, resolve));
}
