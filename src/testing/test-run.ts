import type { Named } from '../core/builder.ts';
import { nextDue } from '../core/decide.ts';
import { type Duration, durationMs } from '../core/duration.ts';
import { handleOf } from '../core/handle.ts';
import type { RunState } from '../core/run-state.ts';
import { FuselineError, MemoryStore, type RunHandle, RuntimeStorage, type Workflow } from '../index.ts';
import { settle } from './settle.ts';
import { LeapingClock } from './test-run-clock.ts';
import { type AnyFakes, type Call, checkFakes, type Fakes, refuseUnknown, type StepCalled } from './test-run-fakes.ts';
import { type JournalLine, readJournal } from './test-run-journal.ts';
import { type Moment, type Stage, TestWorker } from './test-run-worker.ts';

export interface TestRunOptions<Steps extends Named> {
  /** What stands in for the handlers of steps the output depends on. Every other handler runs as it is. */
  readonly steps?: Fakes<Steps>;
  /** The same for steps whose names types do not know, because the output does not depend on them. */
  readonly also?: AnyFakes;
  /** When virtual time begins; the first of January 2020 unless told. */
  readonly now?: Date | number;
  /** What chance follows from: jitter, for one. */
  readonly seed?: number;
  /** How long, in real time, virtual time stands still for handlers that run as they are; 4 s unless told. */
  readonly patience?: Duration;
}

/** A run under test. Nothing of it is executed and no time passes except by `result`, `until` and `advance`. */
export interface TestRun<Out, Steps extends Named> extends RunHandle<Out> {
  /** Virtual time, epoch milliseconds. */
  readonly now: number;
  /** Works until the run has ended; waits take no time. */
  result(): Promise<Out>;
  /**
   * Works until a body of the step is about to start, its claim recorded; or, `after`, until it came to its end and the
   * result is not recorded yet: the worst moment for a crash. It is held there until the run goes on. Of a step that
   * sleeps or waits for a signal: until it does.
   */
  until(step: Steps['name'] | (string & {}), moment?: Moment): Promise<void>;
  /** Works on for so long, in virtual time. */
  advance(duration: Duration): Promise<void>;
  /**
   * The worker dies on the spot and keeps its claims. What its bodies still do is not recorded, and nothing aborts
   * them. When the run goes on, another worker notices the death and takes over.
   */
  crash(): Promise<void>;
  /** What bodies of the step were given, in the order they started, dead workers' included. */
  calls<Name extends Steps['name'] | (string & {})>(step: Name): readonly Call<GivenTo<StepCalled<Steps, Name>>>[];
  /** What happened so far, the same in every run of the same test. */
  journal(): Promise<readonly JournalLine[]>;
}

type GivenTo<S extends Named> = [S] extends [never] ? unknown : S['needs'];

const RUN = 'test-run';
const PATIENCE_MS = 4_000;
/** Taken before a test can put a clock of its own in its place: what stands still is virtual time, not this. */
const realNow = Date.now;
/** How long a worker may look around, in virtual time, before it is said that nothing more can happen. */
const IDLE_MS = 10_000;

/**
 * Runs a workflow for a test: on the engine itself, in memory, in virtual time, with fakes for the steps that reach out.
 *
 * Virtual time goes on once nothing happens any more without it. A fake that has to wait uses `context.sleep`; a handler
 * that runs as it is may wait for the real world, and virtual time stands still meanwhile, up to `patience`.
 */
export async function testRun<In, Out, Steps extends Named>(
  workflow: Workflow<In, Out, Steps>,
  input: NoInfer<In>,
  options: TestRunOptions<Steps> = {},
): Promise<TestRun<Out, Steps>> {
  const { steps, also, now = Date.UTC(2020, 0, 1), seed = 1, patience = PATIENCE_MS } = options;
  const fakes: AnyFakes = { ...also, ...(steps as AnyFakes | undefined) };
  checkFakes(workflow, fakes);
  const clock = new LeapingClock(typeof now === 'number' ? now : now.getTime(), seed);
  const rows = new MemoryStore();
  const storage = new RuntimeStorage({ store: rows.reopen(), host: clock.host(() => true) });
  await (workflow as Workflow<unknown, Out>).dispatch(input, { storage, id: RUN });
  const stage: Stage = { definition: workflow, fakes, rows, clock, calls: new Map(), stop: undefined };
  return testRunOf(new Performance(stage, storage, durationMs(patience)), stage, storage);
}

function testRunOf<Out, Steps extends Named>(
  performance: Performance,
  stage: Stage,
  storage: RuntimeStorage,
): TestRun<Out, Steps> {
  const { clock, definition } = stage;
  const start = clock.now();
  const handle = handleOf<Out>(storage, RUN, definition);
  const ended = async () => (await storage.peek(RUN, (state) => state.ended)) !== undefined;
  return {
    ...handle,
    get now() {
      return clock.now();
    },
    async result() {
      await performance.goOn(ended);
      return handle.result();
    },
    async until(step, moment = 'before') {
      refuseUnknown(definition, step);
      await performance.goOnTo({ step, moment }, ended);
    },
    async advance(duration) {
      await performance.goOn(() => false, clock.now() + durationMs(duration));
    },
    async crash() {
      performance.crash();
      await settle();
    },
    calls(step) {
      refuseUnknown(definition, step);
      return (stage.calls.get(step) ?? []) as never;
    },
    journal: () => readJournal(storage, RUN, start),
  };
}

/** Lets workers work, one after the other, and time pass. */
class Performance {
  readonly #stage: Stage;
  readonly #storage: RuntimeStorage;
  readonly #patienceMs: number;
  readonly #workers = new Map<string, TestWorker>();
  #worker: TestWorker;

  constructor(stage: Stage, storage: RuntimeStorage, patienceMs: number) {
    this.#stage = stage;
    this.#storage = storage;
    this.#patienceMs = patienceMs;
    this.#worker = this.#hire();
  }

  crash(): void {
    this.#worker.die();
    this.#worker = this.#hire();
  }

  async goOnTo(stop: NonNullable<Stage['stop']>, ended: () => Promise<boolean>): Promise<void> {
    const { step, moment } = stop;
    this.#stage.stop = stop;
    try {
      await this.goOn(async () => this.#worker.isHolding || (await this.#waits(stop)) || (await ended()));
    } finally {
      this.#stage.stop = undefined;
    }
    if (this.#worker.isHolding || (await this.#waits(stop))) return;
    throw new FuselineError(
      'RUN_FINISHED',
      `the run ended ${await this.#storage.status(RUN)}, and the moment ${moment} a body of step ${JSON.stringify(step)} did not come`,
    );
  }

  /** Whether the step waits, held by nobody. */
  async #waits({ step, moment }: NonNullable<Stage['stop']>): Promise<boolean> {
    if (moment === 'after') return false;
    const { steps } = await this.#storage.get(RUN);
    return steps.some(({ name, waits }) => name === step && waits !== undefined);
  }

  /** Goes on until that is `reached`, or for as long as it takes to `end`. */
  async goOn(reached: () => boolean | Promise<boolean>, end = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock } = this.#stage;
    const patience = new Patience(this.#patienceMs);
    let idleSince: number | undefined;
    this.#worker.go(RUN);
    for (;;) {
      await clock.passTo(clock.now());
      this.#worker.throwFailure();
      if (await reached()) return;
      const { realBodies } = this.#worker;
      if (realBodies.length > 0 && patience.with(realBodies)) continue;
      const due = await this.#nextMoment();
      if (due !== undefined) idleSince = undefined;
      else idleSince ??= clock.now();
      if (due === undefined && end === Number.POSITIVE_INFINITY) {
        const next = this.#worker.isWorking ? clock.next() : undefined;
        if (next === undefined || next - (idleSince ?? next) > IDLE_MS) throw await this.#stuck();
        await clock.passTo(next);
      } else {
        await clock.passTo(Math.min(due ?? end, end));
        if (clock.now() >= end) return;
      }
    }
  }

  #hire(): TestWorker {
    const name = `worker ${this.#workers.size + 1}`;
    const worker = new TestWorker(this.#stage, name, (evidence) => this.#workers.get(evidence));
    this.#workers.set(name, worker);
    return worker;
  }

  /** When something is due in the run, an attempt's time is over, or a fake wakes. */
  async #nextMoment(): Promise<number | undefined> {
    const now = this.#stage.clock.now();
    // The family is that of the run as it is known here.
    await this.#storage.peek(RUN, () => undefined);
    const family = await this.#storage.family(RUN);
    const due = await Promise.all(family.map((run) => this.#storage.peek(run, momentsOf)));
    const moments = [...due.flatMap((own) => own ?? []), this.#worker.wakesAt].filter((at) => at > now);
    const first = Math.min(...moments);
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  async #stuck(): Promise<FuselineError> {
    const { realBodies } = this.#worker;
    const bodies = realBodies.length > 0 ? `; still running as they are: ${realBodies.join(', ')}` : '';
    return new FuselineError(
      'RUN_NOT_FINISHED',
      `nothing is left that could happen in virtual time: ${await this.#storage.explain(RUN)}${bodies}`,
    );
  }
}

/** When something is due in a run, or the time of an attempt is over. */
function momentsOf(state: RunState): readonly number[] {
  const timeouts = state
    .running()
    .map((step) => (state.since[step] as number) + (state.steps[step]?.spec.timeoutMs ?? Number.POSITIVE_INFINITY));
  return [nextDue(state) ?? Number.POSITIVE_INFINITY, ...timeouts];
}

/** Waiting in real time, as long as the same bodies run. */
class Patience {
  readonly #ms: number;
  #bodies = '';
  #since = 0;

  constructor(ms: number) {
    this.#ms = ms;
  }

  with(bodies: readonly string[]): boolean {
    const names = bodies.join();
    if (names !== this.#bodies) {
      this.#bodies = names;
      this.#since = realNow();
    }
    return realNow() - this.#since < this.#ms;
  }
}
