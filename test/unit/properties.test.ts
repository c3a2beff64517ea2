import fc from 'fast-check';
import { defineGraph, type Graph, type GraphEdge, type GraphStep, type Handler } from 'fuseline';
import { expect, test } from 'vitest';
import { type Command, decide, type Outcome } from '../../src/core/decide.ts';
import type { JournalEntry } from '../../src/core/events.ts';
import { type CompiledGraph, compileGraph } from '../../src/core/graph.ts';
import { RunState } from '../../src/core/run-state.ts';
import { boom, Rig } from './semantics/rig.ts';

/** How a body ends; a branch step that succeeds chooses a road. */
type Ending = 'succeeds' | 'fails' | 'is skipped' | 'fails once';
type Road = 'x' | 'y' | 'nowhere';

interface Plan {
  readonly steps: readonly {
    readonly ending: Ending;
    readonly road: Road | undefined;
    /** To earlier steps only, so there is no cycle. */
    readonly after: readonly GraphEdge[];
    readonly groups: readonly (readonly GraphEdge[])[];
    readonly settled: readonly string[];
  }[];
}

const nameOf = (i: number) => `s${i}`;

const plans: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.array(fc.boolean(), { minLength: count, maxLength: count }).chain((branches) => {
    const edgeFrom = (i: number): fc.Arbitrary<GraphEdge> => {
      const step = nameOf(i);
      const roads = fc.uniqueArray(fc.constantFrom('x', 'y', null), { minLength: 1, maxLength: 2 });
      return branches[i]
        ? fc.option(roads, { nil: undefined }).map((on) => (on ? { step, on } : { step }))
        : fc.constant({ step });
    };
    const step = (i: number): fc.Arbitrary<Plan['steps'][number]> => {
      const edge = i === 0 ? undefined : fc.integer({ min: 0, max: i - 1 }).chain(edgeFrom);
      const group = edge && fc.uniqueArray(edge, { minLength: 2, maxLength: 3, selector: (one) => one.step });
      return fc.record({
        ending: fc.constantFrom<Ending>('succeeds', 'succeeds', 'succeeds', 'fails', 'is skipped', 'fails once'),
        road: branches[i] ? fc.constantFrom<Road>('x', 'y', 'nowhere') : fc.constant(undefined),
        after: edge ? fc.array(edge, { maxLength: 3 }) : fc.constant([]),
        groups: group && i > 1 ? fc.array(group, { maxLength: 2 }) : fc.constant([]),
        settled: edge ? fc.array(edge, { maxLength: 1 }).map((edges) => edges.map((one) => one.step)) : fc.constant([]),
      });
    };
    return fc.tuple(...Array.from({ length: count }, (_, i) => step(i))).map((steps) => ({ steps }));
  }),
);

function graphOf({ steps }: Plan): Graph {
  return {
    name: 'random',
    steps: steps.map(
      ({ ending, road, after, groups, settled }, i): GraphStep => ({
        name: nameOf(i),
        ...(road && { kind: 'branch' as const }),
        needs: [
          ...(ending === 'is skipped' ? [{ param: 'never', from: 'input' as const, when: 'handler' as const }] : []),
          ...settled.map((step, n) => ({ param: `settled ${n}`, from: 'settled' as const, step })),
        ],
        after: [...after, ...groups.map((any) => ({ any }))],
        ...(ending === 'fails once' && { retry: { attempts: 2, baseMs: 5 } }),
      }),
    ),
  };
}

function handlersOf({ steps }: Plan): ReadonlyMap<string, Handler> {
  return new Map(
    steps.map(({ ending, road }, i): [string, Handler] => [
      nameOf(i),
      {
        run: (_, { attempt }) => (ending === 'fails' || (ending === 'fails once' && attempt === 1) ? boom() : road),
        conditions: new Map([['never', () => false]]),
      },
    ]),
  );
}

type Final = 'SUCCEEDED' | 'SKIPPED' | 'NOT-TAKEN' | 'FAILED' | 'CANCELLED';
type EdgeState = 'live' | 'dead' | 'failed';

/** The edge table of the specification, step after step, and nothing of the engine. */
function oracle({ steps }: Plan): Readonly<Record<string, string>> {
  const ends = new Map<string, { readonly status: Final; readonly road: Road | undefined }>();
  const waitedFor = new Map<string, Set<string>>();
  for (const { after, groups } of steps) {
    for (const { step, on } of [...after, ...groups.flat()]) {
      for (const road of on ?? []) if (road !== null) waitedFor.set(step, (waitedFor.get(step) ?? new Set()).add(road));
    }
  }
  const edge = ({ step, on }: GraphEdge): EdgeState => {
    const { status, road } = ends.get(step) as { status: Final; road: Road | undefined };
    if (status === 'FAILED' || status === 'CANCELLED') return 'failed';
    if (status === 'NOT-TAKEN') return 'dead';
    if (on === undefined) return 'live';
    const chosen = status === 'SUCCEEDED' && road !== undefined && waitedFor.get(step)?.has(road) ? road : null;
    return on.includes(chosen) ? 'live' : 'dead';
  };
  const anyOf = (edges: readonly GraphEdge[]): EdgeState => {
    const states = edges.map(edge);
    return states.includes('live') ? 'live' : states.includes('failed') ? 'failed' : 'dead';
  };
  for (const [i, { ending, road, after, groups }] of steps.entries()) {
    const bySource = [...new Set(after.map(({ step }) => step))].map((source) =>
      after.filter(({ step }) => step === source),
    );
    const joined = [...bySource, ...groups].map(anyOf);
    const own: Final = ending === 'fails' ? 'FAILED' : ending === 'is skipped' ? 'SKIPPED' : 'SUCCEEDED';
    const status = joined.includes('failed') ? 'CANCELLED' : joined.includes('dead') ? 'NOT-TAKEN' : own;
    ends.set(nameOf(i), { status, road });
  }
  const followed = new Set(
    steps.flatMap(({ after, groups, settled }) => [
      ...[...after, ...groups.flat()].map(({ step }) => step),
      ...settled,
    ]),
  );
  const sinks = [...ends].filter(([step]) => !followed.has(step));
  const fine = sinks.every(([, { status }]) => status !== 'FAILED' && status !== 'CANCELLED');
  return {
    run: fine ? 'SUCCEEDED' : 'FAILED',
    ...Object.fromEntries([...ends].map(([step, { status }]) => [step, status])),
  };
}

/** Everything a state shows, as plain data. */
function show(state: RunState): unknown {
  const plain = (value: unknown): unknown => {
    if (value instanceof Map) return [...value].map(([key, one]) => [key, plain(one)]).sort();
    if (value instanceof Set) return [...value];
    return ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<number>)
      : Array.isArray(value)
        ? [...value]
        : value;
  };
  const { graph, ...fields } = state;
  const lists = [graph.lines.map((_, line) => state.queued(line)), state.running(), state.firstDue()];
  return { ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)])), lists };
}

// proves: ready.schedule, end.final
test.each([1, 4])(
  'a random graph ends as the edge table says, whatever the schedule, with %i at work',
  async (workers) => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer(), fc.constantFrom(1, 3, 64), async (plan, seed, concurrency) => {
        const rig = new Rig(seed);
        const wf = defineGraph(graphOf(plan), handlersOf(plan));
        await wf.dispatch(undefined, { storage: rig.storage, id: 'run' });
        const storages = Array.from({ length: workers }, () => rig.open());
        await rig.host.until(
          Promise.all(storages.map((storage) => rig.engine(wf, { concurrency }, storage).work('run'))),
        );
        expect(await rig.steps()).toEqual(oracle(plan));
        // What every worker believes is what the journal says.
        const told = await rig.open().peek('run', show);
        for (const storage of storages) expect(await storage.peek('run', show)).toEqual(told);
      }),
      { numRuns: 150 },
    );
  },
);

type Move =
  | { readonly type: 'claim'; readonly limit: number; readonly worker: string }
  | {
      readonly type: 'finish';
      readonly nth: number;
      readonly how: 'succeeds' | 'fails' | 'for good' | 'is skipped';
      readonly road: Road;
      readonly claims: number;
    }
  | { readonly type: 'checkpoint' | 'progress' | 'expire' | 'release'; readonly nth: number }
  | { readonly type: 'lose'; readonly worker: string; readonly company: number }
  | { readonly type: 'cancel' | 'pause' | 'resume' | 'signal' | 'tick' | 'failed' }
  | { readonly type: 'enqueue'; readonly step: number; readonly force: boolean };

const workers = fc.constantFrom('w1', 'w2');
const nth = fc.nat(5);
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('claim' as const),
      limit: fc.integer({ min: 1, max: 3 }),
      worker: workers,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      nth,
      how: fc.constantFrom('succeeds', 'succeeds', 'fails', 'for good', 'is skipped'),
      road: fc.constantFrom<Road>('x', 'y', 'nowhere'),
      claims: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('checkpoint', 'progress', 'expire', 'release'), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('lose' as const),
      worker: workers,
      company: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('cancel', 'pause', 'resume', 'resume', 'signal', 'tick', 'tick', 'failed'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('enqueue' as const), step: fc.nat(11), force: fc.boolean() }) },
);

const error = { name: 'Error', message: 'boom' };
const outcomes: Readonly<Record<Extract<Move, { type: 'finish' }>['how'], (road: Road) => Outcome>> = {
  succeeds: (road) => ({ status: 'succeeded', value: '1', road }),
  fails: () => ({ status: 'failed', error }),
  'for good': () => ({ status: 'failed', error, again: 'never' }),
  'is skipped': () => ({ status: 'skipped' }),
};

function commandOf(move: Move, state: RunState, id: string): Command {
  const running = state.running();
  const held = (n: number) => state.claimOf(running[n % Math.max(1, running.length)] ?? 0);
  const request = (worker: string, limit: number) => ({
    worker,
    limit,
    busy: 0,
    held: new Set<string>(),
    serves: () => true,
  });
  switch (move.type) {
    case 'claim':
      return { type: 'claim', next: request(move.worker, move.limit) };
    case 'finish':
      return {
        type: 'finish',
        claim: held(move.nth),
        outcome: outcomes[move.how](move.road),
        next: request('w1', move.claims),
      };
    case 'checkpoint':
      return { type: 'checkpoint', claim: held(move.nth), key: `k${move.nth}`, value: '1' };
    case 'progress':
      return { type: 'progress', claim: held(move.nth), value: '1' };
    case 'expire':
      return { type: 'expire', claim: held(move.nth) };
    case 'release':
      return { type: 'release', claims: [held(move.nth), ...[...state.stopping.values()].map(({ claim }) => claim)] };
    case 'lose':
      return { type: 'lose', worker: move.worker, company: move.company };
    case 'signal':
      return { type: 'signal', id, name: 'go', payload: '1' };
    case 'failed':
      return { type: 'enqueue', id, steps: 'failed' };
    case 'enqueue': {
      const steps = [move.step % state.graph.steps.length];
      return { type: 'enqueue', id, steps, ...(move.force && { force: 'not-taken' as const }) };
    }
    case 'tick':
      return { type: 'tick' };
    default:
      return { type: move.type, id };
  }
}

function born(graph: CompiledGraph): RunState {
  return new RunState(graph, { type: 'created', workflow: 'random', graph: graph.hash, input: 'null' }, 1000);
}

// proves: journal.alone
test('a decision that is taken back leaves no trace, and the journal alone tells the state', () => {
  fc.assert(
    fc.property(plans, fc.array(fc.tuple(moves, fc.nat(1000)), { maxLength: 40 }), (plan, history) => {
      const graph = compileGraph(graphOf(plan));
      const state = born(graph);
      const journal: JournalEntry[] = [];
      let now = 1000;
      const obey = (commands: readonly Command[]) => {
        const before = structuredClone(show(state));
        state.begin();
        const first = structuredClone(decide(state, commands, now, () => 0.5));
        state.rollback();
        expect(show(state)).toEqual(before);
        state.begin();
        const second = decide(state, commands, now, () => 0.5);
        state.accept();
        // The same question, the same answer; in which order bodies are noted to have stopped is nobody's concern.
        const told = (decision: typeof first) => decision.entry?.events.map((event) => JSON.stringify(event)).sort();
        expect([told(second), second.verdicts]).toEqual([told(first), first.verdicts]);
        if (second.entry) journal.push(second.entry);
      };
      obey([{ type: 'start' }]);
      for (const [i, [move, passed]] of history.entries()) {
        now += passed;
        obey([commandOf(move, state, `c${i}`)]);
        // Nothing is lost: a run with nothing claimable, held, delayed or paused has ended.
        const moving =
          state.running().length > 0 ||
          graph.lines.some((_, line) => state.queued(line).length > 0) ||
          state.firstDue() >= 0;
        expect(moving || state.paused || state.ended !== undefined).toBe(true);
      }
      const told = born(graph);
      journal.forEach((entry, seq) => told.fold(structuredClone(entry), seq));
      expect(show(told)).toEqual(show(state));
    }),
    { numRuns: 500 },
  );
});
