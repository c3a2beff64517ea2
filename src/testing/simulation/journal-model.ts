import { portable } from '../../core/codec.ts';
import type { ErrorRecord } from '../../core/errors.ts';
import type { Event, JournalEntry, Parent, Stored } from '../../core/events.ts';
import {
  type CompiledEdge,
  type CompiledGraph,
  type CompiledStep,
  needsWorker,
  parseName,
  type Road,
} from '../../core/graph.ts';
import type { Coverage } from './coverage.ts';
import { type ClaimSeen, isFinal, type StepSeen, type StepStatus, unseen } from './step-seen.ts';
import { demand, Violation } from './violation.ts';

/** How long the queue waits for a body whose claim was taken back. */
export const STOP_GRACE_MS = 30_000;

type EdgeEnd = 'open' | 'live' | 'dead' | 'failed';

/**
 * A run as the specification reads its journal: written down a second time, as plainly as possible, and every event held
 * against it. It knows nothing of how the engine decides.
 */
export class JournalModel {
  readonly run: string;
  readonly graph: CompiledGraph;
  /** Its steps, and behind them the items of those that have some. */
  readonly steps: StepSeen[];
  readonly stopping: Map<string, { readonly worker: string; readonly at: number; readonly step: number }> = new Map();
  readonly commands: Set<string> = new Set();
  readonly input: Stored;
  readonly parent: Parent | undefined;
  deadline: number | undefined;
  seq = -1;
  at = 0;
  ended: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | undefined;
  paused = false;
  cancelled = false;
  started = false;
  /** Whether anything but its own steps has decided what became of it. */
  interfered = false;
  /** What it has ended with, each time it did; `none` where it did not succeed. */
  readonly results: (string | undefined)[] = [];
  /** Signals that no step has had, in the order they came. */
  #signals: readonly Extract<Event, { type: 'signal' }>[] = [];
  readonly #coverage: Coverage;
  readonly #lossesOf: (worker: string) => number | undefined;
  #reruns = 0;
  #orders = 0;

  constructor(
    run: string,
    graph: CompiledGraph,
    created: Extract<Event, { type: 'created' }>,
    coverage: Coverage,
    /** How many claims a worker held when it was found dead; `undefined` if that cannot be said. */
    lossesOf: (worker: string) => number | undefined,
  ) {
    this.run = run;
    this.graph = graph;
    this.input = created.input;
    this.parent = created.parent;
    this.deadline = created.deadline;
    this.#coverage = coverage;
    this.#lossesOf = lossesOf;
    this.steps = graph.steps.map(() => unseen());
  }

  get status(): string {
    return this.ended ?? (this.paused ? 'PAUSED' : this.started ? 'RUNNING' : 'PENDING');
  }

  read(entry: JournalEntry, seq: number): void {
    demand(
      seq === this.seq + 1,
      'the rows say what the journal says',
      () => `${this.run} goes from ${this.seq} to ${seq}`,
    );
    demand(entry.at >= this.at, 'time does not run backwards', () => `${this.run} goes from ${this.at} to ${entry.at}`);
    const wasNotTaken = new Set(this.steps.flatMap(({ status }, i) => (status === 'NOT_TAKEN' ? [i] : [])));
    const before = this.status;
    for (const [index, named] of entry.events.entries()) {
      const event = this.#positioned(named);
      this.#coverage.note('event', event.type);
      if ('command' in event) this.#coverage.note('command × run', `${nameOfCommand(event)} × ${before}`);
      this.#read(event, `${seq}.${index}`, entry, wasNotTaken);
      for (const step of this.steps.keys()) this.#offer(step, entry.at);
    }
    this.seq = seq;
    this.at = entry.at;
    this.#checkComplete();
  }

  explain(): string {
    const steps = this.steps.flatMap(({ status }, i) => (isFinal(status) ? [] : [`${this.nameOf(i)} is ${status}`]));
    return `${this.run} is ${this.status}: ${steps.join(', ')}`;
  }

  claimOf(step: number): ClaimSeen | undefined {
    const last = this.steps[step]?.claims.at(-1);
    return last?.state === 'open' ? last : undefined;
  }

  step(index: number): StepSeen {
    return this.steps[index] as StepSeen;
  }

  nameOf(index: number): string {
    const of = this.steps[index]?.of;
    return of === undefined ? (this.graph.steps[index]?.spec.name ?? '') : `an item of ${this.nameOf(of)}`;
  }

  /** A step, or one of its items. */
  find(step: string, item: number | undefined): StepSeen | undefined {
    const index = this.graph.index.get(step) as number;
    return this.steps[item === undefined ? index : (this.steps[index]?.items?.[item] ?? -1)];
  }

  /** The step a position is, or is an item of. */
  rootOf(index: number): number {
    return this.steps[index]?.of ?? index;
  }

  /** The signals that steps wait for, however long it takes. */
  waitsFor(): readonly { readonly step: string; readonly signal: string }[] {
    return this.steps.flatMap(({ status, until }, step) =>
      status === 'WAITING' && until === Number.POSITIVE_INFINITY && this.#spec(step).kind === 'wait'
        ? [{ step: this.nameOf(step), signal: this.#signalOf(step) }]
        : [],
    );
  }

  /** How a step's edges let it go on, by the edge table of the specification. */
  readiness(step: number): 'waiting' | 'ready' | 'cancelled' | 'not-taken' {
    const { required, groups, settled } = this.graph.steps[step] as CompiledStep;
    const plain = required.map((edge) => this.#edge(edge));
    const any = groups.map(({ members }) => this.#group(step, members));
    if (plain.includes('failed') || any.includes('failed')) return 'cancelled';
    if (plain.includes('open') || any.includes('open')) return 'waiting';
    if (!settled.every((source) => isFinal(this.step(source).status))) return 'waiting';
    return plain.includes('dead') || any.includes('dead') ? 'not-taken' : 'ready';
  }

  #read(event: Event, mark: string, { at, events }: JournalEntry, wasNotTaken: ReadonlySet<number>): void {
    const isForced = (step: number): boolean => wasNotTaken.has(step) && events.some(({ type }) => type === 'rerun');
    switch (event.type) {
      case 'created':
        return;
      case 'spread':
        return this.#spread(event);
      case 'called':
        return this.#call(event, at);
      case 'returned': {
        const seen = this.#demandStatus(event.step, ['WAITING'], event);
        demand(
          seen.child !== undefined && !seen.child.returned,
          'one run per call',
          () => `${this.#name(event.step)} is told of the end of a run it does not wait for`,
        );
        seen.child.returned = true;
        return;
      }
      case 'waiting':
        return this.#wait(event, at, isForced(event.step));
      case 'delivered':
        return this.#deliver(event);
      case 'refused': {
        const seen = this.#reported(event.step, event);
        demand(
          event.error.code === 'INVALID_SIGNAL' && seen.payload !== undefined,
          'a signal goes to one step',
          () => `${this.#name(event.step)} refuses what it was not sent`,
        );
        seen.payload = undefined;
        seen.error = event.error;
        return this.#move(event.step, 'WAITING', seen.until);
      }
      case 'ready':
        for (const step of event.steps) {
          const seen = this.step(step);
          const isChecked = this.#spec(step).check !== undefined && seen.payload !== undefined;
          demand(
            needsWorker(this.#spec(step)) && (this.#spec(step).kind !== 'wait' || isChecked || seen.fallingBack),
            'what waits is held by nobody',
            () => `${this.#name(step)} is queued, and no worker has anything to do for it`,
          );
          if (isChecked) this.#demandStatus(step, ['WAITING', 'DELAYED'], event);
          else this.#demandTurn(step, at, isForced(step));
          this.#move(step, 'QUEUED', at);
        }
        for (const [step, winners] of event.winners ?? []) this.#choose(step, winners);
        return;
      case 'scheduled':
        for (const step of event.steps) {
          this.#demandReadiness(step, 'ready');
          this.#move(step, 'DELAYED', event.notBefore);
        }
        return;
      case 'claimed':
        return this.#claimed(event, mark, at);
      case 'succeeded': {
        if (this.step(event.step).items) return this.#endOfList(event, at);
        if (this.step(event.step).status === 'WAITING') return this.#goOn(event, at);
        const seen = this.#reported(event.step, event);
        const claim = seen.claims.at(-1) as ClaimSeen;
        demand(
          typeof event.value !== 'string' || claim.handedBack.includes(event.value),
          'a recorded result is what its body handed back',
          () => `${this.#name(event.step)} has ${event.value}, its body handed back ${claim.handedBack.join(' or ')}`,
        );
        const road = this.#roadOf(event.step, claim);
        demand(
          event.road === road,
          'a recorded result is what its body handed back',
          () => `${this.#name(event.step)} takes road ${event.road} instead of ${road}`,
        );
        seen.value = event.value;
        seen.road = event.road;
        return this.#end(event.step, 'SUCCEEDED', at);
      }
      case 'skipped':
        for (const step of event.steps) {
          if (event.reason === 'condition') this.#reported(step, event);
          else this.#demandReadiness(step, 'not-taken');
          this.#end(step, event.reason === 'condition' ? 'SKIPPED' : 'NOT_TAKEN', at);
        }
        return;
      case 'looped': {
        const seen = this.#reported(event.step, event);
        const claim = seen.claims.at(-1) as ClaimSeen;
        const { kind, rounds = 1000, everyMs } = this.#spec(event.step);
        seen.rounds++;
        demand(
          kind === 'loop' && seen.rounds < rounds,
          'a loop ends in time',
          () => `${this.#name(event.step)} begins round ${seen.rounds + 1} of ${rounds}`,
        );
        demand(
          typeof event.value !== 'string' || claim.handedBack.includes(event.value),
          'a recorded result is what its body handed back',
          () =>
            `${this.#name(event.step)} goes on with ${event.value}, its body handed back ${claim.handedBack.join()}`,
        );
        demand(
          event.notBefore === (everyMs === undefined ? undefined : at + everyMs),
          'a loop ends in time',
          () => `${this.#name(event.step)} goes on at ${event.notBefore}, that is not ${everyMs} ms from ${at}`,
        );
        Object.assign(seen, { attempt: 0, failures: 0, losses: 0, state: event.value } satisfies Partial<StepSeen>);
        seen.checkpoints.clear();
        return event.notBefore === undefined
          ? this.#move(event.step, 'QUEUED', at)
          : this.#move(event.step, 'DELAYED', event.notBefore);
      }
      case 'retrying': {
        const seen = this.#reported(event.step, event);
        seen.failures++;
        const attempts = this.#spec(event.step).retry?.attempts ?? 1;
        demand(
          seen.failures < attempts,
          'a run ends as its steps did',
          () => `${this.#name(event.step)} is retried after ${seen.failures} of ${attempts} attempts`,
        );
        seen.error = event.error;
        return this.#move(event.step, 'DELAYED', event.notBefore);
      }
      case 'offline': {
        const seen = this.#reported(event.step, event);
        demand(
          this.#spec(event.step).requires === 'network',
          'a run ends as its steps did',
          () => `${this.#name(event.step)} waits for a network it does not require`,
        );
        seen.error = event.error;
        return this.#move(event.step, 'DELAYED', event.notBefore);
      }
      case 'falling-back': {
        const seen = this.#reportedOrLost(event.step, event.error, event, at);
        seen.fallingBack = true;
        seen.losses = 0;
        seen.error = event.error;
        return this.#move(event.step, 'QUEUED', at);
      }
      case 'failed': {
        const seen = this.step(event.step).items
          ? this.#failedList(event.step, event.error)
          : this.#reportedOrLost(event.step, event.error, event, at);
        seen.error = event.error;
        return this.#end(event.step, 'FAILED', at);
      }
      case 'cancelled':
        if (event.reason !== 'upstream' && event.reason !== 'item-failed') this.interfered = true;
        for (const step of event.steps) {
          if (event.reason === 'upstream') this.#demandReadiness(step, 'cancelled');
          this.#takeBack(step, at);
          this.#end(step, 'CANCELLED', at);
        }
        return;
      case 'lost': {
        const seen = this.#demandStatus(event.step, ['RUNNING'], event);
        const claim = seen.claims.at(-1) as ClaimSeen;
        const company = this.#lossesOf(claim.worker);
        const counted = seen.losses + (company === 1 ? 1 : 0);
        demand(
          company === undefined || event.losses === counted,
          'a loss counts only alone',
          () =>
            `${this.#name(event.step)} was lost with ${company} claims and has ${event.losses} losses instead of ${counted}`,
        );
        seen.losses = event.losses;
        claim.state = 'taken back';
        return this.#move(event.step, 'DELAYED', event.notBefore);
      }
      case 'released': {
        const seen = this.#demandStatus(event.step, ['RUNNING'], event);
        (seen.claims.at(-1) as ClaimSeen).state = 'taken back';
        return this.#move(event.step, 'QUEUED', at);
      }
      case 'stopped':
        this.stopping.delete(`${event.claim.seq}.${event.claim.index}`);
        return;
      case 'checkpoint': {
        const seen = this.#demandStatus(event.step, ['RUNNING'], event);
        demand(
          !seen.checkpoints.has(event.key),
          'once is once',
          () => `${this.#name(event.step)} records ${event.key} again`,
        );
        seen.checkpoints.set(event.key, event.value);
        seen.losses = 0;
        return;
      }
      case 'emitted': {
        const claim = this.#demandStatus(event.step, ['RUNNING'], event).claims.at(-1) as ClaimSeen;
        demand(
          event.value === claim.said[claim.recorded++],
          'what is emitted is recorded once, and in order',
          () => `${this.#name(event.step)} has recorded ${event.value}, and said ${claim.said.join()}`,
        );
        return;
      }
      case 'progress':
        this.#demandStatus(event.step, ['RUNNING'], event);
        return;
      case 'cancel':
        this.#remember(event.command);
        this.cancelled = true;
        this.interfered = true;
        return;
      case 'pause':
      case 'resume':
        this.#remember(event.command);
        this.paused = event.type === 'pause';
        return;
      case 'signal':
        this.#signals = [...this.#signals, event];
        return this.#remember(event.command);
      case 'rerun':
        return this.#rerun(event, at);
      case 'ended':
        return this.#ended(event);
      default:
        event satisfies never;
    }
  }

  /** A step's turn has come: by its edges, by force, or because the time its run was to start at has. */
  #demandTurn(step: number, at: number, isForced: boolean): void {
    const seen = this.step(step);
    if (seen.status === 'DELAYED')
      demand(at >= seen.since, 'no step before its needs', () => `${this.#name(step)} goes on before its time`);
    else if (!isForced) this.#demandReadiness(step, 'ready');
  }

  #wait({ step, until, signal }: Extract<Event, { type: 'waiting' }>, at: number, isForced: boolean): void {
    const { kind, forMs } = this.#spec(step);
    const seen = this.step(step);
    const claim = this.claimOf(step);
    if (claim) {
      this.#reported(step, { type: 'waiting', step });
      const moment = portable.decode(claim.handedBack.at(-1) ?? '');
      demand(
        kind === 'sleep' && forMs === undefined && until === Math.ceil(Number(moment)),
        'what waits ends in time',
        () => `${this.#name(step)} sleeps until ${until}, its handler said ${moment}`,
      );
    } else {
      this.#demandTurn(step, at, isForced);
      demand(
        until === (forMs === undefined ? undefined : at + forMs) && (kind !== 'sleep' || forMs !== undefined),
        'what waits ends in time',
        () => `${this.#name(step)} waits until ${until}, that is not ${forMs} ms from ${at}`,
      );
    }
    demand(
      signal === (kind === 'wait' ? this.#signalOf(step) : undefined),
      'a signal goes to one step',
      () => `${this.#name(step)} waits for ${signal}`,
    );
    seen.until = until ?? Number.POSITIVE_INFINITY;
    this.started = true;
    this.#move(step, 'WAITING', seen.until);
  }

  #call({ step, child, workflow, input, until }: Extract<Event, { type: 'called' }>, at: number): void {
    const { kind, forMs, workflow: named } = this.#spec(step);
    const seen = this.#reported(step, { type: 'waiting', step });
    const claim = seen.claims.at(-1) as ClaimSeen;
    demand(
      kind === 'run' &&
        (named === undefined || workflow === named) &&
        (typeof input !== 'string' || claim.handedBack.includes(input)),
      'one run per call',
      () =>
        `${this.#name(step)} has ${workflow} run on ${input}, its body handed back ${claim.handedBack.join(' or ')}`,
    );
    demand(
      until === (forMs === undefined ? undefined : at + forMs),
      'what waits ends in time',
      () => `${this.#name(step)} waits until ${until}, that is not ${forMs} ms from ${at}`,
    );
    seen.child = { id: child, input, returned: false };
    seen.until = until ?? Number.POSITIVE_INFINITY;
    this.#move(step, 'WAITING', seen.until);
  }

  /** Whether a step of it waits for that run. */
  waitsForRun(id: string): boolean {
    return this.steps.some(({ status, child }) => status === 'WAITING' && child?.id === id && !child.returned);
  }

  /** What the run hands on, encoded, where the journal says it in so many words. */
  #result(): string | undefined {
    const { output } = this.graph.graph;
    if (output === undefined) return portable.encode(undefined);
    const sources = 'record' in output ? output.record : [['', output] as const];
    const results: [string, unknown][] = [];
    for (const [key, source] of sources) {
      const seen = source.from === 'step' ? this.#source(source.step) : undefined;
      if (!seen || seen.items || typeof seen.value === 'object') return undefined;
      results.push([key, seen.value === undefined ? undefined : portable.decode(seen.value)]);
    }
    return portable.encode('record' in output ? Object.fromEntries(results) : results[0]?.[1]);
  }

  #deliver({ step, signal }: Extract<Event, { type: 'delivered' }>): void {
    const first = this.#signals.find(({ name }) => name === this.#signalOf(step));
    const seen = this.step(step);
    demand(
      first?.command === signal && seen.status === 'WAITING' && seen.payload === undefined,
      'a signal goes to one step',
      () => `${this.#name(step)}, which is ${seen.status}, gets ${signal}; the first nobody had is ${first?.command}`,
    );
    const before = this.steps.findIndex(({ status }, i) => status === 'WAITING' && this.#waitsForNameOf(i, step));
    demand(
      before === step,
      'a signal goes to one step',
      () => `${this.#name(step)} gets ${signal}, and ${this.#name(before)} waits for it before that in the graph`,
    );
    this.#signals = this.#signals.filter((one) => one !== first);
    seen.payload = { stored: first.payload };
  }

  /** A step ends that no worker holds. */
  #goOn({ step, value }: Extract<Event, { type: 'succeeded' }>, at: number): void {
    const { kind, check } = this.#spec(step);
    const seen = this.step(step);
    if (kind === 'sleep')
      demand(
        at >= seen.until && value === undefined,
        'what waits ends in time',
        () => `${this.#name(step)} ends at ${at}, and sleeps until ${seen.until}`,
      );
    else if (kind === 'run')
      demand(
        seen.child?.returned === true,
        'one run per call',
        () => `${this.#name(step)} ends, and the run it waits for has not`,
      );
    else
      demand(
        check === undefined && seen.payload !== undefined && seen.payload.stored === value,
        'a signal goes to one step',
        () => `${this.#name(step)} ends with what no signal brought`,
      );
    seen.value = value;
    this.#end(step, 'SUCCEEDED', at);
  }

  #waitsForNameOf(step: number, other: number): boolean {
    return this.#spec(step).kind === 'wait' && this.#signalOf(step) === this.#signalOf(other);
  }

  #signalOf(step: number): string {
    const { signal, name } = this.#spec(step);
    return signal ?? name;
  }

  #claimed({ step, attempt, worker }: Extract<Event, { type: 'claimed' }>, mark: string, at: number): void {
    demand(
      !this.paused && !this.ended,
      'one claim at a time',
      () => `${this.#name(step)} is claimed while the run is ${this.status}`,
    );
    const seen = this.step(step);
    if (seen.of !== undefined && seen.status === 'PENDING') this.#demandNext(step, seen.of);
    else
      demand(
        seen.items === undefined,
        'every item once',
        () => `${this.#name(step)} is claimed itself, and has a list`,
      );
    demand(
      (seen.status === 'QUEUED' || (seen.status === 'PENDING' && seen.of !== undefined)) &&
        this.claimOf(step) === undefined,
      'one claim at a time',
      () => `${this.#name(step)} is claimed while it is ${seen.status}`,
    );
    for (const old of this.stopping.values())
      demand(
        (old.step !== step && this.steps[old.step]?.of !== step) || at >= old.at + STOP_GRACE_MS,
        'one claim at a time',
        () => `${this.#name(step)} is claimed while a body of it is waited for`,
      );
    demand(
      attempt === seen.attempt + 1,
      'one claim at a time',
      () => `attempt ${attempt} of ${this.#name(step)} follows attempt ${seen.attempt}`,
    );
    seen.attempt = attempt;
    seen.claims.push({
      mark,
      worker,
      attempt,
      generation: seen.generation,
      needs: seen.fallingBack ? new Map() : this.#needs(step),
      state: 'open',
      body: 'none',
      handedBack: [],
      said: [],
      recorded: 0,
    });
    this.started = true;
    this.#move(step, 'RUNNING', at);
  }

  /** What the body of a branch step handed back, if some edge waits for that; otherwise the road that is left. */
  #roadOf(step: number, { handedBack }: ClaimSeen): Road | undefined {
    const { spec, roads } = this.graph.steps[this.rootOf(step)] as CompiledStep;
    if (spec.kind !== 'branch') return undefined;
    const last = portable.decode(handedBack.at(-1) ?? '');
    return typeof last === 'string' && roads.has(last) ? last : null;
  }

  /** What the body is to receive, where the journal says it in so many words. */
  #needs(step: number): ReadonlyMap<string, unknown> {
    const needs = new Map<string, unknown>();
    const { payload } = this.step(step);
    if (payload) needs.set('payload', payload.stored);
    const { of } = this.step(step);
    if (of !== undefined) {
      const list = this.#listOf(of);
      const at = this.step(of).items?.indexOf(step) as number;
      return list === undefined ? needs : needs.set('item', portable.encode(list[at]));
    }
    if (this.step(step).rounds > 0) return new Map([['state', this.step(step).state]]);
    let group = 0;
    for (const need of this.#spec(step).needs ?? []) {
      if (need.from === 'input') needs.set(need.param, this.input);
      else if (need.from === 'settled') needs.set(need.param, { status: this.#source(need.step).status });
      else {
        const from =
          need.from === 'step'
            ? this.graph.index.get(need.step)
            : this.step(step).winners[need.from === 'any' ? group++ : 0];
        const { items, value } = from === undefined ? unseen() : this.step(from);
        if (!items) needs.set(need.param, value);
        else if (this.#resultsOf(items)) needs.set(need.param, this.#resultsOf(items));
      }
    }
    return needs;
  }

  #source(name: string): StepSeen {
    return this.step(this.graph.index.get(name) as number);
  }

  #choose(step: number, winners: readonly number[]): void {
    const { groups } = this.graph.steps[step] as CompiledStep;
    for (const [i, { members }] of groups.entries()) {
      const winner = winners[i];
      const live = members.filter((edge) => this.#edge(edge) === 'live').map(({ from }) => from);
      demand(
        winner !== undefined && live.includes(winner),
        'no step before its needs',
        () => `${this.#name(step)} was let go by ${winner}, live are ${live.join(', ')}`,
      );
      const first = live.reduce((a, b) => (this.step(b).order < this.step(a).order ? b : a));
      demand(
        winner === first || this.step(step).reset > 0,
        'no step before its needs',
        () => `${this.#name(step)} takes step ${winner}, but step ${first} was live first`,
      );
    }
    this.step(step).winners = winners;
  }

  /** The list of a step, where the journal says it in so many words. */
  #listOf(step: number): readonly unknown[] | undefined {
    const need = this.#spec(step).needs?.[0];
    const stored =
      need?.from === 'input' ? this.input : need?.from === 'step' ? this.#source(need.step).value : undefined;
    const list = typeof stored === 'string' ? portable.decode(stored) : undefined;
    return Array.isArray(list) ? list : undefined;
  }

  #spread({ step, items }: Extract<Event, { type: 'spread' }>): void {
    const seen = this.#reported(step, { type: 'spread', step, items });
    const list = this.#listOf(step);
    demand(
      this.#spec(step).kind === 'each' && (list === undefined || list.length === items),
      'every item once',
      () => `${this.#name(step)} has ${items} items, its list ${list?.length}`,
    );
    const first = this.steps.length;
    for (let item = 0; item < items; item++) this.steps.push(unseen(step, item));
    seen.items = Array.from({ length: items }, (_, item) => first + item);
    // Taken out of its queue at once where there is nothing to claim.
    this.#move(step, 'WAITING', Number.POSITIVE_INFINITY);
  }

  /** The results of items, in their order, where the journal says them in so many words and all succeeded. */
  #resultsOf(items: readonly number[]): string | undefined {
    const ends = items.map((item) => this.step(item));
    if (ends.some(({ status, value }) => status !== 'SUCCEEDED' || typeof value === 'object')) return undefined;
    const [first] = ends;
    const results = ends.map(({ value }) =>
      portable.decode((value as string | undefined) ?? portable.encode(undefined)),
    );
    const isSettled = first?.of !== undefined && this.#spec(first.of).settle !== undefined;
    return portable.encode(isSettled ? results.map((value) => ({ status: 'SUCCEEDED', value })) : results);
  }

  #active(step: number): readonly number[] {
    return (this.step(step).items ?? []).filter((item) =>
      ['DELAYED', 'QUEUED', 'RUNNING'].includes(this.step(item).status),
    );
  }

  #next(step: number): number | undefined {
    const { limit = Number.POSITIVE_INFINITY } = this.#spec(step);
    if (this.#active(step).length >= limit) return undefined;
    return this.step(step).items?.find((item) => this.step(item).status === 'PENDING');
  }

  #demandNext(item: number, step: number): void {
    demand(
      this.step(step).status === 'QUEUED' && this.#next(step) === item,
      'every item once',
      () => `item at ${item} of ${this.#name(step)} is claimed, and it is the turn of ${this.#next(step)}`,
    );
  }

  /** A step with a list is in its queue while an item of it can be claimed. */
  #offer(step: number, at: number): void {
    const seen = this.step(step);
    if (!seen.items || (seen.status !== 'QUEUED' && seen.status !== 'WAITING')) return;
    const status = this.#next(step) === undefined ? 'WAITING' : 'QUEUED';
    if (status !== seen.status) this.#move(step, status, status === 'QUEUED' ? at : Number.POSITIVE_INFINITY);
  }

  #endOfList({ step, value }: Extract<Event, { type: 'succeeded' }>, at: number): void {
    const ends = (this.step(step).items ?? []).map((item) => this.step(item).status);
    const { settle } = this.#spec(step);
    demand(
      value === undefined && ends.every((end) => end === 'SUCCEEDED' || (settle !== undefined && end === 'FAILED')),
      'every item once',
      () => `${this.#name(step)} succeeded, its items are ${ends.join(', ')}`,
    );
    this.#end(step, 'SUCCEEDED', at);
  }

  #failedList(step: number, error: ErrorRecord): StepSeen {
    const seen = this.step(step);
    demand(
      error.code === 'ITEM_FAILED' && this.#hasFailed(step) && this.#active(step).length === 0,
      'every item once',
      () => `${this.#name(step)} fails with ${error.code}, ${this.#active(step).length} items are under way`,
    );
    return seen;
  }

  #hasFailed(step: number): boolean {
    const { items = [] } = this.step(step);
    return this.#spec(step).settle === undefined && items.some((item) => this.step(item).status === 'FAILED');
  }

  /** An event with the positions it names. */
  #positioned(event: Event): Event {
    const at = (name: number): number => {
      const { step, item } = parseName(name);
      return item === undefined ? step : (this.steps[step]?.items?.[item] as number);
    };
    if ('step' in event) return { ...event, step: at(event.step) };
    return 'steps' in event ? ({ ...event, steps: event.steps.map(at) } as Event) : event;
  }

  #rerun({ command, steps, resumed = [] }: Extract<Event, { type: 'rerun' }>, at: number): void {
    this.#remember(command);
    this.#reruns++;
    this.interfered = true;
    for (const index of steps) {
      this.#takeBack(index, at);
      this.#rerunItems(index, resumed.includes(index), at);
      const seen = this.step(index);
      const { generation, claims, items } = seen;
      Object.assign(seen, { ...unseen(), generation: generation + 1, reset: this.#reruns, since: at, claims, items });
    }
    this.deadline = undefined;
    this.ended = undefined;
    this.cancelled = false;
  }

  /** The items that succeeded stay where a list is resumed; otherwise there is none any more. */
  #rerunItems(step: number, isResumed: boolean, at: number): void {
    const seen = this.step(step);
    for (const item of seen.items ?? []) {
      const one = this.step(item);
      if (!isResumed && this.#active(step).includes(item)) {
        this.#takeBack(item, at);
        one.status = 'CANCELLED';
      }
      if (!isResumed || one.status === 'SUCCEEDED') continue;
      Object.assign(one, { ...unseen(step, one.at), claims: one.claims } satisfies StepSeen);
    }
    if (!isResumed) seen.items = undefined;
  }

  #ended({ status, reason }: Extract<Event, { type: 'ended' }>): void {
    const fine = this.graph.decisive.every((step) =>
      ['SUCCEEDED', 'SKIPPED', 'NOT_TAKEN'].includes(this.step(step).status),
    );
    const ought = reason === 'RUN_TIMEOUT' ? 'FAILED' : this.cancelled ? 'CANCELLED' : fine ? 'SUCCEEDED' : 'FAILED';
    demand(
      status === ought && this.steps.every((step) => step.of !== undefined || isFinal(step.status)),
      'a run ends as its steps did',
      () => `${this.run} ended ${status} instead of ${ought}: ${this.#all()}`,
    );
    this.ended = status;
    this.results.push(status === 'SUCCEEDED' ? this.#result() : 'none');
  }

  /** A step whose edges let it go on, or end, does so in the same entry; and so does the run. */
  #checkComplete(): void {
    if (this.ended) return;
    demand(
      this.steps.some(({ status, of }) => of === undefined && !isFinal(status)),
      'what follows is recorded at once',
      () => `${this.run} has ended, and nothing says so`,
    );
    for (const [step, { status, until, of, items }] of this.steps.entries()) {
      if (of !== undefined) continue;
      demand(
        isFinal(status) || !items || (!this.#hasFailed(step) && items.some((item) => !isFinal(this.step(item).status))),
        'what follows is recorded at once',
        () => `the items of ${this.#name(step)} have ended, and nothing says so`,
      );
      const hasCome =
        until <= this.at ||
        this.step(step).child?.returned ||
        (this.#spec(step).kind === 'wait' && this.#signals.some(({ name }) => name === this.#signalOf(step)));
      demand(
        status !== 'WAITING' || !hasCome,
        'what follows is recorded at once',
        () => `${this.#name(step)} waits on, though what it waits for has come`,
      );
      const readiness = status === 'PENDING' ? this.readiness(step) : 'waiting';
      demand(
        readiness === 'waiting',
        'what follows is recorded at once',
        () => `${this.#name(step)} is ${readiness}, and nothing says so`,
      );
    }
  }

  #edge({ from, on }: CompiledEdge): EdgeEnd {
    const { status, road } = this.step(from);
    if (status === 'FAILED' || status === 'CANCELLED') return 'failed';
    if (status === 'NOT_TAKEN') return 'dead';
    if (status === 'SUCCEEDED') return on === undefined || on.includes(road ?? null) ? 'live' : 'dead';
    if (status === 'SKIPPED') return on === undefined || on.includes(null) ? 'live' : 'dead';
    return 'open';
  }

  /** After a rerun, members that were kept count only when all that were rerun have settled without a live one. */
  #group(step: number, members: readonly CompiledEdge[]): EdgeEnd {
    const { reset } = this.step(step);
    const fresh = members.filter(({ from }) => reset > 0 && this.step(from).reset === reset);
    const among = fresh.length > 0 ? fresh : members;
    const ends = among.map((edge) => this.#edge(edge));
    if (ends.includes('live')) return 'live';
    if (ends.includes('open')) return 'open';
    if (among.length < members.length) {
      const all = members.map((edge) => this.#edge(edge));
      return all.includes('live') ? 'live' : all.includes('open') ? 'open' : all.includes('failed') ? 'failed' : 'dead';
    }
    return ends.includes('failed') ? 'failed' : 'dead';
  }

  #demandReadiness(step: number, ought: 'ready' | 'cancelled' | 'not-taken'): void {
    const { status } = this.step(step);
    const readiness = status === 'PENDING' ? this.readiness(step) : status;
    demand(
      readiness === ought,
      'no step before its needs',
      () => `${this.#name(step)} is recorded as ${ought}, but it is ${readiness}: ${this.#all()}`,
    );
  }

  #demandStatus(step: number, among: readonly StepStatus[], event: Event): StepSeen {
    const seen = this.step(step);
    demand(
      among.includes(seen.status),
      'one recorded result per claim',
      () => `${event.type} is recorded for ${this.#name(step)}, which is ${seen.status}`,
    );
    return seen;
  }

  #reported(step: number, event: Event): StepSeen {
    const seen = this.#demandStatus(step, ['RUNNING'], event);
    const claim = seen.claims.at(-1) as ClaimSeen;
    demand(
      claim.state === 'open',
      'one recorded result per claim',
      () => `${event.type} is recorded for claim ${claim.mark} of ${this.#name(step)}, which was ${claim.state}`,
    );
    claim.state = 'reported';
    return seen;
  }

  #reportedOrLost(step: number, error: ErrorRecord, event: Event, at: number): StepSeen {
    if (this.step(step).status === 'WAITING') {
      const { child, until } = this.step(step);
      demand(
        child?.returned
          ? error.code === 'CHILD_FAILED'
          : error.code === (child ? 'STEP_TIMEOUT' : 'SIGNAL_TIMEOUT') && at >= until,
        'what waits ends in time',
        () => `${this.#name(step)} fails at ${at} with ${error.code}, and waits until ${until}`,
      );
      return this.step(step);
    }
    const seen = this.#reported(step, event);
    demand(
      error.code !== 'INVALID_SIGNAL' || seen.payload === undefined,
      'a signal goes to one step',
      () => `${this.#name(step)} has waited long enough, because what it was sent is not valid`,
    );
    if (error.code === 'WORKER_LOST') this.interfered = true;
    return seen;
  }

  #takeBack(step: number, at: number): void {
    const claim = this.claimOf(step);
    if (!claim) return;
    claim.state = 'taken back';
    this.stopping.set(claim.mark, { worker: claim.worker, at, step });
  }

  #remember(command: string): void {
    demand(!this.commands.has(command), 'a command is recorded once', () => `${command} was recorded before`);
    this.commands.add(command);
  }

  #end(step: number, status: StepStatus, at: number): void {
    this.#move(step, status, at);
    this.step(step).order = ++this.#orders;
    const seen = this.step(step);
    for (const { required, groups, settled } of this.graph.steps[step]?.dependents ?? []) {
      if (required) this.#coverage.note('edge table', `${status}, ${kindOf(required, seen)}`);
      for (const { members } of groups) {
        const edge = members.find(({ from }) => from === step);
        if (edge) this.#coverage.note('edge table', `${status}, any of, ${kindOf(edge, seen)}`);
      }
      if (settled) this.#coverage.note('edge table', `${status}, settled`);
    }
  }

  #move(step: number, status: StepStatus, since: number): void {
    const seen = this.step(step);
    if (isFinal(seen.status))
      throw new Violation(
        'one recorded result per claim',
        `${this.#name(step)} is ${seen.status}, and becomes ${status}`,
      );
    seen.status = status;
    seen.since = since;
  }

  #spec(step: number): CompiledStep['spec'] {
    return (this.graph.steps[this.rootOf(step)] as CompiledStep).spec;
  }

  #name(step: number): string {
    return `step ${JSON.stringify(this.nameOf(step))} of ${this.run}`;
  }

  #all(): string {
    return this.steps.map(({ status }, i) => `${this.nameOf(i)} ${status}`).join(', ');
  }
}

function kindOf({ on }: CompiledEdge, { road, status }: StepSeen): string {
  if (on === undefined) return 'plain';
  const chosen = status === 'SKIPPED' ? null : road;
  const which = on.includes(null) ? 'otherwise' : 'road';
  return (status === 'SUCCEEDED' || status === 'SKIPPED') && chosen !== undefined
    ? `${which} ${on.includes(chosen) ? 'chosen' : 'not chosen'}`
    : which;
}

function nameOfCommand(event: Event & { readonly command: string }): string {
  return event.type === 'rerun' ? 'enqueue' : event.type;
}
