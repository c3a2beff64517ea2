// The workflows of these tests, for the processes that work on them and for the tests that dispatch them.
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, defineGraph, type Signal, typed, workflow } from 'fuseline';
import { type StormSize, stepsOf, stormGraph } from '../storm-graph.ts';

/** What the body of a step notes outside the storage: the evidence against the journal. */
export interface Note {
  readonly pid: number;
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly what: 'begin' | 'end' | 'aborted';
  readonly at: number;
}

export interface Flows {
  readonly [name: string]: ReturnType<typeof defineGraph> | ReturnType<typeof flows>[keyof ReturnType<typeof flows>];
}

/** A file named like the witness plus this suffix lets every `hold` end. */
export const GO = '.go';

export function flows(witness: string) {
  const note = ({ runId, step, attempt }: Context, what: Note['what']) => {
    const line: Note = { pid: process.pid, run: runId, step, attempt, what, at: Date.now() };
    appendFileSync(witness, `${JSON.stringify(line)}\n`);
  };
  const noted = async (context: Context, body: (signal: Signal) => Promise<unknown>) => {
    note(context, 'begin');
    context.signal.addEventListener('abort', () => note(context, 'aborted'));
    await body(context.signal);
    note(context, 'end');
    return `${context.step} by attempt ${context.attempt}`;
  };
  const untilGo = async (signal: Signal) => {
    for (; ; await sleep(20)) {
      if (signal.aborted) throw signal.reason;
      if (existsSync(witness + GO)) return;
    }
  };

  /** Runs until it is let go. */
  const hold = workflow('hold', { input: typed<number | undefined>() }, ($) =>
    $.step('hold', { n: $.input }, (_, context) => noted(context, untilGo)),
  );
  const quick = workflow('quick', { input: typed<number | undefined>() }, ($) => {
    const first = $.step('first', { n: $.input }, (_, context) => noted(context, async () => undefined));
    return $.step('second', { first }, (_, context) => noted(context, async () => undefined));
  });
  const chain = workflow('chain', { input: typed<number>() }, ($) => {
    let last = $.step('step 0', { n: $.input }, async ({ n }, context) => {
      await noted(context, () => sleep(10));
      return n;
    });
    for (let i = 1; i < 20; i++)
      last = $.step(`step ${i}`, { before: last }, async ({ before }, context) => {
        await noted(context, () => sleep(10));
        return before + 1;
      });
    return last;
  });
  /** One step that takes its worker down, 63 that run beside it. */
  const poison = defineGraph(
    { name: 'poison', steps: ['poison', ...innocents].map((name) => ({ name })) },
    {
      poison: (_: unknown, context: Context) =>
        noted(context, async () => {
          await sleep(20);
          process.kill(process.pid, 'SIGKILL');
          await sleep(1000);
        }),
      ...Object.fromEntries(
        innocents.map((name) => [name, (_: unknown, context: Context) => noted(context, () => sleep(60))]),
      ),
    },
  );
  /** Two steps, of which one needs a queue of its own. */
  const special = workflow('special', ($) => {
    const plain = $.step('plain', {}, (_, context) => noted(context, async () => undefined));
    return $.step('on the gpu', { plain }, (_, context) => noted(context, async () => undefined), { queue: 'gpu' });
  });
  const lasting = workflow('lasting', { deadline: '3s' }, ($) =>
    $.step('lasting', {}, (_, context) => noted(context, untilGo)),
  );
  /** One step holds the only place while another is due again. */
  const crowded = workflow('crowded', ($) => {
    const again = $.step(
      'again',
      {},
      (_, context) =>
        noted(context, async () => {
          if (context.attempt === 1) throw new Error('not yet');
        }),
      { retry: { attempts: 2, base: '50ms', jitter: 'none' } },
    );
    const holds = $.step('holds', {}, (_, context) => noted(context, untilGo), { priority: -1 });
    return { again, holds };
  });
  /** Sleeps, then talks in rounds; the first attempt at the second one does not come to an end. */
  const talks = workflow('talks', ($) => {
    const zero = $.step('zero', {}, () => 0);
    const slept = $.sleep('sleep', '4s', { after: [zero] });
    const talk = async (round: number, context: Context) => {
      note(context, 'begin');
      const parts = round === 1 && context.attempt === 1 ? Number.POSITIVE_INFINITY : PARTS;
      for (let part = 0; part < parts; part++) await context.emit({ round, part } satisfies Part);
      note(context, 'end');
      return round + 1;
    };
    return $.loop('talk', zero, talk, { until: (rounds) => rounds === ROUNDS, after: [slept] });
  });
  /** Each result says whose it is. */
  const graph = stormGraph(STORM);
  const storm = defineGraph(
    graph,
    Object.fromEntries(
      graph.steps.map(({ name }, i) => [
        name,
        async (_: unknown, context: Context): Promise<Author> => {
          await noted(context, () => sleep(60 + ((i * 37) % 8) * 40));
          return { attempt: context.attempt, pid: process.pid };
        },
      ]),
    ),
  );
  return { hold, quick, chain, poison, special, lasting, crowded, talks, storm } as const;
}

/** What `talks` says, and how much of it. */
export interface Part {
  readonly round: number;
  readonly part: number;
}
export const ROUNDS = 3;
export const PARTS = 10;

export const innocents: readonly string[] = Array.from({ length: 63 }, (_, i) => `innocent ${i}`);

/** Who wrote a result. */
export interface Author {
  readonly attempt: number;
  readonly pid: number;
}

const STORM: StormSize = { lanes: 20, rounds: 5 };
export const STORM_STEPS: number = stepsOf(STORM);
