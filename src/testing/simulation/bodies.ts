import { portable } from '../../core/codec.ts';
import type { Context } from '../../core/context.ts';
import type { Callee, Definition, Handler } from '../../core/definition.ts';
import { FuselineError, NonRetryableError } from '../../core/errors.ts';
import { compileGraph } from '../../core/graph.ts';
import type { Random } from '../random.ts';
import { contextWith } from '../test-run-fakes.ts';
import type { WorldNetwork } from './network.ts';
import type { Fate, WorkflowPlan } from './plan.ts';
import type { Process } from './process.ts';
import type { Referee } from './referee.ts';
import { demand, Violation } from './violation.ts';

/** Longer than what stands in a journal entry. */
const LARGE = 5000;

/** How much a body emits that does. */
const PARTS = 3;

/** The longest a body of a world takes, before what it does and again after. */
const BODY_MS = 1500;

interface Round {
  readonly round: number;
}

type Needs = Readonly<Record<string, unknown>>;

/** The workflows of plans, with bodies that do what their fates say. */
export function definitionsOf(
  plans: readonly WorkflowPlan[],
  referee: Referee,
  network: WorldNetwork,
): readonly Definition[] {
  const definitions: Definition[] = plans.map((plan) => {
    const compiled = compileGraph(plan.graph);
    const handlers = new Map(
      plan.graph.steps.map(({ name, kind, requires, workflow }, i) => {
        const fate = plan.fates[i] as Fate;
        const handler: Handler = {
          ...handlerOf(fate, referee),
          ...(kind === 'wait' && { run: check }),
          ...(kind === 'run' && { calls: () => calleeOf(definitions.find((one) => one.name === workflow)) }),
        };
        return [name, requires === undefined ? handler : reaching(handler, network)];
      }),
    );
    return { name: compiled.graph.name, compiled, handlers };
  });
  return definitions;
}

/** It takes any input as it is. */
function calleeOf(definition: Definition | undefined): Callee {
  const callee = definition as Definition;
  return { ...callee, prepare: async (input) => ({ graph: callee.compiled, input }) };
}

function handlerOf(fate: Fate, referee: Referee): Handler {
  return {
    run: (needs: Needs, context: Context) => meet(fate, needs, context, referee),
    until: ({ round }: Round) => round >= (fate.rounds ?? 0),
    conditions: new Map([['never', () => false]]),
    fallback: (_: Error, { runId, step, attempt }: Context) => {
      if (fate.fallback === 'fails') throw new Error('the fallback failed');
      return fate.road ?? { fallback: `${runId} ${step} ${attempt}` };
    },
  } satisfies Record<keyof Omit<Handler, 'retryWhen' | 'calls'>, unknown> as Handler;
}

/** What a signal brings in a world says itself whether it is what was waited for. */
function check({ payload }: Needs): unknown {
  if ((payload as { readonly valid: boolean }).valid) return payload;
  throw new FuselineError('INVALID_SIGNAL', 'what the signal brought is not valid');
}

/** The same, once it has reached what it needs the network for. */
function reaching(handler: Handler, network: WorldNetwork): Handler {
  return {
    ...handler,
    run: (needs, context) => {
      if (!network.isUp) throw new TypeError('fetch failed');
      return handler.run(needs, context);
    },
  };
}

async function meet(fate: Fate, needs: Needs, context: Context, referee: Referee): Promise<unknown> {
  const { runId, step, item, attempt } = context;
  const failures = referee.step(runId, step, item)?.failures ?? 0;
  if (fate.also === 'heartbeat') context.heartbeat({ attempt });
  if (fate.also === 'emit') for (let part = 0; part < PARTS; part++) void context.emit({ attempt, part });
  const round = (needs.state as Round | null | undefined)?.round ?? 0;
  if (fate.also === 'once') await doOnce(round, context, referee);
  // Of a list, only the second item is as its step is fated.
  switch (item === undefined || item === 1 ? fate.ending : 'succeeds') {
    case 'fails':
      throw new Error(`attempt ${attempt} fails`);
    case 'fails for good':
      throw new NonRetryableError(`attempt ${attempt} fails for good`);
    case 'fails once':
      if (failures === 0) throw new Error('fails once');
      break;
    case 'hangs once':
      if (failures === 0) await hang(fate, context);
      break;
    default:
  }
  if (fate.list !== undefined)
    return Array.from({ length: fate.list }, (_, i) => ({ of: `${runId} ${step} ${attempt}`, i }));
  if (fate.rounds !== undefined) return { round: round + 1 };
  if (fate.sleepMs !== undefined) return (referee.step(runId, step)?.since ?? 0) + fate.sleepMs;
  return (
    fate.road ?? { by: `${runId} ${step} ${attempt}`, ...(fate.also === 'large' && { padding: 'x'.repeat(LARGE) }) }
  );
}

/** What is recorded once is what everybody gets from then on, until the next round of a loop. */
async function doOnce(round: number, { once, runId, step, item, attempt }: Context, referee: Referee): Promise<void> {
  const recorded = referee.step(runId, step, item)?.checkpoints.get('once');
  const value = await once('once', () => ({ attempt, round }));
  demand(
    value.round === round && (recorded === undefined || recorded === portable.encode(value)),
    'once is once',
    () => `step ${JSON.stringify(step)} of ${runId} got ${JSON.stringify(value)}, recorded was ${recorded}`,
  );
}

function hang({ deaf }: Fate, { signal }: Context): Promise<never> {
  return new Promise((_, reject) => {
    if (!deaf) signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The same definition for one process: the referee sees its bodies, and each takes its time. */
export function witnessed(definition: Definition, process: Process, random: Random, referee: Referee): Definition {
  const wait = () => new Promise<void>((resolve) => void process.after(random.next() ** 3 * BODY_MS, resolve));
  const witness = async (
    needs: Needs,
    context: Context,
    body: (context: Context) => unknown,
    calls?: Handler['calls'],
  ): Promise<unknown> => {
    try {
      return await meetOnce(needs, context, body, calls);
    } catch (error) {
      // To the engine it is an attempt that failed, as any other.
      if (error instanceof Violation) referee.accuse(error);
      throw error;
    }
  };
  const meetOnce = async (
    needs: Needs,
    context: Context,
    body: (context: Context) => unknown,
    calls: Handler['calls'],
  ): Promise<unknown> => {
    const claim = referee.begin(process.name, context.runId, context.step, context.item, context.attempt, needs);
    try {
      await wait();
      const value = await body(
        contextWith(context, {
          emit(part: unknown) {
            claim.said.push(portable.encode(part));
            return context.emit(part);
          },
        }),
      );
      await wait();
      claim.handedBack.push(portable.encode(value));
      // What is recorded is what its schema has made of it.
      if (calls) claim.handedBack.push(portable.encode((await calls().prepare(value)).input));
      return value;
    } finally {
      claim.body = 'ended';
    }
  };
  const handlers = new Map(
    [...definition.handlers].map(([name, handler]): [string, Handler] => [
      name,
      {
        ...handler,
        run: (needs: Needs, context: Context) =>
          witness(needs, context, (own) => handler.run(needs as never, own), handler.calls),
        ...(handler.fallback && {
          fallback: (error: Error, context: Context) => witness({}, context, (own) => handler.fallback?.(error, own)),
        }),
      } as Handler,
    ]),
  );
  return { ...definition, handlers };
}
