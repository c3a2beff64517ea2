import { byReference, portable } from '../../core/codec.ts';
import type { Definition } from '../../core/definition.ts';
import { FuselineError } from '../../core/errors.ts';
import { rowsOfExport } from '../../core/exports.ts';
import { ProcessEngine } from '../../core/process-engine.ts';
import type { Keep } from '../../core/retention.ts';
import { type NewRun, RuntimeStorage } from '../../core/storage.ts';
import { graphFunction, type WithInput, type Workflow, workflowFunction } from '../../core/workflow.ts';
import { withBlobs } from '../blobs.ts';
import { webHost } from '../host.ts';
import { MemoryStore } from './memory-store.ts';

export { MemoryStore };

export interface MemoryStorageOptions {
  /** The rows of another storage, to see the same runs. */
  readonly store?: MemoryStore;
  /** `by-reference`: steps hand on live objects as they are, functions included; only for this process. */
  readonly values?: 'copied' | 'by-reference';
  readonly keep?: Keep;
}

/** Keeps runs in this process's memory: for tests, and for work that may be forgotten with the process. */
export class MemoryStorage extends RuntimeStorage {
  constructor({ store = new MemoryStore(), values = 'copied', keep }: MemoryStorageOptions = {}) {
    super({ store, host: webHost, codec: values === 'copied' ? portable : byReference(), ...(keep && { keep }) });
  }
}

/**
 * A storage of its own for a run that was exported, to look at it: no worker finds anything to do there. Rejects with
 * `INVALID_INPUT` if it is no export.
 */
export async function openExport(exported: unknown): Promise<RuntimeStorage> {
  const store = new MemoryStore();
  const { valueLength, batchOps } = store.limits;
  const rows = rowsOfExport(exported, valueLength);
  for (let at = 0; at < rows.length; at += batchOps) await store.commit({ put: rows.slice(at, at + batchOps) });
  // A page may have exported it.
  return new RuntimeStorage({ store, host: webHost, codec: withBlobs });
}

export interface PoolOptions {
  /** Attempts at once; 64 unless told. */
  readonly concurrency?: number;
  /** Where the runs stay to be looked at; one of its own for every run, gone with it, unless told. */
  readonly storage?: RuntimeStorage;
}

/** Runs workflows in memory: the same engine, over a store that hands on values as they are. */
export class PoolEngine {
  readonly #options: PoolOptions;

  constructor(options: PoolOptions = {}) {
    this.#options = options;
  }

  async run<In, Out>(
    workflow: Workflow<In, Out>,
    ...[input, options]: WithInput<In, [options?: { readonly id?: string }]>
  ): Promise<Out> {
    const run = await (workflow as Workflow<unknown, Out>).prepare(input);
    return (await this.execute(workflow, { ...run, id: options?.id })) as Out;
  }

  /** The same for a run that is prepared already. */
  async execute(definition: Definition, run: NewRun): Promise<unknown> {
    const { concurrency, storage = new MemoryStorage({ values: 'by-reference' }) } = this.#options;
    const engine = new ProcessEngine(definition, storage, concurrency === undefined ? {} : { concurrency });
    const { id, report } = await engine.execute(run);
    if (report.stranded.length > 0) throw new FuselineError('STRANDED', await storage.explain(id));
    return storage.result(id);
  }
}

const pool = new PoolEngine();
const inMemory = (definition: Definition, run: NewRun): Promise<unknown> => pool.execute(definition, run);

/** Defines a workflow: a typed graph of steps, written as a function that names them. */
export const workflow = workflowFunction(inMemory);

/** Makes a workflow of a graph that came as plain data, and the handlers of its steps by name. */
export const defineGraph = graphFunction(inMemory);
