import { setImmediate } from 'node:timers/promises';
import {
  type Batch,
  type CommitResult,
  type Definition,
  type EngineOptions,
  FuselineError,
  type Liveness,
  MemoryStore,
  ProcessEngine,
  type RunHandle,
  RuntimeStorage,
  type Workflow,
} from 'fuseline';
import { VirtualHost } from '../../../src/testing/virtual-host.ts';

/** Rows in memory and a clock the test turns; any number of storages on them, as if each were a process. */
export class Rig {
  readonly host: VirtualHost;
  readonly store = new MemoryStore();
  readonly storage: RuntimeStorage;

  constructor(seed = 1) {
    this.host = new VirtualHost({ seed, settle: () => setImmediate(), abortController: () => new AbortController() });
    this.storage = this.open();
  }

  /** What another process would hold. */
  open(parts: { readonly liveness?: Liveness } = {}): RuntimeStorage {
    return new RuntimeStorage({ store: this.store.reopen(), host: this.host, ...parts });
  }

  engine(
    workflows: Definition | readonly Definition[],
    options: EngineOptions = {},
    storage = this.storage,
  ): ProcessEngine {
    return new ProcessEngine(workflows, storage, options);
  }

  async dispatch<In, Out>(workflow: Workflow<In, Out>, input: In, id = 'run'): Promise<RunHandle<Out>> {
    return workflow.dispatch(input, { storage: this.storage, id });
  }

  /** Dispatches a run, works it to its end, and hands back how its steps ended. */
  async end<Out>(workflow: Workflow<undefined, Out>, id = 'run'): Promise<Readonly<Record<string, string>>> {
    await this.dispatch(workflow, undefined, id);
    await this.work(workflow, id);
    return this.steps(id);
  }

  async work(workflow: Definition, run?: string, options: EngineOptions = {}): Promise<void> {
    await this.host.until(this.engine(workflow, options).work(run));
  }

  /** How the steps of a run stand; of a skipped one, why. */
  async steps(run = 'run'): Promise<Readonly<Record<string, string>>> {
    const { status, steps } = await this.storage.get(run);
    return Object.fromEntries([
      ['run', status],
      ...steps.map(({ name, status, reason }) => [name, reason === 'not-taken' ? 'NOT-TAKEN' : status]),
    ]);
  }

  /** The types of the events of a run, with the steps they are about. */
  async history(run = 'run'): Promise<readonly string[]> {
    const events: string[] = [];
    for await (const event of this.storage.history(run)) {
      const about = 'step' in event ? [event.step] : 'steps' in event ? event.steps : [];
      events.push([event.type, ...about].join(' '));
    }
    return events;
  }
}

/** Takes no more characters at once than that. */
export class SmallStore extends MemoryStore {
  static readonly most = 1024 * 1024;

  override async commit(batch: Batch): Promise<CommitResult> {
    const size = (batch.put ?? []).reduce((sum, { value }) => sum + value.length, 0);
    if (size > SmallStore.most) throw new FuselineError('VALUE_TOO_LARGE', `a batch of ${size} characters`);
    return super.commit(batch);
  }
}

/** A promise, and what settles it. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = nothing;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

export const nothing = (): undefined => undefined;
export const boom = (): never => {
  throw new Error('boom');
};
