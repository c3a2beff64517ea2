import { webHost } from '../../adapters/host.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { type Definition, withCalled } from '../../core/definition.ts';
import { type ErrorCode, FuselineError } from '../../core/errors.ts';
import type { CompiledGraph } from '../../core/graph.ts';
import { ProcessEngine } from '../../core/process-engine.ts';
import type { RunState } from '../../core/run-state.ts';
import { RuntimeStorage } from '../../core/storage.ts';
import type { Store } from '../../core/store.ts';
import { type FaultCounts, FaultyStore } from '../faulty-store.ts';
import { type Random, seeded } from '../random.ts';
import { drain, settle } from '../settle.ts';
import { VirtualHost } from '../virtual-host.ts';
import { definitionsOf, witnessed } from './bodies.ts';
import type { Coverage } from './coverage.ts';
import { Follower } from './follower.ts';
import { Ground } from './ground.ts';
import { WorldNetwork } from './network.ts';
import { OwnBodies } from './own-bodies.ts';
import { type Action, DISTURBED_MS, NEWS, type RunPlan, type Whom, type WorldPlan } from './plan.ts';
import { Process, seenBy } from './process.ts';
import { FAULTS } from './reachable.ts';
import { Referee, type RunEnd } from './referee.ts';
import type { Simulated } from './simulated.ts';
import { WorkflowUnfit } from './unfit.ts';
import { demand, Violation } from './violation.ts';

/** After the disturbance, longer than any backoff, silence or deadline of a world. */
const PATIENCE_MS = 600_000;
const PATIENCE_STEP_MS = 2_000;
/** Long enough for a worker on a slow store to end what it does, deaf bodies included, and to leave. */
const LEAVE_MS = 60_000;
/** Longer than it takes a worker to look for claims that nobody holds. */
const CARE_MS = 70_000;
/** A supervisor starts a worker again that ended with an error. */
const RESTART_MS = 500;
/** A client tries again for so long; with the same ids, because it cannot know what happened. */
const CLIENT_TRIES = 100;
const CLIENT_PAUSE_MS = 200;
/** Processes that slept together wake within this time of each other. */
const WAKE_MS = 3_000;
/** Where somebody who holds claims is meant and nobody does, it is looked for one again, so often and for so long. */
const HOLDER_MS = { again: 100, most: 5_000 } as const;

/** A workflow as each process has it, and what its runs are given. */
interface Runnable {
  readonly definition: Definition;
  readonly input: unknown;
  /** What is sent where a step waits for this signal. */
  signal(name: string, step: string): unknown;
  of(process: Process): Definition;
}

export interface WorldParts {
  /** The user's; where there are none, those of the plan are run. */
  readonly workflows: readonly Simulated[];
  /** Opens a handle on the rows of this world; they lie in memory unless told. */
  readonly open?: (() => Promise<Store>) | undefined;
}

/** What became of a world: everything that happened in it, and the promise that was broken, if one was. */
export interface WorldReport {
  readonly trace: readonly string[];
  readonly violation: Violation | undefined;
  /** What became of the runs that are there at its end. */
  readonly ends: readonly RunEnd[];
}

/** Lets a world happen, from its first dispatch to its peace. */
export async function runWorld(plan: WorldPlan, parts: WorldParts, coverage: Coverage): Promise<WorldReport> {
  const world = new World(plan, parts, coverage);
  // Whoever else is in this process has a turn now, and may not before the next world.
  await settle();
  try {
    await world.happen();
  } catch (error) {
    if (error instanceof WorkflowUnfit) throw error;
    world.violated(error);
  } finally {
    await world.close();
  }
  return { trace: world.trace, violation: world.violation, ends: world.ends };
}

interface Worker {
  process: Process;
  engine: ProcessEngine;
  /** It was told to leave, or died, and is not there until it is started again. */
  gone: boolean;
}

class World {
  readonly trace: string[] = [];
  violation: Violation | undefined;
  readonly #plan: WorldPlan;
  readonly #coverage: Coverage;
  readonly #random: Random;
  readonly #clock: VirtualHost;
  readonly #ground: Ground;
  readonly #network = new WorldNetwork();
  readonly #referee: Referee;
  readonly #definitions: readonly Runnable[];
  readonly #own = new OwnBodies();
  readonly #processes = new Map<string, Process>();
  readonly #workers: Worker[] = [];
  readonly #clientProcess: Process;
  #client!: RuntimeStorage;
  /** What the client has not been answered yet. */
  readonly #asked = new Set<Promise<void>>();
  readonly #follower = new Follower();
  readonly #faulty: FaultyStore[] = [];
  #starts = 0;
  /** No commit fails any more. */
  #healed = false;
  /** All is done, and who leaves does not come back. */
  #leaving = false;
  #answers = 0;

  constructor(plan: WorldPlan, { workflows, open }: WorldParts, coverage: Coverage) {
    this.#plan = plan;
    this.#coverage = coverage;
    this.#random = seeded(plan.seed);
    this.#clock = new VirtualHost({
      settle: () => this.#settle(),
      abortController: webHost.abortController,
      seed: plan.seed,
    });
    const memory = new MemoryStore();
    this.#ground = new Ground(open ?? (async () => memory.reopen()), (batch, by) => {
      try {
        this.#say(`${by}: ${this.#referee.saw(batch, by)}`);
      } catch (error) {
        this.violated(error);
      }
    });
    this.#referee = new Referee(this.#ground, coverage, (name) => this.#processes.get(name));
    this.#definitions =
      plan.workflows.length > 0
        ? definitionsOf(plan.workflows, this.#referee, this.#network).map((definition) => ({
            definition,
            input: null,
            signal: () => ({ valid: this.#random.chance(0.7) }),
            of: () => definition,
          }))
        : withThoseCalled(workflows).map(({ workflow, input, steps = {}, signals = {} }) => ({
            definition: workflow,
            input,
            signal: (name, step) => payloadOf(signals, name, workflow.name, step),
            of: (process) => this.#own.of(workflow, steps, process),
          }));
    this.#clientProcess = this.#process('client');
  }

  async happen(): Promise<void> {
    this.#client = this.#storage(this.#clientProcess, await this.#ground.handle('client'), undefined);
    for (const { id } of this.#plan.runs) this.#client.listen(id, (state) => this.#hear(id, state));
    for (const run of this.#plan.runs)
      this.#clock.after(run.at, () => this.#ask(`dispatch ${run.id}`, () => this.#dispatch(run)));
    for (const action of this.#plan.actions) this.#clock.after(action.at, () => this.#perform(action));
    for (const [i] of this.#plan.workers.entries()) await this.#start(i);
    const last = Math.max(...[...this.#plan.runs, ...this.#plan.actions].map(({ at }) => at));
    for (let lived = 0; lived < DISTURBED_MS && !(lived > last && this.#isAtPeace()); lived += PATIENCE_STEP_MS) {
      if (lived > last) this.#answerWaits();
      await this.#clock.advance(PATIENCE_STEP_MS);
    }
    await this.#heal();
    await this.#untilPeace();
    await this.#everybodyLeaves();
    await this.#lookAtAll();
    if (this.#referee.leftBehind(this.#plan.deaths) !== undefined) {
      // What somebody who failed has left behind, the next one finds.
      this.#leaving = false;
      await this.#start(0);
      await this.#clock.advance(CARE_MS);
      await this.#everybodyLeaves();
    }
    const left = this.#referee.leftBehind(this.#plan.deaths);
    demand(left === undefined, 'nothing is left behind', () => `there is a row ${left}`);
  }

  violated(error: unknown): void {
    if (this.violation) return;
    this.violation =
      error instanceof Violation
        ? error
        : new Violation('a worker goes on', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  get ends(): readonly RunEnd[] {
    return this.#referee.ends();
  }

  async close(): Promise<void> {
    this.#countFaults();
    for (const process of this.#processes.values()) process.die();
    await this.#ground.close();
  }

  async #settle(): Promise<void> {
    // Bodies that are made up wait for promises alone; of those of users that is found out.
    await (this.#plan.workflows.length > 0 ? drain() : settle());
    while (this.#ground.isBusy) await settle();
    this.#own.demandVirtualTime();
    if (this.violation) throw this.violation;
  }

  #countFaults(): void {
    for (const { counts } of this.#faulty) {
      for (const [fault, times] of Object.entries(counts) as [keyof FaultCounts, number][])
        this.#coverage.note('fault', FAULTS[fault], times);
    }
  }

  #say(what: string): void {
    this.trace.push(`${String(Math.round((this.#clock.monotonic() - START_MS) * 1000) / 1000).padStart(10)} ${what}`);
  }

  // What is done to the world.

  #perform(action: Action): void {
    this.#coverage.note('action', action.type);
    this.#say(`— ${JSON.stringify(action)}`);
    switch (action.type) {
      case 'kill':
        return this.#meet(action.worker, (worker) => this.#kill(worker, action.backAfterMs));
      case 'kill all':
        for (const [i] of this.#workers.entries()) this.#kill(i, action.backAfterMs);
        return;
      case 'pause':
        return this.#meet(action.worker, (worker) => this.#pause([this.#workers[worker] as Worker], action.ms));
      case 'pause all':
        return this.#meet('a holder', () => this.#pause(this.#workers, action.ms));
      case 'leave':
        return this.#meet(action.worker, (worker) => {
          this.#leave(worker, action.how);
          this.#startLater(worker, action.backAfterMs + DISTURBED_MS / 4);
        });
      case 'set clock':
        return this.#workers[action.worker]?.process.setClock(action.offsetMs);
      case 'lose network': {
        const restore = this.#network.fail(action.notice);
        this.#clock.after(action.ms, restore);
        return;
      }
      case 'command': {
        const { command, force } = action;
        const top = (this.#plan.runs[action.run] as RunPlan).id;
        const run = (action.below && this.#referee.below(top)) ?? top;
        const id = `${command}-${action.at}-${action.step}`;
        this.#coverage.note('asked', `${command} × ${this.#referee.runs.get(run)?.model.status ?? 'none'}`);
        const graph = this.#graphOf(action.run, run);
        return this.#ask(`${command} ${run}`, () => this.#command(command, run, graph, action.step, id, force));
      }
    }
  }

  /** Whom it is about, as soon as there is one. */
  #meet(whom: Whom, meet: (worker: number) => void, waited = 0): void {
    if (whom !== 'a holder') return meet(whom);
    const holders = [...this.#workers.entries()].flatMap(([i, { process, gone }]) =>
      !gone && process.state === 'running' && this.#holds(process) ? [i] : [],
    );
    if (holders.length > 0) return meet(holders[this.#random.below(holders.length)] as number);
    if (waited < HOLDER_MS.most)
      this.#clock.after(HOLDER_MS.again, () => this.#meet(whom, meet, waited + HOLDER_MS.again));
  }

  #pause(workers: readonly Worker[], ms: number): void {
    for (const { process } of [...workers]) {
      process.pause();
      this.#clock.after(ms + this.#random.below(WAKE_MS), () => process.goOn());
    }
  }

  #kill(worker: number, backAfterMs: number): void {
    const { process, gone } = this.#workers[worker] as Worker;
    if (gone || process.state === 'dead') return;
    this.#coverage.note('killed while it held', this.#holds(process) ? 'claims' : 'nothing');
    (this.#workers[worker] as Worker).gone = true;
    process.die();
    this.#startLater(worker, backAfterMs);
  }

  #holds(process: Process): boolean {
    for (const key of this.#ground.rows.keys()) if (key.startsWith(`claim/${process.name}.`)) return true;
    return false;
  }

  #deadHolder(): string | undefined {
    return [...this.#processes.values()].find((process) => process.state === 'dead' && this.#holds(process))?.name;
  }

  #leave(worker: number, how: 'drain' | 'now'): void {
    const one = this.#workers[worker] as Worker;
    if (one.gone) return;
    one.gone = true;
    const end = (): void => one.process.die();
    one.engine.stop({ drain: how === 'drain' }).then(end, end);
  }

  #startLater(worker: number, ms: number): void {
    this.#clock.after(ms, () => {
      if (!this.#leaving) void this.#start(worker).catch((error) => this.violated(error));
    });
  }

  async #start(worker: number): Promise<void> {
    const known = this.#workers[worker];
    if (known && !known.gone) return;
    const { concurrency } = this.#plan.workers[worker] as WorldPlan['workers'][number];
    const process = this.#process(`p${worker}-${this.#starts++}`);
    const store = await this.#ground.handle(process.name);
    const liveness = this.#plan.deaths === 'seen' ? seenBy(process, (name) => this.#processes.get(name)) : undefined;
    const storage = this.#storage(process, store, liveness);
    const definitions = this.#definitions.map((one) =>
      witnessed(one.of(process), process, seeded(this.#random.below(2 ** 31)), this.#referee),
    );
    const engine = new ProcessEngine(definitions, storage, { concurrency, name: process.name });
    const one: Worker = { process, engine, gone: false };
    this.#workers[worker] = one;
    engine.on('error', ({ error, ...rest }) => {
      if (!isExpected(error)) this.violated(error);
      if ('fatal' in rest) this.#ended(worker, one);
    });
    engine.on('worker-lost', () => this.#coverage.note('noticed', 'a death'));
    engine.on('stale', () => this.#coverage.note('noticed', 'a stale result'));
    engine.on('disowned', () => this.#coverage.note('noticed', 'that it was given up'));
    engine.start().catch((error) => {
      if (!isExpected(error)) this.violated(error);
      this.#ended(worker, one);
    });
  }

  /** A worker ended with an error, as a process would. */
  #ended(worker: number, one: Worker): void {
    if (one.gone) return;
    one.gone = true;
    this.#coverage.note('noticed', 'a worker that failed');
    // What it had to give back it has; its process ends.
    this.#clock.after(RESTART_MS, () => one.process.die());
    this.#startLater(worker, RESTART_MS * 2);
  }

  async #everybodyLeaves(): Promise<void> {
    this.#leaving = true;
    for (const [i] of this.#workers.entries()) this.#leave(i, 'drain');
    await this.#clock.advance(LEAVE_MS);
  }

  async #heal(): Promise<void> {
    this.#say('— peace');
    this.#healed = true;
    this.#network.heal();
    for (const store of this.#faulty) store.heal();
    for (const { process } of this.#workers) {
      process.goOn();
      process.setClock(0);
    }
    for (const [i] of this.#workers.entries()) await this.#start(i);
    for (const id of new Set([...this.#plan.runs.map(({ id }) => id), ...this.#referee.runs.keys()]))
      this.#ask(`resume ${id}`, () => this.#client.resume(id, { id: `last-${id}` }));
  }

  #hear(run: string, state: RunState): void {
    try {
      this.#follower.hear(run, state);
    } catch (error) {
      // Its process goes on; the world does not.
      this.violated(error);
    }
  }

  /** Hints may have been lost, and who looks hears what is missing. */
  async #lookAtAll(): Promise<void> {
    for (const { id } of this.#plan.runs) this.#ask(`look at ${id}`, () => this.#client.peek(id, () => undefined));
    await this.#clock.advance(LEAVE_MS);
    for (const [id, { fold }] of this.#referee.runs) this.#follower.missedNothing(id, fold);
  }

  /** All runs have come to their ends, or wait to be resumed in peace, nobody who died holds anything, and who asked was answered. */
  #isAtPeace(): boolean {
    const isOpen = ({ ended, paused }: { ended: unknown; paused: boolean }) => !ended && (this.#healed || !paused);
    const open = this.#referee.hasErrands || [...this.#referee.runs.values()].some(({ model }) => isOpen(model));
    return !open && !this.#deadHolder() && this.#asked.size === 0;
  }

  async #untilPeace(): Promise<void> {
    for (let waited = 0; waited < PATIENCE_MS; waited += PATIENCE_STEP_MS) {
      if (this.#isAtPeace()) return;
      this.#answerWaits();
      await this.#clock.advance(PATIENCE_STEP_MS);
    }
    const open = [...this.#referee.runs.values()].filter(({ model }) => !model.ended);
    demand(
      open.length === 0 && this.#asked.size === 0,
      'every run that can end does',
      () =>
        `after ${PATIENCE_MS / 1000} s of peace ${open.map(({ model }) => model.explain()).join('; ') || 'somebody still waits for an answer'}`,
    );
    throw new Violation('nothing is left behind', `${this.#deadHolder()} is dead, and its claims are never taken back`);
  }

  /** When all has been asked, somebody says what steps wait for that would wait for ever. */
  #answerWaits(): void {
    for (const [id, { model }] of this.#referee.runs) {
      const runnable = this.#definitions.find((one) => one.definition.compiled.hash === model.graph.hash) as Runnable;
      for (const { step, signal } of model.waitsFor()) {
        const payload = runnable.signal(signal, step);
        const answer = `answer-${this.#answers++}`;
        this.#ask(`signal ${signal} to ${id}`, () => this.#client.signal(id, signal, payload, { id: answer }));
      }
    }
  }

  // What the client does.

  #ask(what: string, ask: () => Promise<unknown>): void {
    const asked = this.#insist(what, ask)
      .catch((error) => this.violated(error))
      .finally(() => this.#asked.delete(asked));
    this.#asked.add(asked);
  }

  async #insist(what: string, ask: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await ask();
        return;
      } catch (error) {
        if (isRefusal(error)) return this.#say(`client: ${what} is refused with ${error.code}`);
        if (!isUnknown(error) || tries > CLIENT_TRIES) throw error;
        await new Promise<void>((resolve) => void this.#clientProcess.after(CLIENT_PAUSE_MS, resolve));
      }
    }
  }

  async #dispatch({ id, workflow, priority, delayMs, at }: RunPlan): Promise<void> {
    const { definition, input } = this.#definitions[workflow] as Runnable;
    const startAt = delayMs === undefined ? undefined : START_MS + at + delayMs;
    await this.#client.createRun({ id, graph: definition.compiled, input, priority, startAt });
  }

  async #command(
    command: Extract<Action, { type: 'command' }>['command'],
    run: string,
    graph: CompiledGraph,
    step: number,
    id: string,
    force: boolean,
  ): Promise<void> {
    const client = this.#client;
    switch (command) {
      case 'cancel':
      case 'pause':
      case 'resume':
      case 'retry':
        return client[command](run, { id });
      case 'signal':
        return client.signal(run, signalName(graph, step), { id, valid: !force }, { id });
      case 'remove':
        return client.remove(run);
      case 'enqueue': {
        const name = graph.steps[step % graph.steps.length]?.spec.name as string;
        return client.enqueue(run, name, { id, ...(force && { force: 'not-taken' }) });
      }
    }
  }

  #graphOf(planned: number, run: string): CompiledGraph {
    const { workflow } = this.#plan.runs[planned] as RunPlan;
    const own = (this.#definitions[workflow] as Runnable).definition.compiled;
    return this.#referee.runs.get(run)?.model.graph ?? own;
  }

  // What it is made of.

  #process(name: string): Process {
    const process = new Process(name, this.#clock, seeded(this.#random.below(2 ** 31)));
    this.#processes.set(name, process);
    return process;
  }

  #storage(process: Process, store: Store, liveness: ReturnType<typeof seenBy> | undefined): RuntimeStorage {
    const faulty = new FaultyStore(store, { ...this.#plan.faults, seed: this.#random.below(2 ** 31), host: process });
    if (this.#healed) faulty.heal();
    this.#faulty.push(faulty);
    const network = this.#network.of(process);
    return new RuntimeStorage({ store: faulty, host: process, network, ...(liveness && { liveness }) });
  }
}

/** A signal that some step waits for, if any does. */
function signalName({ waits }: CompiledGraph, step: number): string {
  const names = [...waits.keys()];
  return names[step % names.length] ?? NEWS;
}

/** One's own workflows, and those they have run. */
function withThoseCalled(own: readonly Simulated[]): readonly Simulated[] {
  const all = withCalled(own.map(({ workflow }) => workflow));
  const called = all.filter(({ compiled }) => !own.some(({ workflow }) => workflow.compiled === compiled));
  return [...own, ...called.map((workflow) => ({ workflow }))];
}

function payloadOf(
  signals: Readonly<Record<string, unknown>>,
  signal: string,
  workflow: string,
  step: string,
): unknown {
  if (Object.hasOwn(signals, signal)) return signals[signal];
  throw new WorkflowUnfit(
    'waits for a signal',
    workflow,
    step,
    `step ${JSON.stringify(step)} of workflow ${JSON.stringify(workflow)} waits for signal ${JSON.stringify(signal)}, and nobody sends it; say what comes with it: export const inWorlds = simulated(workflow, { signals: { ${JSON.stringify(signal)}: payload } }), with simulated from 'fuseline/testing'`,
  );
}

const START_MS = Date.UTC(2020, 0, 1);

const UNKNOWN: readonly ErrorCode[] = ['STORAGE_FAILED'];
const REFUSALS: readonly ErrorCode[] = [
  'UNKNOWN_RUN',
  'RUN_FINISHED',
  'RUN_NOT_FINISHED',
  'NOTHING_FAILED',
  'STEP_NOT_TAKEN',
  'STEP_NOT_FINISHED',
];

function isUnknown(error: unknown): boolean {
  return error instanceof FuselineError && UNKNOWN.includes(error.code);
}

function isRefusal(error: unknown): error is FuselineError {
  return error instanceof FuselineError && REFUSALS.includes(error.code);
}

/** A worker may fail because its storage did. */
function isExpected(error: unknown): boolean {
  return isUnknown(error) || isRefusal(error);
}
