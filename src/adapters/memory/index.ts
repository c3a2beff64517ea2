import { byReference } from '../../core/codec.ts';
import type { Definition } from '../../core/definition.ts';
import { FuselineError } from '../../core/errors.ts';
import { ProcessEngine } from '../../core/process-engine.ts';
import type { Keep } from '../../core/retention.ts';
import { RuntimeStorage } from '../../core/storage.ts';
import { graphFunction, workflowFunction } from '../../core/workflow.ts';
import { webHost } from '../host.ts';
import { MemoryStore } from './memory-store.ts';

export { MemoryStore };

/** Keeps runs in this process's memory: for tests, and for work that may be forgotten with the process. */
export class MemoryStorage extends RuntimeStorage {
  constructor({ store = new MemoryStore(), keep }: { readonly store?: MemoryStore; readonly keep?: Keep } = {}) {
    super({ store, host: webHost, ...(keep && { keep }) });
  }
}

/**
 * Runs workflows in memory: the same engine over a store of its own for every run, without a codec, so that steps hand
 * on live objects as they are.
 */
export class PoolEngine {
  readonly #concurrency: number | undefined;

  constructor({ concurrency }: { readonly concurrency?: number } = {}) {
    this.#concurrency = concurrency;
  }

  async run<Out>(workflow: Definition & { run(...args: never): Promise<Out> }, input?: unknown): Promise<Out> {
    return (await this.execute(workflow, input)) as Out;
  }

  async execute(definition: Definition, input: unknown): Promise<unknown> {
    const storage = new RuntimeStorage({ store: new MemoryStore(), host: webHost, codec: byReference() });
    const engine = new ProcessEngine(definition, storage, this.#concurrency === undefined ? {} : { concurrency: this.#concurrency });
    const { id, report } = await engine.execute({ graph: definition.graph, input });
    if (report.stranded.length > 0) throw new FuselineError('STRANDED', await storage.explain(id));
    return storage.result(id);
  }
}

const pool = new PoolEngine();
const inMemory = (definition: Definition, input: unknown): Promise<unknown> => pool.execute(definition, input);

/** Defines a workflow: a typed graph of steps, written as a function that names them. */
export const workflow = workflowFunction(inMemory);

/** Makes a workflow of a graph that came as plain data, and the handlers of its steps by name. */
export const defineGraph = graphFunction(inMemory);
