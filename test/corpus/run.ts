import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  defineGraph,
  MemoryStorage,
  MemoryStore,
  PoolEngine,
  ProcessEngine,
  type RuntimeStorage,
  type Workflow,
} from 'fuseline';
import { FileStorage } from 'fuseline/node';
import {
  type CorpusCase,
  type CorpusNote,
  checkCorpus,
  corpusWorkflow,
  judgeCorpus,
  parseCorpus,
} from 'fuseline/testing';

/** Where cases run and their results are read again. */
interface Backend {
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

const dispatched: Backend['run'] = async (workflow, id, input, storage, workers) => {
  await workflow.dispatch(input, { storage, id });
  await Promise.all(Array.from({ length: workers }, () => new ProcessEngine(workflow, storage).work(id)));
};

export const BACKENDS: readonly Backend[] = [
  {
    name: 'pool',
    // What is handed on by reference cannot be opened twice.
    async bracket(body) {
      const storage = new MemoryStorage({ values: 'by-reference' });
      await body(() => storage);
    },
    async run(workflow, id, input, storage, concurrency) {
      // A run that fails is judged by its steps.
      await new PoolEngine({ concurrency, storage }).run(workflow, input, { id }).catch(() => undefined);
    },
  },
  {
    name: 'memory',
    async bracket(body) {
      const store = new MemoryStore();
      await body(() => new MemoryStorage({ store: store.reopen() }));
    },
    run: dispatched,
  },
  {
    name: 'file',
    async bracket(body) {
      const directory = await mkdtemp(join(tmpdir(), 'fuseline-corpus-'));
      await body(() => new FileStorage(directory));
      await rm(directory, { recursive: true });
    },
    run: dispatched,
  },
];

export const WAYS: readonly number[] = [1, 4];

export interface Verdict {
  readonly id: string;
  readonly wrong: readonly string[];
}

/** The cases of a directory of `.jsonl` files: the one `FUSELINE_CORPUS` names, or ours. */
export async function readCorpus(
  directory: string = process.env.FUSELINE_CORPUS ?? resolve(import.meta.dirname, 'cases'),
): Promise<readonly CorpusCase[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort();
  const cases = await Promise.all(
    files.map(async (name) => parseCorpus(await readFile(join(directory, name), 'utf8'), name)),
  );
  checkCorpus(cases.flat(), directory);
  return cases.flat();
}

/** Runs every case on a backend, then reads what came of it through a storage opened anew. */
export async function runCorpus(
  cases: readonly CorpusCase[],
  { bracket, run }: Backend,
  workers: number,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  await bracket(async (open) => {
    const storage = open();
    const ended: { readonly found: CorpusCase; readonly notes: readonly CorpusNote[] }[] = [];
    for (const found of cases) {
      const { graph, handlers, input, notes } = corpusWorkflow(found);
      await run(defineGraph(graph, handlers), found.id, input, storage, workers);
      ended.push({ found, notes });
    }
    const again = open();
    for (const { found, notes } of ended) {
      const { id } = found;
      const { status, steps } = await again.get(id);
      const results = new Map<string, unknown>();
      for (const { name, status: end } of steps)
        if (end === 'SUCCEEDED') results.set(name, await again.stepResult(id, name));
      verdicts.push({ id, wrong: judgeCorpus(found, { status, steps, results, notes }) });
    }
    await storage.close();
    if (again !== storage) await again.close();
  });
  return verdicts;
}
