import type { Builder, Defaults, Named, Output, OutputOf, StepsBehind } from './builder.ts';
import type { Context } from './context.ts';
import { refuseDeadJoins } from './dead-joins.ts';
import type { Definition, Handler } from './definition.ts';
import { Draft } from './draft.ts';
import { type Duration, durationMs } from './duration.ts';
import { FuselineError } from './errors.ts';
import { type CompiledGraph, compileGraph, type Graph } from './graph.ts';
import { handleOf, type RunHandle } from './handle.ts';
import { ProcessEngine } from './process-engine.ts';
import { type StandardSchema, typed, validate } from './schema.ts';
import type { NewRun, RuntimeStorage } from './storage.ts';

export interface WorkflowOptions {
  readonly version?: string;
  readonly defaults?: Defaults;
  /** The first step that fails cancels everything unfinished. */
  readonly failFast?: boolean;
  /** From dispatch on; what is left then is cancelled. */
  readonly deadline?: Duration;
  /** What every run of it is labelled with. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface DispatchOptions {
  readonly storage: RuntimeStorage;
  /** The idempotency key: the same id and input again finds the run there is. */
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** A moment, or epoch milliseconds. */
  readonly startAt?: Date | number;
  readonly priority?: number;
}

/** `input` is left out where the workflow has none. */
export type WithInput<In, Rest extends readonly unknown[]> = undefined extends In
  ? [input?: In, ...rest: Rest]
  : [input: In, ...rest: Rest];

declare const STEPS: unique symbol;

/** `Steps`: those its output depends on, known to types only. */
export interface Workflow<In, Out, out Steps = Named> extends Definition {
  readonly [STEPS]?: Steps;
  readonly version: string | undefined;
  /** What checks the input; `typed()`, which checks nothing, unless told. */
  readonly input: StandardSchema;
  /** Runs in memory; or, with a storage, durably: finds the run by its id or dispatches it, works until it ends, hands back what it recorded. */
  run(...args: WithInput<In, [options?: DispatchOptions]>): Promise<Out>;
  /** Queues a run and executes nothing. */
  dispatch(...args: [input: In, options: DispatchOptions]): Promise<RunHandle<Out>>;
  /** The handle of a run dispatched anywhere. */
  get(id: string, options: { readonly storage: RuntimeStorage }): RunHandle<Out>;
  /** What a run of this input is made of, once the input is valid. */
  prepare(...args: WithInput<In, []>): Promise<NewRun>;
  /** The graph as plain data, with its content hash. */
  graph(): Graph & { readonly hash: string };
}

/** Runs a definition where no storage is given. */
export type InMemory = (definition: Definition, run: NewRun) => Promise<unknown>;

export interface DefineWorkflow {
  <In, I, const O extends Output>(
    name: string,
    options: WorkflowOptions & { readonly input: StandardSchema<In, I> },
    define: ($: Builder<I>) => O,
  ): Workflow<In, OutputOf<O>, StepsBehind<O>>;
  <const O extends Output>(
    name: string,
    options: WorkflowOptions,
    define: ($: Builder<undefined>) => O,
  ): Workflow<undefined, OutputOf<O>, StepsBehind<O>>;
  <const O extends Output>(
    name: string,
    define: ($: Builder<undefined>) => O,
  ): Workflow<undefined, OutputOf<O>, StepsBehind<O>>;
}

/** Makes the function that defines workflows, for a platform that can run them in memory. */
export function workflowFunction(inMemory: InMemory): DefineWorkflow {
  return ((name: string, ...rest: readonly unknown[]) => {
    const define = rest.at(-1) as ($: Builder<unknown>) => Output;
    const options = (rest.length > 1 ? rest[0] : {}) as WorkflowOptions & { readonly input?: StandardSchema };
    if (typeof define !== 'function')
      throw new TypeError(
        `workflow ${JSON.stringify(name)} needs a function that defines its steps, as the last argument`,
      );
    const draft = new Draft(name, options.defaults ?? {});
    const output = draft.outputOf(define(draft));
    const { version, failFast, deadline } = options;
    const graph = compileGraph({
      name,
      ...(version !== undefined && { version }),
      steps: draft.steps,
      output,
      ...(failFast && { failOn: 'first' as const }),
      ...(deadline !== undefined && { deadlineMs: durationMs(deadline) }),
    });
    refuseDeadJoins(graph, () => true);
    return makeWorkflow(graph, draft.handlers, options, inMemory);
  }) as DefineWorkflow;
}

/** A handler for a step of a graph that came as data. */
export type GraphHandler = ((needs: never, context: Context) => unknown) | Handler;

/** Makes the function that turns a graph from plain data into a workflow. */
export function graphFunction(inMemory: InMemory): (
  /** What `graph()` hands out will do: its hash is worked out anew. */
  graph: Graph & { readonly hash?: string },
  handlers: ReadonlyMap<string, GraphHandler> | Readonly<Record<string, GraphHandler>>,
  options?: { readonly input?: StandardSchema; readonly labels?: Readonly<Record<string, string>> },
) => Workflow<unknown, unknown> {
  return ({ hash: _, ...data }, handlers, options = {}) => {
    const graph = compileGraph(data);
    refuseDeadJoins(graph, ({ roads }) => roads !== undefined);
    const entries = handlers instanceof Map ? [...handlers] : Object.entries(handlers);
    const unknown = entries.find(([step]) => !graph.index.has(step));
    if (unknown)
      throw new FuselineError(
        'INVALID_DEFINITION',
        `workflow ${JSON.stringify(data.name)}: there is a handler for step ${JSON.stringify(unknown[0])}, which does not exist`,
      );
    const map = new Map(
      entries.map(([step, handler]: [string, GraphHandler]) => [
        step,
        typeof handler === 'function' ? { run: handler } : handler,
      ]),
    );
    return makeWorkflow(graph, map, options, inMemory);
  };
}

function makeWorkflow(
  graph: CompiledGraph,
  handlers: ReadonlyMap<string, Handler>,
  {
    input: schema = typed<unknown>(),
    labels: ownLabels,
  }: { readonly input?: StandardSchema; readonly labels?: Readonly<Record<string, string>> },
  inMemory: InMemory,
): Workflow<unknown, unknown> {
  const { name, version } = graph.graph;
  const what = `the input of workflow ${JSON.stringify(name)}`;
  const prepare = async (input: unknown) => ({
    graph,
    input: await validate(schema, input, what),
    labels: ownLabels,
  });
  const newRun = async (input: unknown, { id, labels, startAt, priority }: DispatchOptions) => ({
    ...(await prepare(input)),
    id,
    labels: ownLabels || labels ? { ...ownLabels, ...labels } : undefined,
    startAt: startAt instanceof Date ? startAt.getTime() : startAt,
    priority,
  });
  const definition: Definition = { name, compiled: graph, handlers };
  return {
    ...definition,
    version,
    input: schema,
    prepare,
    async run(input?: unknown, options?: DispatchOptions) {
      if (!options) return inMemory(definition, await prepare(input));
      const { storage } = options;
      const { id, report } = await new ProcessEngine(definition, storage, {
        name: `run ${options.id ?? name}`,
      }).execute(await newRun(input, options));
      if (report.stranded.length > 0) throw new FuselineError('STRANDED', await storage.explain(id));
      return storage.result(id);
    },
    async dispatch(input: unknown, options: DispatchOptions) {
      const { id } = await options.storage.createRun(await newRun(input, options));
      return handleOf(options.storage, id, definition);
    },
    get: (id, { storage }) => handleOf(storage, id, definition),
    graph: () => ({ ...graph.graph, hash: graph.hash }),
  };
}
