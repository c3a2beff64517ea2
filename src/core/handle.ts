import { checkSignal, type Definition } from './definition.ts';
import type { StreamPart } from './run-reader.ts';
import type { RunStatus } from './run-state.ts';
import type { CommandOptions, RuntimeStorage } from './storage.ts';
import type { HistoryEvent, RunExport, RunView } from './views.ts';

/** A run of a workflow whose result is a `Result`, wherever it is worked on. */
export interface RunHandle<Result> {
  readonly id: string;
  /** Waits for the end of the run. Rejects with `RunFailedError`, which names run, step and attempt. */
  result(): Promise<Result>;
  status(): Promise<RunStatus>;
  get(): Promise<RunView>;
  cancel(options?: CommandOptions): Promise<void>;
  pause(options?: CommandOptions): Promise<void>;
  resume(options?: CommandOptions): Promise<void>;
  /** Takes a failed or cancelled run up again where it ended. */
  retry(options?: CommandOptions): Promise<void>;
  /** Reruns a step that has ended, and everything that depends on it. */
  enqueue(step: string, options?: CommandOptions & { readonly force?: 'not-taken' }): Promise<void>;
  /**
   * Tells the run something: the first step that waits for a signal of this name goes on with it; one that comes early
   * is kept. Rejects with `INVALID_SIGNAL` what no step that waits for it would take.
   */
  signal(name: string, payload?: unknown, options?: CommandOptions): Promise<void>;
  /** The history so far and what is added to it, until the run ends. */
  events(options?: { readonly from?: number }): AsyncIterable<HistoryEvent>;
  /** What a step emits, and has emitted, from a position on, until it ends. */
  stream(step: string, options?: { readonly from?: number }): AsyncIterable<StreamPart>;
  /** One sentence on what the run, or one of its steps, waits for. */
  explain(step?: string): Promise<string>;
  export(): Promise<RunExport>;
}

export function handleOf<Result>(storage: RuntimeStorage, id: string, definition: Definition): RunHandle<Result> {
  return {
    id,
    result: async () => (await storage.result(id)) as Result,
    status: () => storage.status(id),
    get: () => storage.get(id),
    cancel: (options) => storage.cancel(id, options),
    pause: (options) => storage.pause(id, options),
    resume: (options) => storage.resume(id, options),
    retry: (options) => storage.retry(id, options),
    enqueue: (step, options) => storage.enqueue(id, step, options),
    signal: async (name, payload, options) => {
      await checkSignal(definition, name, payload);
      await storage.signal(id, name, payload, options);
    },
    events: (options) => storage.watch(id, options),
    stream: (step, options) => storage.stream(id, step, options),
    explain: (step) => storage.explain(id, step),
    export: () => storage.export(id),
  };
}
