import type { Context } from './context.ts';
import type { Duration } from './duration.ts';
import type { Requirement } from './graph.ts';
import type { StandardSchema } from './schema.ts';
import type { Workflow } from './workflow.ts';

declare const VALUE: unique symbol;
declare const EDGE: unique symbol;
declare const MAY_SKIP: unique symbol;
declare const ON_ROAD: unique symbol;
declare const TRAIL: unique symbol;

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

/** A step as types know it, for whoever stands in for its handler. */
export interface Named<out Name extends string = string, out Given = unknown, out Result = unknown> {
  readonly name: Name;
  readonly needs: Given;
  readonly result: Result;
}

/** The steps that are behind something: itself, and what it waits for. */
export interface Trail<Steps> {
  readonly [TRAIL]: Told<Steps>;
}

// Holds nothing, so that a handle can be assigned to another one's variable, whatever is behind them.
interface Told<_Steps> {
  readonly [TRAIL]: true;
}

/** A need with a condition: where it is false the step that has it is skipped. */
export interface Conditional<out T> extends Ref<T> {
  readonly [MAY_SKIP]: true;
}

export interface Step<out T> extends Ref<T>, Edge {
  readonly name: string;
  when<U extends T>(predicate: (value: T) => value is U): Conditional<U> & Onward<this>;
  when(predicate: (value: T) => boolean): Conditional<T> & Onward<this>;
}

/** Whichever of several steps has a value first. */
export interface Any<out T> extends Ref<T>, Edge {
  when<U extends T>(predicate: (value: T) => value is U): Conditional<U> & Onward<this>;
  when(predicate: (value: T) => boolean): Conditional<T> & Onward<this>;
}

/** A step of either kind: what can end, on its own and with a value. */
export type Ending = Ref<unknown> & Edge & { readonly name: string };

/** A step whose result chooses the road. */
export interface Branch<out A extends string> extends Ref<A>, Edge {
  readonly name: string;
  /** The edge that is live when the branch chose one of these roads. */
  on(...roads: readonly [A, ...A[]]): Edge & OnRoad & TrailOf<this>;
  /** The edge that is live when it chose a road nobody waits for, or was skipped. */
  readonly otherwise: Edge & OnRoad & TrailOf<this>;
}

/** How a step ended, for those who go on whatever happened. */
export type Outcome<T> =
  | { readonly status: 'SUCCEEDED'; readonly value: T }
  | { readonly status: 'FAILED'; readonly error: Error }
  | { readonly status: 'SKIPPED' | 'CANCELLED' };

export type Needs = { readonly [param: string]: Ref<unknown> };
export type Values<N> = { readonly [K in keyof N]: N[K] extends Ref<infer T> ? T : never };
/** The same, resolved, so that the handles behind it are seen by nobody who only wants the values. */
type Given<N> = N extends unknown ? { readonly [K in keyof N]: N[K] extends Ref<infer T> ? T : never } : never;
export type MaySkip<N> = true extends { [K in keyof N]: N[K] extends Conditional<unknown> ? true : false }[keyof N]
  ? true
  : false;
export type Result<N, R> = MaySkip<N> extends true ? R | undefined : R;

/** A step lies on a road if something it requires does; an any-group does if all of its members do. */
type RoadOf<X> = X extends OnRoad ? OnRoad : unknown;
type AnyOnRoad<X> = true extends { [K in keyof X]: X[K] extends OnRoad ? true : false }[keyof X] ? OnRoad : unknown;
type AllOnRoad<X> = false extends { [K in keyof X]: X[K] extends OnRoad ? true : false }[keyof X & number]
  ? unknown
  : OnRoad;
export type After = Edge | readonly Edge[];
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

/** The steps on the trails of these. */
export type StepsOf<X> = X extends Trail<unknown> ? (X[typeof TRAIL] extends Told<infer Steps> ? Steps : never) : never;
type StepsAfter<A> = StepsOf<A extends readonly (infer E)[] ? E : A>;
type TrailOf<X> = X extends Trail<unknown> ? Trail<StepsOf<X>> : unknown;
type Onward<X> = RoadOf<X> & TrailOf<X>;

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
  /**
   * `network`: only a worker that is online runs the step. An attempt that fails because there is no network does not
   * count, and the step waits until there is one, however long.
   */
  readonly requires?: Requirement;
}

/** Of a step that no worker runs. */
export interface SleepOptions<A extends After = After> {
  /** Begins when these have ended. */
  readonly after?: A;
}

export interface WaitOptions<R, A extends After = After>
  extends Pick<StepOptions<R, A>, 'after' | 'fallback' | 'queue' | 'priority'> {
  /** The signal's name; the step's own unless told. */
  readonly signal?: string;
  /** How long it waits at most; then it fails with `SIGNAL_TIMEOUT`, or its fallback runs. For ever unless told. */
  readonly timeout?: Duration;
}

export interface EachOptions<R, A extends After = After> extends StepOptions<R, A> {
  /**
   * Most items under way at once, by all workers; as many as they take unless told. A place that comes free goes to the
   * worker that had it: for several to share the list, the concurrency of each must be below the limit.
   */
  readonly limit?: number;
  /** Hands on how each item ended, instead of failing with the first that does. */
  readonly settle?: boolean;
}

export interface RunOptions<R, A extends After = After>
  extends Pick<StepOptions<R, A>, 'after' | 'fallback' | 'queue' | 'priority'> {
  /** How long the run may take; then it is cancelled, and the step fails with `STEP_TIMEOUT`. */
  readonly timeout?: Duration;
}

/** A workflow; as a function where it has itself run, or is defined further down. */
export type Callable<In, Out> = Workflow<In, Out> | (() => Workflow<In, Out>);

/** A reference for each part of an input; none where there is no input. */
export type PartsOf<In> = [In] extends [undefined]
  ? { readonly [param: string]: never }
  : { readonly [K in keyof In]: Ref<In[K]> };

/** How an item ended, where outcomes are wanted. */
export type ItemOutcome<T> = Extract<Outcome<T>, { readonly status: 'SUCCEEDED' | 'FAILED' }>;

export interface LoopOptions<S, A extends After = After> extends StepOptions<S, A> {
  /** Whether the state is enough. */
  readonly until: (state: S) => boolean | Promise<boolean>;
  /** Most rounds; then the step fails with `LOOP_LIMIT`. 1000 unless told. */
  readonly max?: number;
  /** From the end of a round to the next one. */
  readonly every?: Duration;
}

export interface Builder<I> {
  /** The run's input. */
  readonly input: Ref<I>;
  step<const Name extends string, const N extends Needs, R, const E extends After = readonly []>(
    name: Name,
    needs: N,
    handler: (needs: Values<N>, context: Context) => R,
    options?: StepOptions<NoInfer<Awaited<R>>, E>,
  ): Step<Result<N, Awaited<R>>> &
    AnyOnRoad<N> &
    RoadAfter<E> &
    Trail<Named<Name, Given<N>, Awaited<R>> | StepsOf<N[keyof N]> | StepsAfter<E>>;
  branch<const Name extends string, const N extends Needs, const A extends string, const E extends After = readonly []>(
    name: Name,
    needs: N,
    handler: (needs: Values<N>, context: Context) => A | Promise<A>,
    options?: StepOptions<NoInfer<A>, E>,
  ): Branch<A> & AnyOnRoad<N> & RoadAfter<E> & Trail<Named<Name, Given<N>, A> | StepsOf<N[keyof N]> | StepsAfter<E>>;
  /** Ends so long after it could begin. No worker is held, and a restart changes nothing. */
  sleep<const Name extends string, const E extends After = readonly []>(
    name: Name,
    duration: Duration,
    options?: SleepOptions<E>,
  ): Step<undefined> & RoadAfter<E> & Trail<StepsAfter<E>>;
  /** Ends at the moment its handler hands back: a `Date`, or epoch milliseconds. */
  sleepUntil<const Name extends string, const N extends Needs, const E extends After = readonly []>(
    name: Name,
    needs: N,
    moment: (needs: Values<N>, context: Context) => Date | number | Promise<Date | number>,
    options?: Omit<StepOptions<never, E>, 'fallback'>,
  ): Step<undefined> &
    AnyOnRoad<N> &
    RoadAfter<E> &
    Trail<Named<Name, Given<N>, Date | number> | StepsOf<N[keyof N]> | StepsAfter<E>>;
  /**
   * Ends with what a signal brought. One that comes early is kept; each goes to one step, in the order they came. What
   * is not valid is recorded as refused, and the step waits on.
   */
  waitFor<const Name extends string, In, T, const E extends After = readonly []>(
    name: Name,
    payload: StandardSchema<In, T>,
    options?: WaitOptions<NoInfer<T>, E>,
  ): Step<T> & RoadAfter<E> & Trail<StepsAfter<E>>;
  /**
   * Runs its body on the state, and again on what it handed back, until that is enough; hands on the last state. Every
   * round is recorded, and has attempts of its own.
   */
  loop<const Name extends string, S, const F extends Ref<S>, const E extends After = readonly []>(
    name: Name,
    state: Ref<S> & F,
    body: (state: S, context: Context) => NoInfer<S> | Promise<NoInfer<S>>,
    options: LoopOptions<NoInfer<S>, E>,
  ): Step<Result<{ readonly state: F }, S>> &
    AnyOnRoad<{ readonly state: F }> &
    RoadAfter<E> &
    Trail<Named<Name, { readonly state: S }, S> | StepsOf<F> | StepsAfter<E>>;
  /**
   * Runs its handler once per item of a list that is known when the run gets there, each with attempts of its own, and
   * hands on the results in the order of the items. The first item that fails ends the step, unless outcomes are wanted.
   */
  each<const Name extends string, T, R, const F extends Ref<readonly T[]>, const E extends After = readonly []>(
    name: Name,
    list: Ref<readonly T[]> & F,
    handler: (item: T, context: Context) => R,
    options: EachOptions<NoInfer<Awaited<R>>, E> & { readonly settle: true },
  ): Step<Result<{ readonly list: F }, readonly ItemOutcome<Awaited<R>>[]>> &
    AnyOnRoad<{ readonly list: F }> &
    RoadAfter<E> &
    Trail<Named<Name, { readonly item: T }, Awaited<R>> | StepsOf<F> | StepsAfter<E>>;
  each<const Name extends string, T, R, const F extends Ref<readonly T[]>, const E extends After = readonly []>(
    name: Name,
    list: Ref<readonly T[]> & F,
    handler: (item: T, context: Context) => R,
    options?: EachOptions<NoInfer<Awaited<R>>, E> & { readonly settle?: false },
  ): Step<Result<{ readonly list: F }, readonly Awaited<R>[]>> &
    AnyOnRoad<{ readonly list: F }> &
    RoadAfter<E> &
    Trail<Named<Name, { readonly item: T }, Awaited<R>> | StepsOf<F> | StepsAfter<E>>;
  /**
   * Has another workflow run, once, as a run of its own, and hands on its result. The run begins with what this step
   * records, goes on whatever becomes of this worker, and is cancelled when nobody waits for it any more. If it does not
   * succeed, the step fails with `CHILD_FAILED`.
   */
  run<const Name extends string, In, Out, const F extends Ref<In>, const E extends After = readonly []>(
    name: Name,
    workflow: Callable<In, Out>,
    input: F,
    options?: RunOptions<NoInfer<Out>, E>,
  ): Step<Result<{ readonly input: F }, Out>> &
    AnyOnRoad<{ readonly input: F }> &
    RoadAfter<E> &
    Trail<Named<Name, { readonly input: In }, Out> | StepsOf<F> | StepsAfter<E>>;
  run<const Name extends string, In, Out, const N extends PartsOf<In>, const E extends After = readonly []>(
    name: Name,
    workflow: Callable<In, Out>,
    needs: N,
    options?: RunOptions<NoInfer<Out>, E>,
  ): Step<Result<N, Out>> &
    AnyOnRoad<N> &
    RoadAfter<E> &
    Trail<Named<Name, Given<N>, Out> | StepsOf<N[keyof N]> | StepsAfter<E>>;
  any<const M extends readonly [Ending, Ending, ...Ending[]]>(
    ...members: M
  ): Any<M[number] extends Ref<infer T> ? T : never> & AllOnRoad<M> & Trail<StepsOf<M[number]>>;
  settled<T, S extends Ref<T> & Ending>(step: S & Ref<T>): Ref<Outcome<T>> & TrailOf<S>;
}

export interface Defaults {
  readonly retry?: number | Retry;
  readonly timeout?: Duration;
  readonly queue?: string;
}

/** A condition belongs to a step that waits, so it is no output. */
type OutputRef = Ref<unknown> & { readonly [MAY_SKIP]?: never };
export type Output = OutputRef | Readonly<Record<string, OutputRef>>;
export type OutputOf<O> =
  O extends Ref<infer T>
    ? T
    : { readonly [K in keyof O]: O[K] extends Ref<infer T> ? (O[K] extends OnRoad ? T | undefined : T) : never };

/** The steps an output waits for. */
export type StepsBehind<O> = O extends Ref<unknown> ? StepsOf<O> : StepsOf<O[keyof O]>;
