import type { Claim, Granted } from '../../core/claims.ts';
import { type ClaimRequest, type HeldFence, keepsValue, type Outcome, type Verdict } from '../../core/decide.ts';
import { stepsWithoutHandler } from '../../core/definition.ts';
import type { Employer, Watch } from '../../core/employer.ts';
import { type ErrorCode, FuselineError } from '../../core/errors.ts';
import type { Stored } from '../../core/events.ts';
import type { Host } from '../../core/host.ts';
import { checkId } from '../../core/ids.ts';
import { keys, parseClaim, under } from '../../core/keys.ts';
import type { RunQuery } from '../../core/listing.ts';
import type { RunPage } from '../../core/run-reader.ts';
import { claimKey } from '../../core/run-state.ts';
import { type CommandOptions, type NewRun, type NewWorker, RuntimeStorage } from '../../core/storage.ts';
import { webHost } from '../host.ts';
import { Connection, type ConnectionOptions, NotWanted } from './connection.ts';
import { gathered } from './gather.ts';
import { HttpStore } from './http-store.ts';
import { Pulse } from './pulse.ts';
import {
  type FarAnswer,
  type FarClaim,
  type FarGrant,
  type FarReport,
  type FarRequest,
  idOf,
  parseId,
} from './wire.ts';

export interface HttpStorageOptions extends ConnectionOptions {}

interface Given {
  readonly id: string;
  readonly worker: string;
  readonly secret: string;
}

/** Sooner than the next one is due, so that one that is lost is made up for in time. */
const BEAT_WITHIN_MS = 5_000;
/** What is lost without a sign is looked for so often. */
const SEARCH_MS = 30_000;
const MOST_NAMED = 5_000;
const NOTHING: Granted = { claims: [], rest: 'nothing' };
const MOST_REPORTS = 100;
/** Half of what a body may have, so that there is room for everything around the values. */
const MOST_REPORTED = 512 * 1024;

/**
 * The runs behind a service: dispatch there, look, command and work from wherever `fetch` is. Who works waits for a
 * service that is away as long as it takes; who only asks gives up after half a minute.
 */
export class HttpStorage extends RuntimeStorage {
  readonly #rows: HttpStore;
  readonly #connection: Connection;
  /** What the workers of this storage show that they are. */
  readonly #workers: Map<string, string>;
  /** The claims they were given, by run and mark. */
  readonly #given = new Map<string, Map<string, Given>>();
  /** The whole ids of runs that are worked on by a shorter one, while something of theirs is held. */
  readonly #wholeIds = new Map<string, string>();
  readonly #pulses = new Set<Pulse>();
  /** Runs in which a worker may hold something that it does not know of, until they are asked for it. */
  readonly #lost = new Set<string>();
  #searched = { failures: 0, at: Number.NEGATIVE_INFINITY };
  readonly #clock: { ahead: number };
  #patience: ReturnType<Connection['patience']> | undefined;
  readonly #reporters = new Map<string, (report: FarReport) => Promise<FarAnswer>>();

  constructor(address: string | URL, options: HttpStorageOptions = {}) {
    const workers = new Map<string, string>();
    const connection = new Connection(address, options, () => workers.size > 0);
    // What is due, and how long something took, is told by the clock of the service.
    const clock = { ahead: 0 };
    const host: Host = { ...webHost, now: () => webHost.now() + clock.ahead };
    const store = new HttpStore(connection);
    super({ store, host });
    this.#rows = store;
    this.#connection = connection;
    this.#workers = workers;
    this.#clock = clock;
  }

  override async createRun({
    id = this.host.id(),
    graph,
    input,
    labels,
    priority,
    startAt,
  }: NewRun): Promise<Granted & { readonly id: string }> {
    checkId(id);
    const body = {
      id,
      graph: graph.hash,
      input: this.codec.encode(input),
      ...(labels && { labels }),
      ...(priority !== undefined && { priority }),
      ...(startAt !== undefined && { startAt }),
    };
    this.logs.graphs.set(graph.hash, graph);
    const created = await this.#connection.ask<{ readonly id: string }>('/runs', { body });
    return { id: created.id, claims: [], rest: 'later' };
  }

  override async register(worker: string, { name, definitions, queues }: NewWorker): Promise<void> {
    const secret = this.#workers.get(worker) ?? `${webHost.id()}${webHost.id()}`;
    this.#workers.set(worker, secret);
    const say = async (by: 'hash' | 'graph'): Promise<void> => {
      const workflows = definitions.map((definition) => {
        const { hash, graph } = definition.compiled;
        const without = stepsWithoutHandler(definition);
        return { ...(by === 'hash' ? { hash } : { graph }), ...(without.length > 0 && { without }) };
      });
      const { now } = await this.#connection.ask<{ readonly now: number }>('/workers', {
        body: { id: worker, name, queues, workflows },
        headers: headersOf(secret),
      });
      // As it is answered: it may have been asked for long before.
      this.#clock.ahead = now - webHost.now();
    };
    await say('hash').catch((error) => {
      // It has steps of a graph that nobody has brought there yet.
      if (isAbout(error, 'UNKNOWN_WORKFLOW')) return say('graph');
      throw error;
    });
    for (const { compiled } of definitions) this.logs.graphs.set(compiled.hash, compiled);
  }

  override async leave(worker: string): Promise<void> {
    const secret = this.#workers.get(worker);
    if (secret === undefined) return;
    // From now on it waits for nothing as long as it takes.
    this.#forgetWorker(worker);
    await this.#connection.ask(`/workers/${worker}`, { method: 'DELETE', headers: headersOf(secret) });
  }

  override keepWatch(employer: Employer): Watch {
    const givenUp = new Set<string>();
    const disowned = (): void => {
      const { id } = employer.self();
      if (id !== undefined) givenUp.add(id);
      employer.disowned();
    };
    const pulse = new Pulse({ ...employer, disowned }, (worker, to) => this.#beat(worker, to));
    return {
      look: () => {
        this.#pulses.add(pulse);
        return pulse.look();
      },
      reaped: () => pulse.reaped(),
      close: () => {
        this.#pulses.delete(pulse);
        // Nothing of theirs is under way any more.
        for (const worker of givenUp) this.#forgetWorker(worker);
        givenUp.clear();
        return pulse.close();
      },
    };
  }

  override async claim(run: string, next: ClaimRequest): Promise<Granted> {
    this.#lost.delete(run);
    return this.#fetch(run, next.worker, this.#wireOf(run, next), next);
  }

  override async finish(
    run: string,
    claim: HeldFence,
    outcome: Outcome,
    value: unknown,
    next?: ClaimRequest,
  ): Promise<Granted & { readonly status: Verdict['status'] }> {
    const text = keepsValue(outcome, value) ? this.codec.encode(value) : undefined;
    const { answer, worker } = await this.#report(run, claim, {
      type: outcome.status,
      ...(text !== undefined && { text }),
      ...('error' in outcome && { error: { ...outcome.error } }),
      ...(outcome.status === 'failed' && outcome.again && { again: outcome.again }),
      ...(outcome.status === 'failed' &&
        outcome.notBefore !== undefined && { notBefore: Math.max(0, Math.round(outcome.notBefore)) }),
      ...(outcome.status === 'called' && {
        graph: outcome.graph,
        ...(outcome.labels && { labels: outcome.labels }),
      }),
      ...(outcome.status === 'spread' && { items: outcome.items }),
      ...(outcome.status === 'sleeping' && { notBefore: Math.max(0, outcome.until) }),
      ...(next && { next: this.#wireOf(run, next) }),
    });
    if (answer.status !== 'stale') this.#forget(run, claim);
    return { status: statusOf(answer), ...(await this.#taken(answer, worker, next)) };
  }

  /** A claim may come before anything was read of its run: which rows are those of the value is not known by then. */
  override async text(run: string, stored: Stored): Promise<string> {
    if (typeof stored !== 'string' && this.logs.get(run).incarnation === '') await this.peek(run, () => undefined);
    return super.text(run, stored);
  }

  override async checkpoint(run: string, claim: HeldFence, key: string, value: unknown): Promise<Verdict['status']> {
    const { answer } = await this.#report(run, claim, { type: 'checkpoint', key, text: this.codec.encode(value) });
    return statusOf(answer);
  }

  override async progress(run: string, claim: HeldFence, value: unknown): Promise<Verdict['status']> {
    const { answer } = await this.#report(run, claim, { type: 'progress', text: this.codec.encode(value) });
    return statusOf(answer);
  }

  /** One request after the other, each of a size that is taken. */
  override async emit(
    run: string,
    claim: HeldFence,
    at: number,
    parts: readonly unknown[],
  ): Promise<Verdict['status']> {
    const texts = parts.map((part) => this.codec.encode(part));
    let status: Verdict['status'] = 'accepted';
    for (let first = 0; first < texts.length && status !== 'stale'; ) {
      let end = first + 1;
      for (let length = 0; end < texts.length; end++) {
        length += (texts[end - 1] as string).length;
        if (length + (texts[end] as string).length > MOST_REPORTED / 2) break;
      }
      const said = { type: 'emit', at: at + first, texts: texts.slice(first, end) } as const;
      status = statusOf((await this.#report(run, claim, said)).answer);
      first = end;
    }
    return status;
  }

  override async release(run: string, claims: readonly HeldFence[]): Promise<void> {
    await Promise.all(
      claims.map(async (claim) => {
        await this.#report(run, claim, { type: 'released' });
        this.#forget(run, claim);
      }),
    );
  }

  /** A look of any worker does what is due. */
  override async tick(run: string): Promise<void> {
    this.#lost.delete(run);
    // Those before it may have been given up.
    const worker = [...this.#workers.keys()].at(-1);
    if (worker === undefined) return;
    await this.#fetch(run, worker, { limit: 0, held: this.#givenTo(worker, this.#wholeIds.get(run) ?? run) });
  }

  // What is to be done between runs is done where they are.

  override async runErrand(): Promise<void> {}

  override async errands(): Promise<readonly string[]> {
    return [];
  }

  // What one worker does for all, the service does for those that are elsewhere.

  override async expire(): Promise<void> {}

  override async reap(): Promise<'reaped' | 'nothing'> {
    return 'nothing';
  }

  override async sweep(): Promise<number> {
    return 0;
  }

  /** Timers are seen to where the runs are. From here, runs are to be looked at in which a worker has what it does not know. */
  override async timerRows(): Promise<readonly string[]> {
    await this.#findLost();
    return [...this.#lost].map((run) => keys.timer(0, run));
  }

  /** Whoever would end because nothing is left waits for what is away, as long as for an answer. */
  override async mayHideWork(since: number): Promise<boolean> {
    if (!this.#rows.wasPartial(since)) {
      this.#patience = undefined;
      return false;
    }
    this.#patience ??= this.#connection.patience();
    await this.#patience(new FuselineError('UNAVAILABLE', 'a part of the runs cannot be reached at the moment'));
    return true;
  }

  /** Chosen where the runs are: else the heads of all of them would have to travel. */
  override async list(query: RunQuery = {}): Promise<RunPage> {
    const terms = termsOf(query);
    if (!terms) return super.list(query);
    try {
      return await this.#connection.ask<RunPage>(`/runs?${terms}`, { method: 'GET' });
    } catch (error) {
      // A worker's token reads rows, and asks for no list.
      if (isAbout(error, 'FORBIDDEN')) return super.list(query);
      throw error;
    }
  }

  override async cancel(run: string, options?: CommandOptions): Promise<void> {
    await this.#command(run, 'cancel', options);
  }

  override async pause(run: string, options?: CommandOptions): Promise<void> {
    await this.#command(run, 'pause', options);
  }

  override async resume(run: string, options?: CommandOptions): Promise<void> {
    await this.#command(run, 'resume', options);
  }

  override async retry(run: string, options?: CommandOptions): Promise<void> {
    await this.#command(run, 'retry', options);
  }

  override async enqueue(
    run: string,
    step: string,
    { force, ...options }: CommandOptions & { readonly force?: 'not-taken' } = {},
  ): Promise<void> {
    await this.#command(run, `steps/${encodeURIComponent(step)}/enqueue`, options, force ? { force } : {});
  }

  override async signal(run: string, name: string, payload: unknown, options?: CommandOptions): Promise<void> {
    await this.#command(run, `signals/${encodeURIComponent(name)}`, options, { text: this.codec.encode(payload) });
  }

  override async remove(run: string): Promise<void> {
    await this.#connection.ask(`/runs/${checkId(run)}`, { method: 'DELETE', doneBefore: 'UNKNOWN_RUN' });
    this.logs.forget(run);
  }

  async #command(
    run: string,
    verb: string,
    { id = this.host.id() }: CommandOptions = {},
    more: object = {},
  ): Promise<void> {
    await this.#connection.ask(`/runs/${checkId(run)}/${verb}`, { body: { commandId: id, ...more } });
  }

  async #beat(worker: string, to: 'those concerned' | 'all'): Promise<void> {
    const given = [...this.#given.values()].flatMap((claims) => [...claims.values()]);
    const held = given.filter((one) => one.worker === worker).map(({ id }) => id);
    await this.#connection.ask(`/workers/${worker}/heartbeat`, {
      // More names than a request takes are said to everybody.
      body: to === 'all' || held.length > MOST_NAMED ? {} : { held },
      headers: headersOf(this.#workers.get(worker)),
      tries: 'once',
      withinMs: BEAT_WITHIN_MS,
    });
  }

  /** What nobody waits for any more may be done all the same, even after what was asked in its place was answered. */
  async #findLost(): Promise<void> {
    const { failures } = this.#connection;
    const now = webHost.monotonic();
    if (failures === this.#searched.failures && now - this.#searched.at < SEARCH_MS) return;
    this.#searched = { failures, at: now };
    const workers = [...this.#workers.keys()];
    const rows = await Promise.all(workers.map((worker) => this.rows.scan(under(`claim/${worker}/`))));
    for (const { run } of rows.flat().map(({ key }) => parseClaim(key))) if (!this.#given.has(run)) this.#lost.add(run);
  }

  async #fetch(run: string, worker: string, request: FarRequest, next?: ClaimRequest): Promise<Granted> {
    try {
      const grant = await this.#connection.ask<FarGrant>(`/workers/${worker}/fetch`, {
        body: { run, ...request },
        headers: headersOf(this.#workers.get(worker)),
        ...(next?.isWanted && { isWanted: next.isWanted }),
      });
      const whole = grant.claims[0]?.run ?? run;
      // Nobody is there to begin it: it is lost, and found as such.
      if (!next) return NOTHING;
      if (whole !== run) this.#wholeIds.set(run, whole);
      return await this.#taken(grant, worker, next);
    } catch (error) {
      if (error instanceof NotWanted) return NOTHING;
      if (!isAbout(error, 'UNKNOWN_WORKER')) throw error;
      for (const pulse of this.#pulses) pulse.doubt();
      return NOTHING;
    }
  }

  #wireOf(run: string, { worker, limit, busy, held }: ClaimRequest): FarRequest {
    const given = this.#given.get(run);
    const whole = this.#wholeIds.get(run);
    // Whoever asks by a shorter id keeps what it holds under the whole one.
    const named = whole ? this.#givenTo(worker, whole) : [...held].flatMap((mark) => given?.get(mark)?.id ?? []);
    return { limit: Math.min(limit, MOST_CLAIMS), busy, held: named };
  }

  #givenTo(worker: string, run: string): readonly string[] {
    return [...(this.#given.get(run)?.values() ?? [])].flatMap((one) => (one.worker === worker ? [one.id] : []));
  }

  async #report(
    run: string,
    claim: HeldFence,
    what: Omit<FarReport, 'claim' | 'secret'>,
  ): Promise<{ readonly worker: string; readonly answer: Exclude<FarAnswer, { status: 'refused' }> }> {
    const id = idOf(run, claim);
    const given = this.#given.get(run)?.get(claimKey(claim));
    // Nobody can say anything about a claim that was not given, or whose end is known.
    if (given?.id !== id) return { worker: '', answer: { status: 'stale', ...NOTHING_FAR } };
    const report = { claim: id, secret: given.secret, ...what };
    // Told once more, progress would be another progress.
    const answer =
      what.type === 'progress'
        ? (await this.#send(given.worker, [report], 'once'))[0]
        : await this.#insist(given.worker, report);
    if (!answer || answer.status === 'refused')
      throw new FuselineError(
        answer?.code ?? 'INTERNAL',
        answer?.message ?? 'the service answered less than it was asked',
      );
    return { worker: given.worker, answer };
  }

  /** Where its run is kept may be away while others of the same request are recorded. */
  async #insist(worker: string, report: FarReport): Promise<FarAnswer> {
    const patience = this.#connection.patience();
    for (;;) {
      const answer = await this.#reporter(worker)(report);
      if (answer?.status !== 'refused' || answer.code !== 'UNAVAILABLE') return answer;
      await patience(new FuselineError(answer.code, answer.message));
    }
  }

  /** What is reported in one turn goes in one request. */
  #reporter(worker: string): (report: FarReport) => Promise<FarAnswer> {
    const known = this.#reporters.get(worker);
    if (known) return known;
    const reporter = gathered<FarReport, FarAnswer>((reports) => this.#send(worker, reports, 'many'), {
      most: MOST_REPORTS,
      mostWeight: MOST_REPORTED,
      weigh: (report) => JSON.stringify(report).length,
    });
    this.#reporters.set(worker, reporter);
    return reporter;
  }

  async #send(worker: string, reports: readonly FarReport[], tries: 'many' | 'once'): Promise<readonly FarAnswer[]> {
    const path = `/workers/${worker}/report`;
    try {
      const { answers } = await this.#connection.ask<{ readonly answers: readonly FarAnswer[] }>(path, {
        body: { reports },
        tries,
      });
      return answers;
    } catch (error) {
      if (!(error instanceof FuselineError && OF_ONE.includes(error.code))) throw error;
      const { code, message } = error;
      if (reports.length === 1) return [{ status: 'refused', code, message }];
      // What is too much for one request, or wrong with one report, is nothing the others ended with.
      const middle = reports.length >> 1;
      const halves = [reports.slice(0, middle), reports.slice(middle)];
      return (await Promise.all(halves.map((half) => this.#send(worker, half, tries)))).flat();
    }
  }

  async #taken({ claims, rest }: FarGrant, worker: string, next?: ClaimRequest): Promise<Granted> {
    const taken = claims.map((claim) => this.#unpacked(claim, worker));
    for (const { position, graph, workflow } of taken) {
      const compiled = await this.graph(graph);
      const version = compiled?.graph.version;
      // The worker finds its handler for the step.
      if (compiled)
        next?.serves(
          { created: { workflow, graph, ...(version !== undefined && { version }) }, graph: compiled },
          position,
        );
    }
    return { claims: taken, rest };
  }

  #forget(run: string, claim: HeldFence): void {
    const given = this.#given.get(run);
    const mark = claimKey(claim);
    // In another run of the same id, the same mark is another claim's.
    if (given?.get(mark)?.id === idOf(run, claim)) given.delete(mark);
    if (given?.size === 0) this.#forgetRun(run);
  }

  #forgetRun(run: string): void {
    this.#given.delete(run);
    for (const [short, whole] of this.#wholeIds) if (whole === run) this.#wholeIds.delete(short);
  }

  #forgetWorker(worker: string): void {
    this.#workers.delete(worker);
    this.#reporters.delete(worker);
    for (const [run, given] of this.#given) {
      for (const [mark, one] of given) if (one.worker === worker) given.delete(mark);
      if (given.size === 0) this.#forgetRun(run);
    }
  }

  #unpacked({ id, secret, checkpoints, ...claim }: FarClaim, worker: string): Claim {
    const { run, fence } = parseId(id) as NonNullable<ReturnType<typeof parseId>>;
    const mark = claimKey(fence);
    const given = this.#given.get(run) ?? new Map<string, Given>();
    this.#given.set(run, given.set(mark, { id, worker, secret }));
    return { ...claim, id: `${run}/${fence.incarnation}/${mark}`, mark, fence, checkpoints: new Map(checkpoints) };
  }
}

/** Why a whole request is refused for the sake of what it carries. */
const OF_ONE: readonly ErrorCode[] = ['VALUE_TOO_LARGE', 'INVALID_REQUEST'];
const MOST_CLAIMS = 1000;
/** In a page of a list. */
const MOST_RUNS = 1000;
const NOTHING_FAR: FarGrant = { claims: [], rest: 'nothing' };

/** A query as the route of the list takes it; `undefined` if it takes none like that. */
function termsOf({ status, labels = {}, limit = 100, ...query }: RunQuery): URLSearchParams | undefined {
  const statuses = [status ?? []].flat();
  const pairs = Object.entries(labels);
  // None of no status at all: as a term, that would be any.
  const isOfNone = status !== undefined && statuses.length === 0;
  const isOdd = pairs.some(([name]) => name === '' || name.includes(':'));
  if (isOfNone || isOdd || !(Number.isInteger(limit) && limit >= 1)) return undefined;
  const terms = new URLSearchParams({ limit: String(Math.min(limit, MOST_RUNS)) });
  for (const one of statuses) terms.append('status', one);
  for (const [name, value] of pairs) terms.append('label', `${name}:${value}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) terms.set(name, String(value));
  return terms;
}

function isAbout(error: unknown, code: FuselineError['code']): boolean {
  return error instanceof FuselineError && error.code === code;
}

function headersOf(secret: string | undefined): Readonly<Record<string, string>> {
  return secret === undefined ? {} : { 'fuseline-secret': secret };
}

function statusOf({ status }: Exclude<FarAnswer, { status: 'refused' }>): Verdict['status'] {
  return status === 'recorded' ? 'accepted' : status;
}
