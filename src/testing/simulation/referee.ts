import { canonical, portable } from '../../core/codec.ts';
import type { Errand } from '../../core/errands.ts';
import type { ErrorRecord } from '../../core/errors.ts';
import type { Event, JournalEntry, Parent, Stored } from '../../core/events.ts';
import { type CompiledGraph, compileGraph, type Graph } from '../../core/graph.ts';
import { keys, lastPart, parseTimer } from '../../core/keys.ts';
import { INLINE_LENGTH } from '../../core/run-log.ts';
import * as run from '../../core/run-state.ts';
import type { Batch, Key } from '../../core/store.ts';
import type { Coverage } from './coverage.ts';
import type { Ground } from './ground.ts';
import { JournalModel, STOP_GRACE_MS } from './journal-model.ts';
import { NOTICE_MS, type Process } from './process.ts';
import type { ClaimSeen, StepSeen, StepStatus } from './step-seen.ts';
import { demand, Violation } from './violation.ts';

/** Nobody who holds claims is given up before somebody has listened for so long. */
const SILENCE_MS = 30_000;

const STATUS: readonly StepStatus[] = [
  'PENDING',
  'DELAYED',
  'WAITING',
  'QUEUED',
  'RUNNING',
  'SUCCEEDED',
  'SKIPPED',
  'NOT_TAKEN',
  'FAILED',
  'CANCELLED',
];

interface Watched {
  readonly incarnation: string;
  readonly model: JournalModel;
  /** What the engine's own fold makes of the same journal. */
  readonly fold: run.RunState;
}

/** What became of a run. */
export interface RunEnd {
  readonly workflow: string;
  readonly status: string;
  /** Nothing but its own steps decided. */
  readonly byItself: boolean;
  /** The first that failed. */
  readonly step: string | undefined;
  readonly error: ErrorRecord | undefined;
}

/** Sees every commit and every body of a world, and holds both against the specification. */
export class Referee {
  readonly runs: Map<string, Watched> = new Map();
  readonly #ground: Pick<Ground, 'rows'>;
  readonly #coverage: Coverage;
  readonly #find: (process: string) => Process | undefined;
  /** The rows of a run beside its journal and its values. */
  readonly #rows = new Map<string, Set<Key>>();
  /** When each worker said last that it lives. */
  readonly #sessions = new Map<string, number>();
  /** When a worker was found dead. */
  readonly #givenUp = new Map<string, number>();
  /** How many claims it held then. */
  readonly #company = new Map<string, number>();
  readonly #graphs = new Map<string, CompiledGraph>();
  readonly #removed = new Map<string, JournalModel>();
  /** What is to be done between runs, by its row. */
  readonly #errands = new Map<Key, Errand>();
  /** The runs that were made for steps. */
  readonly #made = new Set<string>();
  /** What a body found broken, and could tell nobody but its engine. */
  #accusation: Violation | undefined;

  constructor(ground: Pick<Ground, 'rows'>, coverage: Coverage, find: (process: string) => Process | undefined) {
    this.#ground = ground;
    this.#coverage = coverage;
    this.#find = find;
  }

  /** Everything of one commit of process `by`. Answers what it was about, for the trace. */
  saw({ put = [], delete: gone = [] }: Batch, by: string): string {
    if (this.#accusation) throw this.#accusation;
    const about: string[] = [];
    const touched = new Set<string>();
    const done = gone.flatMap((key) => this.#errands.get(key) ?? []);
    for (const key of gone) this.#note(key, undefined, by, touched);
    for (const { key, value } of put) this.#note(key, value, by, touched);
    for (const key of gone) {
      if (!key.startsWith('head/')) continue;
      const id = lastPart(key);
      const watched = this.runs.get(id);
      if (watched) this.#removed.set(`${id}/${watched.incarnation}`, watched.model);
      this.runs.delete(id);
    }
    for (const { key, value } of put) {
      if (!key.startsWith('entry/')) continue;
      const [, id = '', incarnation = '', seq = ''] = key.split('/');
      const entry = JSON.parse(value) as JournalEntry;
      this.#entry(id, incarnation, Number(seq.slice(1)), entry);
      about.push(`${id} ${seq.slice(1)}: ${entry.events.map(told).join(' ')}`);
    }
    for (const errand of done) this.#checkDone(errand);
    for (const { model } of this.runs.values()) this.#checkAbandoned(model);
    for (const id of touched) this.#checkRows(id);
    return about.length > 0
      ? about.join('; ')
      : [...put.map(({ key }) => `+${key}`), ...gone.map((key) => `-${key}`)].join(' ');
  }

  /** A body found a promise broken: the next commit says so. */
  accuse(violation: Violation): void {
    this.#accusation ??= violation;
  }

  /** A body begins, for a claim its process was granted. */
  begin(
    process: string,
    id: string,
    step: string,
    item: number | undefined,
    attempt: number,
    needs: Readonly<Record<string, unknown>>,
  ): ClaimSeen {
    const present = this.runs.get(id)?.model;
    // Who slept may hear of its claim when the run is gone, and its values with it.
    const own = [...this.#modelsOf(id)]
      .reverse()
      .flatMap((model) =>
        claimsAt(model, step, item).filter(
          (claim) => claim.attempt === attempt && claim.worker.startsWith(`${process}.`),
        ),
      );
    const claim = own.findLast(({ body }) => body === 'none');
    demand(
      claim !== undefined,
      'one body per claim',
      () =>
        `${process} runs attempt ${attempt} of step ${JSON.stringify(step)} of ${id}; it has had ${own.length} such claims, each with its body`,
    );
    claim.body = 'running';
    if (!present) return claim;
    for (const [param, ought] of claim.needs) {
      const text = portable.encode(needs[param]);
      const same = isOutcome(ought)
        ? (needs[param] as { status?: unknown }).status === outcomeOf(ought.status)
        : canonical(text) === canonical(this.#text(id, ought as Stored | undefined));
      demand(
        same,
        'a body receives what was recorded',
        () =>
          `${JSON.stringify(param)} of step ${JSON.stringify(step)} of ${id} is ${text}, recorded was ${JSON.stringify(ought)}`,
      );
    }
    return claim;
  }

  /** What the journal knows of a step. */
  step(id: string, step: string, item?: number): Pick<StepSeen, 'failures' | 'checkpoints' | 'since'> | undefined {
    const model = this.runs.get(id)?.model;
    return model?.find(step, item);
  }

  /** How the runs ended that were not removed. */
  ends(): readonly RunEnd[] {
    return [...this.runs.values()].map(({ model }): RunEnd => {
      const failed = model.steps
        .filter(({ status }) => status === 'FAILED')
        .reduce<StepSeen | undefined>((first, step) => (first && first.order < step.order ? first : step), undefined);
      return {
        workflow: model.graph.graph.name,
        status: model.status,
        byItself: !model.interfered,
        step: failed && model.nameOf(model.steps.indexOf(failed)),
        error: failed?.error,
      };
    });
  }

  /** A row that must not be there once everybody has left: something held or due, or a worker whose death could be seen. */
  leftBehind(deaths: 'seen' | 'heard'): Key | undefined {
    return [...this.#ground.rows.keys()].find((key) => {
      const kind = key.slice(0, key.indexOf('/'));
      const isSilent = kind === 'session' && deaths === 'heard' && this.#processOf(lastPart(key))?.state === 'dead';
      return ['ready', 'timer', 'claim', 'session'].includes(kind) && !isSilent;
    });
  }

  #note(key: Key, value: string | undefined, by: string, touched: Set<string>): void {
    const kind = key.slice(0, key.indexOf('/'));
    if (kind === 'session') this.#session(lastPart(key), value, by);
    if (!['ready', 'timer', 'claim', 'head'].includes(kind)) return;
    if (kind === 'timer' && parseTimer(key).errand !== undefined) {
      if (value === undefined) this.#errands.delete(key);
      else this.#errands.set(key, JSON.parse(value) as Errand);
      return;
    }
    const id = lastPart(key);
    const rows = this.#rows.get(id) ?? new Set();
    this.#rows.set(id, rows);
    if (value === undefined) rows.delete(key);
    else rows.add(key);
    touched.add(id);
  }

  #session(worker: string, value: string | undefined, by: string): void {
    if (value === undefined) {
      this.#sessions.delete(worker);
      return;
    }
    const observer = this.#find(by) as Process;
    const heardAt = this.#sessions.get(worker) ?? observer.monotonic();
    this.#sessions.set(worker, observer.monotonic());
    const { deadWith } = JSON.parse(value) as { readonly deadWith?: number };
    if (deadWith === undefined || this.#company.has(worker)) return;
    this.#company.set(worker, deadWith);
    this.#givenUp.set(worker, observer.monotonic());
    const held = [...this.runs.values()].flatMap(({ model }) =>
      model.steps.flatMap((_, step) => model.claimOf(step) ?? []),
    );
    const count = held.filter((claim) => claim.worker === worker).length;
    const process = this.#processOf(worker);
    demand(
      process === undefined || process.state === 'dead' || process.isExcused || !this.#isAtWork(worker),
      'nobody who works is taken for dead',
      () => `${worker} lives, was not paused, and is given up with ${count} claims`,
    );
    demand(
      process === undefined ||
        process.state === 'dead' ||
        observer.hasListened(heardAt, SILENCE_MS) ||
        !this.#isAtWork(worker),
      'nobody who works is taken for dead',
      () => `${worker} lives, and ${by} gives it up without having listened for ${SILENCE_MS / 1000} s`,
    );
    if (process?.state === 'dead')
      demand(
        deadWith >= count,
        'a loss counts only alone',
        () => `${worker} died with ${count} claims, and ${deadWith} are counted`,
      );
  }

  #companyOf(worker: string): number | undefined {
    const company = this.#company.get(worker);
    if (company === undefined) return Number.POSITIVE_INFINITY;
    // What it claimed once its session was gone, before it noticed, may be found by one who knows of its death or not.
    return this.#sessions.has(worker) ? company : undefined;
  }

  /** Whether it may not have noticed yet that others have given it up. */
  #mayNotKnow(worker: string): boolean {
    const process = this.#processOf(worker);
    const givenUpAt = this.#givenUp.get(worker);
    return (
      process !== undefined &&
      givenUpAt !== undefined &&
      (process.isExcused || process.monotonic() - givenUpAt < NOTICE_MS)
    );
  }

  #processOf(worker: string): Process | undefined {
    return this.#find(worker.slice(0, worker.indexOf('.')));
  }

  /** Whether it holds a claim, or one that was taken back while the body still runs. */
  #isAtWork(worker: string): boolean {
    return [...this.runs.values()].some(({ model }) =>
      model.steps.some(({ claims }) =>
        claims.some((claim) => {
          const isStopping = model.stopping.has(claim.mark) && claim.body === 'running';
          return claim.worker === worker && (claim.state === 'open' || isStopping);
        }),
      ),
    );
  }

  #entry(id: string, incarnation: string, seq: number, entry: JournalEntry): void {
    const name = `${id}/${incarnation}`;
    demand(
      !this.#removed.has(name),
      'one recorded result per claim',
      () => `an entry is written into the journal of ${id}, which was removed`,
    );
    const [created] = entry.events;
    if (created?.type === 'created') {
      if (created.parent) this.#checkMade(id, created.parent);
      const graph = this.#graph(created.graph);
      this.runs.set(id, {
        incarnation,
        model: new JournalModel(id, graph, created, this.#coverage, (worker) => this.#companyOf(worker)),
        fold: new run.RunState(graph, created, entry.at),
      });
    }
    const watched = this.runs.get(id);
    demand(
      watched?.incarnation === incarnation,
      'the rows say what the journal says',
      () => `an entry of ${name} belongs to no run`,
    );
    const { model, fold } = watched;
    for (const event of entry.events) {
      if (event.type === 'claimed')
        demand(
          this.#sessions.has(event.worker) || this.#mayNotKnow(event.worker),
          'no claim without a session',
          () => `${event.worker} claims, and has none`,
        );
    }
    model.read(entry, seq);
    fold.fold(entry, seq);
    this.#checkReturns(model, entry);
    for (const [step, { status }] of model.steps.entries()) {
      const folded = STATUS[fold.status[step] as number];
      demand(
        folded === status,
        'the fold of the journal equals the state',
        () => `step ${model.nameOf(step)} of ${id} is ${status}, folded it is ${folded}`,
      );
    }
  }

  /** A run is made for a step that waits for it, and once. */
  #checkMade(id: string, { run, step }: Parent): void {
    demand(
      !this.#made.has(id) && this.runs.get(run)?.model.waitsForRun(id) === true,
      'one run per call',
      () =>
        `${id} is made for step ${JSON.stringify(step)} of ${run}, which does not wait for it, or it was made before`,
    );
    this.#made.add(id);
  }

  /** A step goes on with what the run it waits for has ended with. */
  #checkReturns(model: JournalModel, { events }: JournalEntry): void {
    for (const [i, event] of events.entries()) {
      if (event.type !== 'returned') continue;
      const id = model.step(event.step).child?.id as string;
      const end = events[i + 1];
      const ought = [...this.#modelsOf(id)].flatMap(({ results }) => results);
      const said = end?.type === 'succeeded' ? (end.value ?? portable.encode(undefined)) : undefined;
      const isSo = ought.some(
        (result) =>
          (result === 'none') === (end?.type !== 'succeeded') &&
          (typeof said !== 'string' || result === undefined || canonical(result) === canonical(said)),
      );
      demand(
        isSo,
        'one run per call',
        () => `${id} ended with ${ought.join(' or ')}, and its parent goes on with ${said}`,
      );
    }
  }

  /** A run that nobody waits for has ended, or is to be cancelled. */
  #checkAbandoned(model: JournalModel): void {
    for (const { status, child } of model.steps) {
      if (!child || child.returned || status === 'WAITING') continue;
      const isTold = [...this.#errands.values()].some(({ type, child: id }) => type === 'cancel' && id === child.id);
      demand(
        isTold || this.#isOver(child.id),
        'one run per call',
        () => `${child.id} goes on, and its step in ${model.run} waits no longer`,
      );
    }
  }

  /** It has ended, or was told to; who takes it up again after that wants it for its own sake. */
  #isOver(id: string): boolean {
    const model = this.runs.get(id)?.model;
    return (
      !model || model.ended !== undefined || [...model.commands].some((command) => command.startsWith('abandoned by '))
    );
  }

  /** What was to be done is done, or need not be. */
  #checkDone(errand: Errand): void {
    const isWaitedFor = (id: string): boolean => [...this.runs.values()].some(({ model }) => model.waitsForRun(id));
    const isDone = (): boolean => {
      if (errand.type === 'tell')
        return !isWaitedFor(errand.child) || this.runs.get(errand.child)?.model.ended === undefined;
      if (errand.type === 'start') return this.#made.has(errand.child) || !isWaitedFor(errand.child);
      return this.#isOver(errand.child);
    };
    demand(isDone(), 'one run per call', () => `${JSON.stringify(errand)} is taken for done, and is not`);
  }

  *#modelsOf(id: string): Iterable<JournalModel> {
    const present = this.runs.get(id)?.model;
    if (present) yield present;
    for (const [name, model] of this.#removed) if (name.startsWith(`${id}/`)) yield model;
  }

  /** A run that was made for a step of that one, the last there is. */
  below(run: string): string | undefined {
    return [...this.runs].findLast(([, { model }]) => model.parent?.run === run)?.[0];
  }

  /** Whether something is still to be done between runs. */
  get hasErrands(): boolean {
    return this.#errands.size > 0;
  }

  /** What can be claimed, is due or is held can be found; and nothing else can. */
  #checkRows(id: string): void {
    const rows = this.#rows.get(id) ?? new Set();
    const model = this.runs.get(id)?.model;
    const ought = new Set(model ? this.#rowsOf(id, model) : []);
    const said = () => `the rows of ${id} are ${[...rows].join(' ')}, its journal says ${[...ought].join(' ')}`;
    demand(
      rows.size === ought.size && [...rows].every((key) => ought.has(key)),
      'the rows say what the journal says',
      said,
    );
    if (!model) return;
    const head = JSON.parse(this.#ground.rows.get(keys.head(id)) as string) as { readonly status: string };
    demand(
      head.status === model.status,
      'the rows say what the journal says',
      () => `the head of ${id} says ${head.status}, its journal ${model.status}`,
    );
  }

  #rowsOf(id: string, model: JournalModel): Key[] {
    const rows = [keys.head(id)];
    const { graph } = model;
    const priorityOfRun = this.runs.get(id)?.fold.created.priority ?? 0;
    const due: number[] = model.deadline === undefined || model.ended ? [] : [model.deadline];
    const queued = new Map<number, number>();
    const holders = new Set<string>();
    for (const [i, step] of model.steps.entries()) {
      const line = graph.steps[model.rootOf(i)]?.line as number;
      if (step.status === 'QUEUED') queued.set(line, Math.min(queued.get(line) ?? step.since, step.since));
      if (step.status === 'DELAYED') due.push(step.since);
      if (step.status === 'WAITING' && step.until < Number.POSITIVE_INFINITY) due.push(step.until);
      const claim = model.claimOf(i);
      if (claim) holders.add(claim.worker);
    }
    for (const { worker, at, step } of model.stopping.values()) {
      holders.add(worker);
      if ([step, model.rootOf(step)].some((one) => model.step(one).status === 'QUEUED')) due.push(at + STOP_GRACE_MS);
    }
    if (!model.paused && !model.ended) {
      for (const [line, since] of queued) {
        const { queue, priority } = graph.lines[line] as CompiledGraph['lines'][number];
        rows.push(keys.ready(queue, graph.graph.name, priority + priorityOfRun, since, id));
      }
    }
    if (due.length > 0) rows.push(keys.timer(Math.min(...due), id));
    for (const worker of holders) rows.push(keys.claim(worker, id));
    return rows;
  }

  #graph(hash: string): CompiledGraph {
    const known = this.#graphs.get(hash);
    if (known) return known;
    const text = this.#ground.rows.get(keys.graph(hash));
    if (text === undefined) throw new Violation('the rows say what the journal says', `graph ${hash} is not stored`);
    const graph = compileGraph(JSON.parse(text) as Graph);
    this.#graphs.set(hash, graph);
    return graph;
  }

  #text(id: string, stored: Stored | undefined): string {
    if (stored === undefined) return portable.encode(undefined);
    if (typeof stored === 'string') return stored;
    const incarnation = this.runs.get(id)?.incarnation ?? '';
    const parts = [...this.#ground.rows].filter(([key]) =>
      key.startsWith(`${keys.value(id, incarnation, stored.row)}/`),
    );
    const text = parts
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, part]) => part)
      .join('');
    demand(
      text.length === stored.length && text.length > INLINE_LENGTH,
      'a body receives what was recorded',
      () => `value ${stored.row} of ${id} has ${text.length} characters, not ${stored.length}`,
    );
    return text;
  }
}

/** What was claimed of a step, or of such an item of it in every list it has had. */
function claimsAt(model: JournalModel, step: string, item: number | undefined): readonly ClaimSeen[] {
  const index = model.graph.index.get(step) as number;
  if (item === undefined) return model.step(index).claims;
  return model.steps.flatMap(({ of, claims, at }) => (of === index && at === item ? claims : []));
}

function isOutcome(need: unknown): need is { readonly status: StepStatus } {
  return typeof need === 'object' && need !== null && 'status' in need;
}

function outcomeOf(status: StepStatus): string {
  return status === 'NOT_TAKEN' ? 'SKIPPED' : status;
}

/** Without the stacks of errors, which are not the same everywhere. */
function told(event: Event): string {
  return JSON.stringify(event, (key, value: unknown) => (key === 'stack' ? undefined : value));
}
