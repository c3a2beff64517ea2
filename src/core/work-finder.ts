import type { Served } from './decide.ts';
import { canRun, type Definition, definitionFor, type Handler, queuesOf } from './definition.ts';
import { FuselineError } from './errors.ts';
import { keys as layout, parseReady, parseTimer, runOfEntry } from './keys.ts';
import { isReachable } from './network.ts';
import { PassedBy } from './passed-by.ts';
import type { RuntimeStorage } from './storage.ts';
import type { Key } from './store.ts';

/** A run that may have something for a worker, and the ready rows that say so. */
export interface Candidate {
  readonly run: string;
  readonly rows: readonly string[];
  /** What is to be done between it and other runs. */
  readonly errands: readonly Key[];
}

const SCAN = 64;
/** News of a run that took the id of a removed one may be lost. */
const REMOVED_MS = 1000;
const PUT_OFF_MS = 30_000;

/** Where a worker looks for work: which steps it can run, and which runs have some. */
export class WorkFinder {
  readonly queues: readonly string[];
  readonly #definitions: readonly Definition[];
  readonly #storage: RuntimeStorage;
  readonly #handlers = new Map<string, readonly (Handler | undefined)[]>();
  readonly #passedBy = new PassedBy();
  /** Runs it does not touch, and until when: for ever those a newer version has continued. */
  readonly #leftAlone = new Map<string, number>();
  /** Errands that could not be done, and until when they are not tried again. */
  readonly #putOff = new Map<Key, number>();
  /** Errands it heard of whose time is not now: this clock was set back, or another one is ahead. They have no time to wait for. */
  readonly #early = new Set<Key>();

  constructor(definitions: readonly Definition[], storage: RuntimeStorage, queues: readonly string[] | undefined) {
    this.#definitions = definitions;
    this.#storage = storage;
    this.queues = queues ?? queuesOf(definitions);
  }

  readonly serves = (run: Served, step: number): boolean => {
    const compiled = run.graph.steps[step];
    const line = compiled && run.graph.lines[compiled.line];
    if (!line || !this.queues.includes(line.queue) || this.#handlersFor(run)[step] === undefined) return false;
    return isReachable(compiled.spec, this.#storage.network);
  };

  /** The handler of a step this finder said it serves. */
  handler(graph: string, step: number): Handler {
    return this.#handlers.get(graph)?.[step] as Handler;
  }

  /** The runs to claim from next: what is due first, then, of the most urgent ones, those who wait longest. */
  async candidates(limit: number): Promise<readonly Candidate[]> {
    const [due, rows] = await Promise.all([this.due(), this.#readyRows(limit)]);
    const candidates = new Map(due.map((one) => [one.run, { ...one, rows: [] as string[] }]));
    for (const { run, priority, key } of rows) {
      if (priority !== rows[0]?.priority) break;
      const known = candidates.get(run) ?? { run, errands: [], rows: [] };
      candidates.set(run, known);
      known.rows.push(key);
    }
    return [...candidates.values()].slice(0, limit);
  }

  /** The runs that have something due, whoever can run their steps. */
  async due(): Promise<readonly Omit<Candidate, 'rows'>[]> {
    const now = this.#storage.host.now();
    const due = new Map<string, Key[]>();
    const timers = (await this.#timers(SCAN)).filter(({ dueAt }) => dueAt <= now);
    const early = [...this.#early].map(parseTimer);
    this.#early.clear();
    for (const { run, errand } of [...early, ...timers]) {
      const errands = due.get(run) ?? [];
      due.set(run, errands);
      if (errand !== undefined) errands.push(errand);
    }
    return [...due].map(([run, errands]) => ({ run, errands }));
  }

  /** When a run next wants to be looked at, epoch milliseconds. */
  async nextDue(): Promise<number | undefined> {
    return (await this.#timers(1))[0]?.dueAt;
  }

  /**
   * Does what is to be done between runs; answers whether anything was. What cannot be done now, because of one of them,
   * is put off, and keeps nobody from anything else.
   */
  async doErrands(errands: readonly Key[], failed: (error: unknown) => void): Promise<boolean> {
    const one = async (errand: Key): Promise<boolean> => {
      if (this.isPutOff(errand)) return false;
      try {
        await this.#storage.runErrand(errand);
        this.#putOff.delete(errand);
        return true;
      } catch (error) {
        if (isOfStorage(error)) throw error;
        if (!this.#putOff.has(errand)) failed(error);
        this.#putOff.set(errand, this.#storage.host.monotonic() + PUT_OFF_MS);
        return false;
      }
    };
    return (await Promise.all(errands.map(one))).includes(true);
  }

  isPutOff(errand: Key): boolean {
    const until = this.#putOff.get(errand);
    return until !== undefined && this.#storage.host.monotonic() < until;
  }

  /** Nothing these rows stand for can be run by this worker. */
  passBy(rows: readonly string[]): void {
    this.#passedBy.add(rows, this.#storage.host.monotonic());
  }

  /** Rows have changed, nobody knows which where there are no keys. Answers whether a run that was passed by is among them. */
  hear(changed: readonly Key[] | undefined): boolean {
    if (!changed) return this.#passedBy.forgetAll();
    let mayHave = false;
    for (const key of changed) {
      this.#hearOfErrand(key);
      const run = runOfEntry(key);
      if (run === undefined) continue;
      if (this.#passedBy.forget(run)) mayHave = true;
      if (this.#leftAlone.get(run) !== Number.POSITIVE_INFINITY && this.#leftAlone.delete(run)) mayHave = true;
    }
    return mayHave;
  }

  #hearOfErrand(key: Key): void {
    if (!key.startsWith('timer/')) return;
    const { dueAt, errand } = parseTimer(key);
    if (errand !== undefined && dueAt > this.#storage.host.now()) this.#early.add(errand);
  }

  /** Goes on without a run that was removed or that a newer version continued; rethrows every other error. */
  leaveAlone(run: string, error: unknown): 'first' | 'again' {
    const code = error instanceof FuselineError ? error.code : undefined;
    if (code !== 'UNKNOWN_RUN' && code !== 'PROTOCOL_TOO_NEW') throw error;
    const known = this.#leftAlone.has(run);
    // Another run may get the id of one that was removed.
    const until = code === 'UNKNOWN_RUN' ? this.#storage.host.monotonic() + REMOVED_MS : Number.POSITIVE_INFINITY;
    this.#leftAlone.set(run, until);
    return known ? 'again' : 'first';
  }

  /** The runs of its workflows that have something queued this worker cannot run, the first of each queue. */
  async unserved(): Promise<ReadonlySet<string>> {
    const elsewhere = new Map<string, readonly [queue: string, workflow: string]>();
    for (const { name, compiled } of this.#definitions)
      for (const { queue } of compiled.lines)
        if (!this.queues.includes(queue)) elsewhere.set(layout.readyFor(queue, name), [queue, name]);
    const rows = await Promise.all(
      [...elsewhere.values()].map(([queue, name]) => this.#storage.readyRows(queue, name, undefined, SCAN)),
    );
    return new Set([...this.#passedBy.runs, ...rows.flat().map((key) => parseReady(key).run)]);
  }

  async #timers(limit: number): Promise<ReturnType<typeof parseTimer>[]> {
    // Those left alone must not hide what is due behind them.
    for (let most = limit + this.#leftAlone.size + this.#putOff.size; ; most *= 2) {
      const rows = await this.#storage.timerRows(most);
      const timers = rows
        .map(parseTimer)
        .filter(({ run, errand }) => (errand === undefined ? !this.#isLeftAlone(run) : !this.isPutOff(errand)));
      if (timers.length >= limit || rows.length < most) return timers;
    }
  }

  async #readyRows(limit: number): Promise<(ReturnType<typeof parseReady> & { readonly key: string })[]> {
    const workflows = [...new Set(this.#definitions.map(({ name }) => name))];
    const lines = workflows.flatMap((workflow) => this.queues.map((queue) => this.#readyLine(queue, workflow, limit)));
    const rows = (await Promise.all(lines)).flat().map((key) => ({ ...parseReady(key), key }));
    return rows
      .filter(({ run }) => !this.#isLeftAlone(run))
      .sort((a, b) => b.priority - a.priority || a.readyAt - b.readyAt);
  }

  #isLeftAlone(run: string): boolean {
    const until = this.#leftAlone.get(run);
    if (until === undefined) return false;
    if (this.#storage.host.monotonic() < until) return true;
    this.#leftAlone.delete(run);
    return false;
  }

  async #readyLine(queue: string, workflow: string, limit: number): Promise<string[]> {
    const found: string[] = [];
    const passed: string[] = [];
    const now = this.#storage.host.monotonic();
    for (let after: string | undefined; found.length < limit; ) {
      const keys = await this.#storage.readyRows(queue, workflow, after, SCAN);
      for (const key of keys) (this.#passedBy.has(key, now) ? passed : found).push(key);
      after = keys.at(-1);
      if (keys.length === SCAN) continue;
      // The whole line was seen: what is gone from it need not be remembered.
      this.#passedBy.keep(layout.readyFor(queue, workflow), new Set([...passed, ...found]));
      break;
    }
    return found;
  }

  /** The handlers for the steps of a run's graph: those of the same definition if it is here, else by name. */
  #handlersFor({ created, graph }: Served): readonly (Handler | undefined)[] {
    const known = this.#handlers.get(created.graph);
    if (known) return known;
    const definition = definitionFor(this.#definitions, created, graph);
    const handlers = graph.steps.map(({ spec }, step) =>
      definition && canRun(definition, graph, step) ? definition.handlers.get(spec.name) : undefined,
    );
    this.#handlers.set(created.graph, handlers);
    return handlers;
  }
}

/** Of which nobody can say what has become: not for the sake of one run. */
function isOfStorage(error: unknown): boolean {
  const code = error instanceof FuselineError ? error.code : undefined;
  return code === undefined || code === 'UNAVAILABLE' || (code.startsWith('STORAGE_') && code !== 'STORAGE_CORRUPT');
}
