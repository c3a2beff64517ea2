import { defineGraph, ProcessEngine, type RuntimeStorage, type Workflow } from 'fuseline';
import { type CorpusCase, type CorpusNote, corpusWorkflow, judgeCorpus } from 'fuseline/testing';

/** Where cases run and their results are read again. */
export interface Backend {
  readonly name: string;
  /** Runs `body` with a function that opens the same storage as often as it is called. */
  readonly bracket: (body: (open: () => RuntimeStorage) => Promise<void>) => Promise<void>;
  readonly run: (
    workflow: Workflow<unknown, unknown>,
    id: string,
    input: unknown,
    storage: RuntimeStorage,
    workers: number,
  ) => Promise<void>;
}

/** Dispatched, and worked on by several engines. */
export const dispatched: Backend['run'] = async (workflow, id, input, storage, workers) => {
  await workflow.dispatch(input, { storage, id });
  await Promise.all(Array.from({ length: workers }, () => new ProcessEngine(workflow, storage).work(id)));
};

export interface Verdict {
  readonly id: string;
  readonly wrong: readonly string[];
}

/** Runs every case on a backend, so many at a time, then reads what came of it through a storage opened anew. */
export async function runCorpus(
  cases: readonly CorpusCase[],
  { bracket, run }: Backend,
  workers: number,
  lanes = 1,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  await bracket(async (open) => {
    const storage = open();
    const ended = await inLanes(cases, lanes, async (found) => {
      const { graph, handlers, input, notes } = corpusWorkflow(found);
      await run(defineGraph(graph, handlers), found.id, input, storage, workers);
      return { found, notes };
    });
    const again = open();
    verdicts.push(...(await inLanes(ended, lanes, ({ found, notes }) => judge(found, notes, again))));
    await storage.close();
    if (again !== storage) await again.close();
  });
  return verdicts;
}

async function judge(found: CorpusCase, notes: readonly CorpusNote[], storage: RuntimeStorage): Promise<Verdict> {
  const { id } = found;
  const { status, steps } = await storage.get(id);
  const results = new Map<string, unknown>();
  for (const { name, status: end } of steps)
    if (end === 'SUCCEEDED') results.set(name, await storage.stepResult(id, name));
  return { id, wrong: judgeCorpus(found, { status, steps, results, notes }) };
}

/** Does something for each item, in their order in each lane. */
async function inLanes<T, U>(items: readonly T[], lanes: number, body: (item: T) => Promise<U>): Promise<readonly U[]> {
  const queue = items.entries();
  const done: U[] = new Array(items.length);
  const lane = async (): Promise<void> => {
    for (const [i, item] of queue) done[i] = await body(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return done;
}
