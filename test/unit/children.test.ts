import { setImmediate } from 'node:timers/promises';
import {
  type Batch,
  type Definition,
  defineGraph,
  MemoryStorage,
  MemoryStore,
  PoolEngine,
  ProcessEngine,
  RuntimeStorage,
  typed,
  type Workflow,
  workflow,
} from 'fuseline';
import { type LastCommit, MortalStore, simulate, simulated, testRun, VirtualHost } from 'fuseline/testing';
import { describe, expect, test } from 'vitest';
import { SmallStore } from './semantics/rig.ts';

const child = workflow('child', { input: typed<{ readonly n: number }>(), labels: { by: 'child' } }, ($) => {
  const n = $.step('double', { given: $.input }, ({ given }) => given.n * 2);
  return $.step('add', { n }, ({ n }) => n + 1);
});

const parent = workflow('parent', ($) => {
  const n = $.step('n', {}, () => 20);
  const sum = $.run('sum', child, { n });
  return $.step('text', { sum }, ({ sum }) => `it is ${sum}`);
});

const slow = workflow('slow', ($) => $.sleep('nap', '1h'));
const hasty = workflow('hasty', ($) => $.run('wait', slow, {}, { timeout: '1s' }));

/** A process that may die at one of its commits. */
class DyingStore extends MortalStore {
  readonly #dieAt: number;
  readonly #fate: LastCommit;
  commits = 0;
  readonly dead: Promise<void>;
  #died: () => void = () => undefined;

  constructor(rows: MemoryStore, dieAt: number, fate: LastCommit) {
    super(rows.reopen());
    this.#dieAt = dieAt;
    this.#fate = fate;
    this.dead = new Promise((resolve) => {
      this.#died = resolve;
    });
  }

  override commit(batch: Batch): ReturnType<MortalStore['commit']> {
    const answer = super.commit(batch);
    if (++this.commits !== this.#dieAt) return answer;
    this.die(this.#fate);
    this.#died();
    return answer;
  }
}

// proves: child.once, child.cancelled
describe.each(['happens', 'is lost'] as const)('a worker dies at each of its commits, which %s', (fate) => {
  test.each([
    ['and the run it waits for is made once, and ends once', parent, ['SUCCEEDED', 'SUCCEEDED']],
    ['and the run nobody waits for is cancelled', hasty, ['FAILED', 'CANCELLED']],
  ] as const)('%s', async (_, definition, ends) => {
    for (let dieAt = 1, died = true; died; dieAt++) {
      const rows = new MemoryStore();
      const host = new VirtualHost({ settle: () => setImmediate(), abortController: () => new AbortController() });
      const first = new DyingStore(rows, dieAt, fate);
      const before = new RuntimeStorage({
        store: first,
        host,
        liveness: { evidence: 'first', watch: () => () => undefined },
      });
      const after = new RuntimeStorage({
        store: rows.reopen(),
        host,
        liveness: {
          evidence: 'second',
          watch(_, gone) {
            if (!first.alive) gone();
            return () => undefined;
          },
        },
      });
      const { id } = await definition.dispatch(undefined, { storage: after });
      const working = new ProcessEngine(definition as Definition, before).work(id);
      await host.until(Promise.race([working, first.dead]));
      died = !first.alive;
      const engine = new ProcessEngine(definition as Definition, after);
      await engine.start();
      await host.advance(60_000);
      const { runs } = await after.list();
      expect([dieAt, runs.toReversed().map(({ status }) => status)]).toEqual([dieAt, ends]);
      // Nothing of it is left to be done.
      expect(await after.timerRows(10)).toEqual([]);
      await host.until(engine.stop());
    }
  });
});

// proves: child.cancelled
test('a run that nobody waits for any more is not made by who comes late to it', async () => {
  const rows = new MemoryStore();
  const storage = new MemoryStorage({ store: rows.reopen() });
  await stopBeforeMade(storage);
  const [start] = await storage.errands('top');
  let late = (): void => undefined;
  class Late extends MortalStore {
    override async commit(batch: Batch): ReturnType<MortalStore['commit']> {
      await new Promise<void>((resolve) => {
        late = resolve;
      });
      return super.commit(batch);
    }
  }
  const sleepy = new RuntimeStorage({ store: new Late(rows.reopen()), host: storage.host });
  await sleepy.peek('top', () => undefined);
  const making = sleepy.runErrand(start as string);
  await setImmediate();
  await storage.cancel('top');
  await new ProcessEngine(parent, storage).work();
  late();
  await making;
  expect((await storage.list()).runs.map(({ id }) => id)).toEqual(['top']);
  expect(await storage.timerRows(10)).toEqual([]);
});

// proves: child.failed
test('a run whose output is too large to be handed on fails the step that waits for it', async () => {
  const half = () => 'x'.repeat(SmallStore.most * 0.6);
  const large = workflow('large', ($) => ({
    one: $.step('one', {}, half),
    other: $.step('other', { after: $.step('before', {}, () => 1) }, half),
  }));
  const calls = workflow('calls', ($) => $.run('large', large, {}));
  const storage = new MemoryStorage({ store: new SmallStore() });
  const { id } = await calls.dispatch(undefined, { storage });
  await new ProcessEngine(calls, storage, { concurrency: 1 }).work(id);
  const [below, run] = (await storage.list()).runs;
  expect([run?.status, below?.status]).toEqual(['FAILED', 'SUCCEEDED']);
  expect((await storage.get(id)).steps).toMatchObject([{ status: 'FAILED', error: { code: 'VALUE_TOO_LARGE' } }]);
  expect(await storage.timerRows(10)).toEqual([]);
});

// proves: child.once, child.result
test('a run is made, and told of, at once also where the clock was set back', async () => {
  const host = new VirtualHost({ settle: () => setImmediate(), abortController: () => new AbortController() });
  let back = 0;
  const storage = new RuntimeStorage({
    store: new MemoryStore(),
    host: {
      now: () => host.now() - back,
      monotonic: () => host.monotonic(),
      after: (ms, callback) => host.after(ms, callback),
      id: () => host.id(),
      random: () => host.random(),
      abortController: () => host.abortController(),
    },
  });
  const engine = new ProcessEngine(parent, storage);
  await engine.start();
  const { id } = await parent.dispatch(undefined, { storage });
  back = 3_600_000;
  await host.advance(5000);
  expect(await storage.status(id)).toBe('SUCCEEDED');
  await host.until(engine.stop());
});

test('a workflow that runs itself, made anew by each that does, is one to its worker', async () => {
  const make = (): Workflow<{ readonly n: number }, unknown> =>
    workflow('again', { input: typed<{ readonly n: number }>() }, ($) => {
      const n = $.step('n', { given: $.input }, ({ given }) => given.n - 1);
      return $.any($.run('again', make, { n: n.when((left) => left > 0) }), n);
    });
  const storage = new MemoryStorage();
  const { id } = await make().dispatch({ n: 3 }, { storage });
  await new ProcessEngine(make(), storage).work(id);
  expect((await storage.list()).runs.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
});

// proves: child.untold
test('a run that ended is kept until its parent knows, and tells it when it is removed', async () => {
  const storage = new MemoryStorage({ keep: { finished: 0 } });
  await stopBeforeMade(storage);
  const [start] = await storage.errands('top');
  await storage.runErrand(start as string);
  const made = (await storage.list()).runs.find(({ parent }) => parent)?.id as string;
  await storage.cancel(made);
  expect(await storage.sweep()).toBe(0);
  expect((await storage.get('top')).steps[1]).toMatchObject({ status: 'PENDING', child: made });
  await storage.remove(made);
  expect((await storage.get('top')).steps[1]).toMatchObject({ status: 'FAILED', error: { code: 'CHILD_FAILED' } });
  expect(await storage.sweep()).toBe(1);
});

// proves: child.protocol, child.input
test('a run has the labels of its own workflow, and is left alone by who does not know of parents', async () => {
  const storage = new MemoryStorage();
  const run = await parent.dispatch(undefined, { storage, labels: { by: 'parent' } });
  await new ProcessEngine(parent, storage).work();
  const { runs } = await storage.list({ labels: { by: 'child' } });
  expect(runs).toMatchObject([{ workflow: 'child', parent: { run: run.id, step: 'sum' } }]);
  expect(runs[0]?.id.startsWith(`${run.id}::`)).toBe(true);
  for (const { id } of (await storage.list()).runs) {
    const { entries } = await storage.export(id);
    expect(new Set(entries.map(({ protocol }) => protocol))).toEqual(new Set([5]));
  }
});

// proves: child.invalid
test('an input that the other workflow does not take fails the step, and nothing is made', async () => {
  const strict = workflow(
    'strict',
    {
      input: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            typeof value === 'number' ? { value } : { issues: [{ message: 'must be a number', path: [] }] },
        },
      },
    },
    ($) => $.step('it', { n: $.input }, ({ n }) => n),
  );
  const wrong = workflow('wrong', ($) =>
    $.run(
      'strict',
      strict,
      $.step('text', {}, () => 'one'),
    ),
  );
  const storage = new MemoryStorage();
  const run = await wrong.dispatch(undefined, { storage });
  await new ProcessEngine(wrong, storage).work();
  expect((await run.get()).steps[1]).toMatchObject({ status: 'FAILED', attempt: 1, error: { code: 'INVALID_INPUT' } });
  expect((await storage.list()).runs).toHaveLength(1);
});

test('workflows that have others run are run in memory, tested and simulated', async () => {
  expect(await parent.run()).toBe('it is 41');
  expect(await new PoolEngine().run(parent)).toBe('it is 41');
  const tried = await testRun(parent, undefined);
  expect(await tried.result()).toBe('it is 41');
  const faked = await testRun(parent, undefined, { steps: { sum: ({ n }) => n } });
  expect(await faked.result()).toBe('it is 20');
  expect(faked.calls('sum')).toEqual([{ attempt: 1, needs: { n: 20 } }]);
  const crashed = await testRun(parent, undefined);
  await crashed.until('sum');
  await crashed.crash();
  expect(await crashed.result()).toBe('it is 41');
  await simulate({ workflows: [simulated(parent)], worlds: 20 });
});

// proves: child.depth
test('a workflow that has itself run without an end fails where it is too deep', async () => {
  const endless: Workflow<number, unknown> = workflow('endless', { input: typed<number>() }, ($) =>
    $.run(
      'deeper',
      () => endless,
      $.step('n', { n: $.input }, ({ n }) => n + 1),
    ),
  );
  const storage = new MemoryStorage();
  const run = await endless.dispatch(0, { storage });
  await new ProcessEngine(endless, storage).work(run.id);
  const { runs } = await storage.list({ status: 'FAILED' });
  expect(runs).toHaveLength(33);
  const { steps } = await storage.get(runs[0]?.id as string);
  expect(steps[1]).toMatchObject({ status: 'FAILED', error: { code: 'CHILD_DEPTH' } });
  await expect(run.result()).rejects.toThrow(/^run .* failed: step "deeper", attempt 1: run .* failed: step "deeper"/);
});

test('a graph from elsewhere names the workflow, and its handlers bring it', async () => {
  const steps = [
    { name: 'sum', kind: 'run' as const, workflow: 'child', needs: [{ param: 'n', from: 'input' as const }] },
  ];
  const graph = { name: 'data', steps, output: { from: 'step' as const, step: 'sum' } };
  const data = defineGraph(graph, { sum: { run: ({ n }: { n: number }) => ({ n }), calls: () => child as never } });
  expect(await data.run(4)).toBe(9);
  const wrong = (step: object) => () => defineGraph({ name: 'wrong', steps: [{ name: 'a', ...step }] }, { a: () => 1 });
  expect(wrong({ workflow: 'child' })).toThrow(/names a workflow, and is no step that has one run/);
  expect(wrong({ kind: 'run', workflow: '' })).toThrow(/has workflow "" run; give it 1 to 256 characters/);
  const many = Array.from({ length: 2001 }, (_, i) => ({ name: `s${i}`, kind: 'run' as const }));
  expect(() => defineGraph({ name: 'many', steps: many }, {})).toThrow(/2001 steps that have a workflow run/);
  expect(() => workflow('none', ($) => $.run('it', undefined as never, {}))).toThrow(
    /which workflow step "it" has run/,
  );
});

// proves: child.cancelled, child.engine
test('who works on one run works within its room, and leaves nothing running below it', async () => {
  let [busy, most] = [0, 0];
  const leaf = workflow('leaf', ($) =>
    $.step('waits', {}, async (_, { signal }) => {
      most = Math.max(most, ++busy);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      busy--;
    }),
  );
  const middle = workflow('middle', ($) => $.run('leaf', leaf, {}));
  const top = workflow('top', { deadline: 300 }, ($) =>
    Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i, $.run(`middle ${i}`, middle, {})])),
  );
  const storage = new MemoryStorage();
  await top.dispatch(undefined, { storage, id: 'top' });
  await new ProcessEngine(top, storage, { concurrency: 3 }).work('top');
  expect(most).toBe(3);
  const { runs } = await storage.list();
  expect(runs.filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
  expect(await storage.timerRows(10)).toEqual([]);
});

test('what cannot be done between two runs keeps nobody from anything else', async () => {
  const store = new MemoryStore();
  const storage = new MemoryStorage({ store });
  await stopBeforeMade(storage);
  // As if it were of a kind that this version cannot read.
  await store.commit({
    put: [{ key: `graph/${child.graph().hash}`, value: '{"name":"child","steps":[{"name":"a","kind":"new"}]}' }],
  });
  const fresh = new MemoryStorage({ store: store.reopen() });
  const other = workflow('other', ($) => $.step('it', {}, () => 'done'));
  const engine = new ProcessEngine(other, fresh);
  const errors: unknown[] = [];
  engine.on('error', (error) => errors.push(error));
  await engine.start();
  const run = await other.dispatch(undefined, { storage: fresh });
  expect(await run.result()).toBe('done');
  expect(errors).toMatchObject([{ error: { code: 'INVALID_DEFINITION' } }]);
  expect(errors[0]).not.toHaveProperty('fatal');
  await engine.stop();
});

/** A run of `parent`, as it is when it has called the other one and nobody has made that. */
async function stopBeforeMade(storage: RuntimeStorage): Promise<void> {
  await parent.dispatch(undefined, { storage, id: 'top' });
  const engine = new ProcessEngine(parent, storage);
  engine.on('finished', ({ outcome }) => void (outcome === 'called' && engine.stop()));
  await engine.work('top');
}
