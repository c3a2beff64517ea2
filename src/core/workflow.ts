import type { Context } from './context.ts';
import type { Definition, Handler } from './definition.ts';
import { type Duration, durationMs } from './duration.ts';
import { FuselineError } from './errors.ts';
import {
  type CompiledGraph,
  compileGraph,
  type Graph,
  type Edge as GraphEdge,
  type GraphStep,
  type Need,
  type RetryPolicy,
  refuseDeadJoins,
  type Source,
} from './graph.ts';
import { handleOf, type RunHandle } from './handle.ts';
import { ProcessEngine } from './process-engine.ts';
import { type StandardSchema, typed, validate } from './schema.ts';
import type { NewRun, RuntimeStorage } from './storage.ts';

declare const VALUE: unique symbol;
declare const EDGE: unique symbol;
declare const MAY_SKIP: unique symbol;
declare const ON_ROAD: unique symbol;

/** Something with a value: may stand among the needs of a step. */
export interface Ref<out T> {
  readonly [VALUE]: T;
}

/** Something that ends: may stand in `after`, for order only. */
export interface Edge {
  readonly [EDGE]: true;
}

/** What lies on a road that may not be taken. */
export interface OnRoad {
  readonly [ON_ROAD]: true;
}

/** A need with a condition: where it is false the step that has it is skipped. */
export interface Conditional<out T> extends Ref<T> {
  readonly [MAY_SKIP]: true;
}

export interface Step<out T> extends Ref<T>, Edge {
  readonly name: string;
  when<U extends T>(predicate: (value: T) => value is U): Conditional<U> & RoadOf<this>;
  when(predicate: (value: T) => boolean): Conditional<T> & RoadOf<this>;
}

/** Whichever of several steps has a value first. */
export interface Any<out T> extends Ref<T>, Edge {
  when<U extends T>(predicate: (value: T) => value is U): Conditional<U> & RoadOf<this>;
  when(predicate: (value: T) => boolean): Conditional<T> & RoadOf<this>;
}

/** A step of either kind: what can end, on its own and with a value. */
export type Ending = Ref<unknown> & Edge & { readonly name: string };

/** A step whose result chooses the road. */
export interface Branch<out A extends string> extends Ref<A>, Edge {
  readonly name: string;
  /** The edge that is live when the branch chose one of these roads. */
  on(...roads: readonly [A, ...A[]]): Edge & OnRoad;
  /** The edge that is live when it chose a road nobody waits for, or was skipped. */
  readonly otherwise: Edge & OnRoad;
}

/** How a step ended, for those who go on whatever happened. */
export type Outcome<T> =
  | { readonly status: 'SUCCEEDED'; readonly value: T }
  | { readonly status: 'FAILED'; readonly error: Error }
  | { readonly status: 'SKIPPED' | 'CANCELLED' };

export type Needs = { readonly [param: string]: Ref<unknown> };
export type Values<N> = { readonly [K in keyof N]: N[K] extends Ref<infer T> ? T : never };
export type MaySkip<N> = true extends { [K in keyof N]: N[K] extends Conditional<unknown> ? true : false }[keyof N]
  ? true
  : false;
export type Result<N, R> = MaySkip<N> extends true ? R | undefined : R;

/** A step lies on a road if something it requires does; an any-group does if all of its members do. */
export type RoadOf<X> = X extends OnRoad ? OnRoad : unknown;
type AnyOnRoad<X> = true extends { [K in keyof X]: X[K] extends OnRoad ? true : false }[keyof X] ? OnRoad : unknown;
type AllOnRoad<X> = false extends { [K in keyof X]: X[K] extends OnRoad ? true : false }[keyof X & number]
  ? unknown
  : OnRoad;
type After = Edge | readonly Edge[];
type RoadAfter<A> = true extends (
  A extends readonly (infer E)[]
    ? E extends OnRoad
      ? true
      : false
    : A extends OnRoad
      ? true
      : false
)
  ? OnRoad
  : unknown;

export interface Retry {
  /** Attempts in all. */
  readonly attempts: number;
  readonly backoff?: 'exponential' | 'linear' | 'constant';
  /** The first wait; 200 ms unless told. */
  readonly base?: Duration;
  readonly factor?: number;
  /** The longest wait; 1 min unless told. */
  readonly max?: Duration;
  readonly jitter?: 'full' | 'none';
  /** How often the step may take its worker down with it; 5 unless told. */
  readonly losses?: number;
  /** Whether another attempt may help. */
  readonly when?: (error: unknown) => boolean;
}

export interface StepOptions<R, A extends After = After> {
  /** Waits for these too, without their values. */
  readonly after?: A;
  /** Attempts in all, or how they are spaced. */
  readonly retry?: number | Retry;
  /** For one attempt. */
  readonly timeout?: Duration;
  /** Runs once the step would fail for good; what it hands back is the step's result. */
  readonly fallback?: (error: Error, context: Context) => R | Promise<R>;
  /** Only workers that serve this queue run the step. */
  readonly queue?: string;
  /** Higher first. */
  readonly priority?: number;
}

export interface Builder<I> {
  /** The run's input. */
  readonly input: Ref<I>;
  step<const N extends Needs, R, const E extends After = readonly []>(
    name: string,
    needs: N,
    handler: (needs: Values<N>, context: Context) => R,
    options?: StepOptions<NoInfer<Awaited<R>>, E>,
  ): Step<Result<N, Awaited<R>>> & AnyOnRoad<N> & RoadAfter<E>;
  branch<const N extends Needs, const A extends string, const E extends After = readonly []>(
    name: string,
    needs: N,
    handler: (needs: Values<N>, context: Context) => A | Promise<A>,
    options?: StepOptions<NoInfer<A>, E>,
  ): Branch<A> & AnyOnRoad<N> & RoadAfter<E>;
  any<const M extends readonly [Ending, Ending, ...Ending[]]>(
    ...members: M
  ): Any<M[number] extends Ref<infer T> ? T : never> & AllOnRoad<M>;
  settled<T>(step: Ref<T> & Ending): Ref<Outcome<T>>;
}

export interface Defaults {
  readonly retry?: number | Retry;
  readonly timeout?: Duration;
  readonly queue?: string;
}

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

/** A condition belongs to a step that waits, so it is no output. */
type OutputRef = Ref<unknown> & { readonly [MAY_SKIP]?: never };
export type Output = OutputRef | Readonly<Record<string, OutputRef>>;
export type OutputOf<O> =
  O extends Ref<infer T>
    ? T
    : { readonly [K in keyof O]: O[K] extends Ref<infer T> ? (O[K] extends OnRoad ? T | undefined : T) : never };

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

export interface Workflow<In, Out> extends Definition {
  readonly version: string | undefined;
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
  ): Workflow<In, OutputOf<O>>;
  <const O extends Output>(
    name: string,
    options: WorkflowOptions,
    define: ($: Builder<undefined>) => O,
  ): Workflow<undefined, OutputOf<O>>;
  <const O extends Output>(name: string, define: ($: Builder<undefined>) => O): Workflow<undefined, OutputOf<O>>;
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
  const what = `workflow ${JSON.stringify(name)}`;
  const prepare = async (input: unknown) => ({
    graph,
    input: await validate(schema as StandardSchema<never, unknown>, input, what),
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
      return handleOf(options.storage, id);
    },
    get: (id, { storage }) => handleOf(storage, id),
    graph: () => ({ ...graph.graph, hash: graph.hash }),
  };
}

type Predicate = (value: never) => unknown;

/** What stands behind a reference: where it comes from, and the builder it belongs to. */
class Reference {
  readonly source: Source;
  readonly owner: Draft;
  readonly predicate: Predicate | undefined;

  constructor(owner: Draft, source: Source, predicate?: Predicate) {
    this.owner = owner;
    this.source = source;
    this.predicate = predicate;
  }

  get name(): string | undefined {
    return this.source.from === 'step' ? this.source.step : undefined;
  }

  when(predicate: Predicate): Reference {
    return new Reference(this.owner, this.source, predicate);
  }

  on(...roads: readonly string[]): Road {
    return new Road(this.owner, { step: this.name as string, on: roads });
  }

  get otherwise(): Road {
    return new Road(this.owner, { step: this.name as string, on: [null] });
  }
}

class Road {
  readonly owner: Draft;
  readonly edge: GraphEdge;

  constructor(owner: Draft, edge: GraphEdge) {
    this.owner = owner;
    this.edge = edge;
  }
}

/** The builder: collects the graph's steps and their handlers while a workflow is defined. */
class Draft {
  readonly steps: GraphStep[] = [];
  readonly handlers = new Map<string, Handler>();
  readonly input = new Reference(this, { from: 'input' }) as unknown as Ref<never>;
  readonly #workflow: string;
  readonly #defaults: Defaults;

  constructor(workflow: string, defaults: Defaults) {
    this.#workflow = workflow;
    this.#defaults = defaults;
    this.step = this.step.bind(this);
    this.branch = this.branch.bind(this);
    this.any = this.any.bind(this);
    this.settled = this.settled.bind(this);
  }

  step(name: string, needs: Needs, handler: Handler['run'], options?: StepOptions<unknown>): never {
    return this.#add({ name }, needs, handler, options);
  }

  branch(name: string, needs: Needs, handler: Handler['run'], options?: StepOptions<unknown>): never {
    return this.#add({ name, kind: 'branch' }, needs, handler, options);
  }

  any(...members: readonly unknown[]): never {
    return new Reference(this, {
      from: 'any',
      of: members.map((member) => this.#stepEdge(member, 'a member of any')),
    }) as never;
  }

  settled(step: unknown): never {
    return new Reference(this, { from: 'settled', step: this.#stepEdge(step, 'settled').step }) as never;
  }

  outputOf(output: unknown): NonNullable<Graph['output']> {
    if (output instanceof Reference) return this.#whole(output, 'its output').source;
    if (typeof output !== 'object' || output === null || 'then' in output)
      throw this.#mistake('must return the step, or the record of steps, whose results are its output');
    return {
      record: Object.entries(output).map(
        ([key, ref]) => [key, this.#whole(ref, `output ${JSON.stringify(key)}`).source] as const,
      ),
    };
  }

  #add(step: GraphStep, needs: Needs, run: Handler['run'], options: StepOptions<unknown> = {}): never {
    const by = `step ${JSON.stringify(step.name)}`;
    if (typeof run !== 'function') throw this.#mistake(`has no handler for ${by}; it is the third argument`);
    if (typeof needs !== 'object' || needs === null)
      throw this.#mistake(`has no needs for ${by}; they are the second argument, {} where there are none`);
    const conditions = new Map<string, Predicate>();
    const list = Object.entries(needs).map(([param, ref]): Need => {
      const { source, predicate } = this.#reference(ref, `need ${JSON.stringify(param)} of ${by}`);
      if (predicate) conditions.set(param, predicate);
      return { ...source, param, ...(predicate && { when: 'handler' as const }) };
    });
    const {
      after,
      fallback,
      priority,
      retry = this.#defaults.retry,
      timeout = this.#defaults.timeout,
      queue = this.#defaults.queue,
    } = options;
    const edges = (after === undefined ? [] : [after].flat()).map((edge) => this.#after(edge, by));
    this.steps.push({
      ...step,
      ...(list.length > 0 && { needs: list }),
      ...(edges.length > 0 && { after: edges }),
      ...(retry !== undefined && { retry: retryPolicy(retry) }),
      ...(timeout !== undefined && { timeoutMs: durationMs(timeout) }),
      ...(fallback && { fallback: 'handler' as const }),
      ...(queue !== undefined && { queue }),
      ...(priority !== undefined && { priority }),
    });
    const retryWhen = typeof retry === 'object' ? retry.when : undefined;
    this.handlers.set(step.name, { run, conditions, ...(fallback && { fallback }), ...(retryWhen && { retryWhen }) });
    return new Reference(this, { from: 'step', step: step.name }) as never;
  }

  #after(edge: unknown, by: string): NonNullable<GraphStep['after']>[number] {
    if (edge instanceof Road) return this.#own(edge).edge;
    const { source } = this.#whole(edge, `after of ${by}`);
    if (source.from === 'any') return { any: source.of };
    return this.#stepEdge(edge, `after of ${by}`);
  }

  #stepEdge(ref: unknown, what: string): GraphEdge {
    const { source } = this.#whole(ref, what);
    if (source.from !== 'step') throw this.#mistake(`has something else than a step as ${what}; name the step itself`);
    return { step: source.step };
  }

  /** A reference where a condition has nothing to decide. */
  #whole(ref: unknown, what: string): Reference {
    const reference = this.#reference(ref, what);
    if (reference.predicate)
      throw this.#mistake(`has a condition as ${what}; a condition belongs among the needs of a step`);
    return reference;
  }

  #reference(ref: unknown, what: string): Reference {
    if (!(ref instanceof Reference)) throw this.#mistake(`has something else than a step's reference as ${what}`);
    return this.#own(ref);
  }

  #own<R extends { readonly owner: Draft }>(ref: R): R {
    if (ref.owner !== this) throw this.#mistake('refers to a step of another workflow');
    return ref;
  }

  #mistake(what: string): TypeError {
    return new TypeError(`workflow ${JSON.stringify(this.#workflow)} ${what}`);
  }
}

function retryPolicy(retry: number | Retry): RetryPolicy {
  if (typeof retry === 'number') return { attempts: retry };
  const { attempts, backoff, base, factor, max, jitter, losses } = retry;
  return {
    attempts,
    ...(backoff && { backoff }),
    ...(base !== undefined && { baseMs: durationMs(base) }),
    ...(factor !== undefined && { factor }),
    ...(max !== undefined && { maxMs: durationMs(max) }),
    ...(jitter && { jitter }),
    ...(losses !== undefined && { losses }),
  };
}
