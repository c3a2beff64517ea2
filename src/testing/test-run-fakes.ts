import type { Named } from '../core/builder.ts';
import type { Context } from '../core/context.ts';
import type { Definition } from '../core/definition.ts';
import type { Duration } from '../core/duration.ts';
import { FuselineError } from '../core/errors.ts';
import { type CompiledStep, needsWorker } from '../core/graph.ts';
import type { Host, Signal } from '../core/host.ts';

export interface FakeContext extends Context {
  /** Waits in virtual time; rejects when the attempt's result is no longer wanted. */
  sleep(duration: Duration): Promise<void>;
}

/** What stands in for a step's handler in one attempt: a body of its own, or the error it fails with. */
export type FakeAttempt<Given, Result> = ((needs: Given, context: FakeContext) => Result | Promise<Result>) | Error;

/**
 * One for all attempts, or a list with one for each, of which the last repeats. There are no plain values, because a
 * list or an error may be a result: write `() => value`.
 */
export type Fake<Given, Result> =
  | FakeAttempt<Given, Result>
  | readonly [FakeAttempt<Given, Result>, ...FakeAttempt<Given, Result>[]];

/** The step of that name among these. */
export type StepCalled<Steps extends Named, Name> = Extract<Steps, { readonly name: Name }>;

/** By the name of the step. Where a name was given as plain text, types know none: any is taken, and looked for at run time. */
export type Fakes<Steps extends Named> = {
  readonly [Name in Steps['name']]?: FakeOf<StepCalled<Steps, Name>>;
};

// Decided by the step as a whole, so that the compiler knows the step before it looks at what stands in for it: a fake's
// parameters and literals are typed by that.
type FakeOf<S> = S extends Named ? (string extends S['name'] ? AnyFake : Fake<S['needs'], S['result']>) : never;

// biome-ignore lint/suspicious/noExplicitAny: what a step nothing is known of is given can be anything, as in JSON.parse
export type AnyFake = Fake<any, unknown>;
export type AnyFakes = Readonly<Record<string, AnyFake>>;

/** What a body of a step was given. */
export interface Call<Given = unknown> {
  readonly attempt: number;
  readonly needs: Given;
}

/** The body for the n-th call of a step, counted from 0 through crashes and reruns. */
export function fakeBody(fake: AnyFake, call: number): (needs: unknown, context: FakeContext) => unknown {
  const one = isList(fake) ? fake[Math.min(call, fake.length - 1)] : fake;
  if (typeof one === 'function') return one;
  return () => {
    throw one;
  };
}

/** The context as a fake has it. */
export function contextWith<Own extends Partial<FakeContext>>(context: Context, own: Own): Context & NoInfer<Own> {
  const { runId, step, item, attempt, key, heartbeat, emit, once, log } = context;
  return {
    runId,
    step,
    item,
    attempt,
    key,
    heartbeat,
    emit,
    once,
    log,
    get signal() {
      return context.signal;
    },
    ...own,
  };
}

/** Waits on a clock that is not the world's; rejects when the result is no longer wanted. */
export function sleepOn(host: Pick<Host, 'after'>, ms: number, signal: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = host.after(ms, () => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
    const giveUp = (): void => {
      cancel();
      reject(signal.reason);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

/** Refuses fakes of steps that are not there, and what is no fake, which plain JavaScript could hand over. */
export function checkFakes(workflow: Pick<Definition, 'compiled'>, fakes: AnyFakes): void {
  const { index, steps } = workflow.compiled;
  for (const [step, fake] of Object.entries(fakes)) {
    refuseUnknown(workflow, step);
    const { spec } = steps[index.get(step) as number] as CompiledStep;
    if (!needsWorker(spec))
      throw new TypeError(
        `step ${JSON.stringify(step)} ${spec.kind === 'wait' ? 'waits for a signal; send it one' : 'sleeps; let time pass'}, because no fake of it would ever be run`,
      );
    checkFake(step, fake);
  }
}

export function refuseUnknown({ compiled }: Pick<Definition, 'compiled'>, step: string): void {
  if (compiled.index.has(step)) return;
  const { name } = compiled.graph;
  throw new FuselineError(
    'UNKNOWN_STEP',
    `workflow ${JSON.stringify(name)} has no step ${JSON.stringify(step)}; it has ${[...compiled.index.keys()].join(', ')}`,
  );
}

function checkFake(step: string, fake: unknown): void {
  const list = Array.isArray(fake) ? fake : [fake];
  const wrong = list.find((one) => typeof one !== 'function' && !(one instanceof Error));
  if (list.length > 0 && wrong === undefined && !list.includes(undefined)) return;
  throw new TypeError(
    `the fake of step ${JSON.stringify(step)} must be a function, an Error, or a list of those; write () => value for a value`,
  );
}

function isList(fake: AnyFake): fake is readonly [FakeAttempt<unknown, unknown>] {
  return Array.isArray(fake);
}
