import { ProcessEngine, type RuntimeStorage, type Step, typed, type Workflow, workflow } from 'fuseline';

/** A workload: work that a storage is given, and how many steps that is. */
export interface Load {
  readonly name: string;
  readonly steps: number;
  run(storage: RuntimeStorage): Promise<void>;
}

const one = ({ x }: { readonly x: number }): number => x + 1;

/** Each step adds one to the result of the step before it. */
export function chain(length: number): Load {
  const definition = workflow(`chain-${length}`, { input: typed<number>() }, ($) => {
    let last: Step<number> = $.step('s0', { x: $.input }, one);
    for (let i = 1; i < length; i++) last = $.step(`s${i}`, { x: last }, one);
    return last;
  });
  return { name: `chain of ${length.toLocaleString('en')}`, steps: length, run: runOf(definition, length) };
}

/** One step, `width` that wait for it, one that waits for those. */
export function fan(width: number, concurrency: number): Load {
  const definition = workflow(`fan-${width}`, { input: typed<number>() }, ($) => {
    const first = $.step('first', { x: $.input }, one);
    const middle = Array.from({ length: width }, (_, i) => [`m${i}`, $.step(`m${i}`, { x: first }, one)] as const);
    return $.step('last', Object.fromEntries(middle), (all) => Object.values(all).reduce((sum, x) => sum + x, 0));
  });
  const bound = concurrency === Number.POSITIVE_INFINITY ? 'unlimited' : `at ${concurrency}`;
  return {
    name: `fan of ${width.toLocaleString('en')}, ${bound}`,
    steps: width + 2,
    run: runOf(definition, 2 * width, concurrency),
  };
}

/** Many short runs, dispatched together and worked off by one engine. */
export function shortRuns(runs: number): Load {
  const definition = workflow('short', { input: typed<number>() }, ($) => {
    const first = $.step('first', { x: $.input }, one);
    const second = $.step('second', { x: first }, one);
    return $.step('third', { x: second }, one);
  });
  return {
    name: `${runs.toLocaleString('en')} three-step runs`,
    steps: runs * 3,
    async run(storage) {
      const inputs = Array.from({ length: runs }, (_, i) => i);
      const handles = await Promise.all(inputs.map((i) => definition.dispatch(i, { storage })));
      await new ProcessEngine(definition, storage).work();
      const results = await Promise.all(handles.map((handle) => handle.result()));
      for (const [i, result] of results.entries()) mustBe(result, i + 3, `run ${i}`);
    },
  };
}

function runOf(definition: Workflow<number, number>, expected: number, concurrency?: number): Load['run'] {
  return async (storage) => {
    const run = await definition.dispatch(0, { storage });
    await new ProcessEngine(definition, storage, concurrency === undefined ? {} : { concurrency }).work(run.id);
    mustBe(await run.result(), expected, definition.name);
  };
}

/** A figure of an engine that gets its sums wrong is worth nothing. */
function mustBe(result: number, expected: number, what: string): void {
  if (result !== expected) throw new Error(`${what} came to ${result} instead of ${expected}`);
}
