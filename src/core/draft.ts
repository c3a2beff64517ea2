import type {
  After,
  Defaults,
  EachOptions,
  LoopOptions,
  Needs,
  Ref,
  Retry,
  RunOptions,
  SleepOptions,
  StepOptions,
  WaitOptions,
} from './builder.ts';
import type { Context } from './context.ts';
import type { Callee, Handler } from './definition.ts';
import { type Duration, durationMs } from './duration.ts';
import type { Graph, Edge as GraphEdge, GraphStep, Need, RetryPolicy, Source } from './graph.ts';
import { checksNothing, type StandardSchema, validate } from './schema.ts';

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
export class Draft {
  readonly steps: GraphStep[] = [];
  readonly handlers: Map<string, Handler> = new Map();
  readonly input = new Reference(this, { from: 'input' }) as unknown as Ref<never>;
  readonly #workflow: string;
  readonly #defaults: Defaults;

  constructor(workflow: string, defaults: Defaults) {
    this.#workflow = workflow;
    this.#defaults = defaults;
    this.step = this.step.bind(this);
    this.branch = this.branch.bind(this);
    this.sleep = this.sleep.bind(this);
    this.sleepUntil = this.sleepUntil.bind(this);
    this.waitFor = this.waitFor.bind(this);
    this.each = this.each.bind(this);
    this.loop = this.loop.bind(this);
    this.run = this.run.bind(this);
    this.any = this.any.bind(this);
    this.settled = this.settled.bind(this);
  }

  step(name: string, needs: Needs, handler: Handler['run'], options?: StepOptions<unknown>): never {
    return this.#add({ name }, needs, handler, options);
  }

  branch(name: string, needs: Needs, handler: Handler['run'], options?: StepOptions<unknown>): never {
    return this.#add({ name, kind: 'branch' }, needs, handler, options);
  }

  sleep(name: string, duration: Duration, { after }: SleepOptions = {}): never {
    return this.#keep({ name, kind: 'sleep', forMs: durationMs(duration), ...this.#order(name, after) });
  }

  sleepUntil(name: string, needs: Needs, moment: Handler['run'], options?: StepOptions<unknown>): never {
    return this.#add({ name, kind: 'sleep' }, needs, moment, options);
  }

  waitFor(name: string, payload: StandardSchema, options: WaitOptions<unknown> = {}): never {
    const { after, signal, timeout, fallback, queue = this.#defaults.queue, priority } = options;
    if (typeof payload?.['~standard']?.validate !== 'function')
      throw this.#mistake(
        `does not say what step ${JSON.stringify(name)} waits for; its second argument is a schema, or typed<…>()`,
      );
    const check = !checksNothing(payload);
    const what = `what signal ${JSON.stringify(signal ?? name)} brought`;
    if (check || fallback) {
      this.handlers.set(name, {
        run: ({ payload: given }: { readonly payload: unknown }) => validate(payload, given, what, 'INVALID_SIGNAL'),
        ...(fallback && { fallback }),
      });
    }
    return this.#keep({
      name,
      kind: 'wait',
      ...this.#order(name, after),
      ...(signal !== undefined && { signal }),
      ...(timeout !== undefined && { forMs: durationMs(timeout) }),
      ...(check && { check: 'handler' as const }),
      ...(fallback && { fallback: 'handler' as const }),
      ...(queue !== undefined && { queue }),
      ...(priority !== undefined && { priority }),
    });
  }

  each(
    name: string,
    list: unknown,
    handler: (item: never, context: Context) => unknown,
    { limit, settle, ...options }: EachOptions<unknown> = {},
  ): never {
    if (typeof handler !== 'function')
      throw this.#mistake(`has no handler for step ${JSON.stringify(name)}; it is the third argument`);
    const run: Handler['run'] = ({ item }: { readonly item: never }, context) => handler(item, context);
    const step = {
      name,
      kind: 'each' as const,
      ...(limit !== undefined && { limit }),
      ...(settle && { settle: 'items' as const }),
    };
    return this.#add(step, { list } as Needs, run, options);
  }

  loop(
    name: string,
    state: unknown,
    body: (state: never, context: Context) => unknown,
    options: Omit<LoopOptions<never>, 'fallback'> & Pick<StepOptions<unknown>, 'fallback'>,
  ): never {
    const { until, max, every, ...rest } = options ?? {};
    const by = `step ${JSON.stringify(name)}`;
    if (typeof body !== 'function') throw this.#mistake(`has no body for ${by}; it is the third argument`);
    if (typeof until !== 'function')
      throw this.#mistake(`does not say until when ${by} loops; write { until: (state) => … }`);
    const run: Handler['run'] = ({ state }: { readonly state: never }, context) => body(state, context);
    const step = {
      name,
      kind: 'loop' as const,
      ...(max !== undefined && { rounds: max }),
      ...(every !== undefined && { everyMs: durationMs(every) }),
    };
    return this.#add(step, { state } as Needs, run, rest, { until });
  }

  run(
    name: string,
    callee: Callee | (() => Callee),
    input: unknown,
    { timeout, ...options }: RunOptions<unknown> = {},
  ): never {
    const isKnown = typeof callee !== 'function';
    if (isKnown && typeof callee?.prepare !== 'function')
      throw this.#mistake(
        `does not say which workflow step ${JSON.stringify(name)} has run; it is the second argument`,
      );
    const isWhole = input instanceof Reference;
    const run: Handler['run'] = (given: Readonly<Record<string, unknown>>) => {
      if (isWhole) return given.input;
      return Object.keys(given).length > 0 ? given : undefined;
    };
    const step = {
      name,
      kind: 'run' as const,
      ...(isKnown && { workflow: callee.name }),
      ...(timeout !== undefined && { forMs: durationMs(timeout) }),
    };
    const calls = isKnown ? () => callee : callee;
    return this.#add(step, (isWhole ? { input } : input) as Needs, run, options, { calls });
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

  #add(
    step: GraphStep,
    needs: Needs,
    run: Handler['run'],
    options: StepOptions<unknown> = {},
    more: Pick<Handler, 'until' | 'calls'> = {},
  ): never {
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
    // They are for bodies: what a workflow does again, and for how long, is its own.
    const defaults = step.kind === 'run' ? {} : this.#defaults;
    const {
      after,
      fallback,
      priority,
      retry = defaults.retry,
      timeout = defaults.timeout,
      queue = this.#defaults.queue,
      requires,
    } = options;
    const retryWhen = typeof retry === 'object' ? retry.when : undefined;
    this.handlers.set(step.name, {
      run,
      conditions,
      ...(fallback && { fallback }),
      ...more,
      ...(retryWhen && { retryWhen }),
    });
    return this.#keep({
      ...step,
      ...(list.length > 0 && { needs: list }),
      ...this.#order(step.name, after),
      ...(retry !== undefined && { retry: retryPolicy(retry) }),
      ...(timeout !== undefined && { timeoutMs: durationMs(timeout) }),
      ...(fallback && { fallback: 'handler' as const }),
      ...(queue !== undefined && { queue }),
      ...(priority !== undefined && { priority }),
      ...(requires !== undefined && { requires }),
    });
  }

  #keep(step: GraphStep): never {
    this.steps.push(step);
    return new Reference(this, { from: 'step', step: step.name }) as never;
  }

  #order(name: string, after: After | undefined): Pick<GraphStep, 'after'> {
    const by = `step ${JSON.stringify(name)}`;
    const edges = (after === undefined ? [] : [after].flat()).map((edge) => this.#after(edge, by));
    return edges.length > 0 ? { after: edges } : {};
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
