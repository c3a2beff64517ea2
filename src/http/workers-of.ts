import { timingSafeEqual } from 'hono/utils/buffer';
import {
  type FarAnswer,
  type FarClaim,
  type FarGrant,
  type FarReport,
  type FarRequest,
  type FarWorkflow,
  idOf,
  parseId,
} from '../adapters/http/wire.ts';
import type { Claim, Found, Granted } from '../core/claims.ts';
import { canonical } from '../core/codec.ts';
import type { ClaimRequest, Outcome } from '../core/decide.ts';
import { type Definition, type Handler, queuesOf } from '../core/definition.ts';
import { FuselineError, recordError } from '../core/errors.ts';
import type { Stored } from '../core/events.ts';
import { type CompiledGraph, compileGraph, type Graph, type GraphStep, MAX_ITEMS } from '../core/graph.ts';
import { childId } from '../core/ids.ts';
import { parseClaim, under } from '../core/keys.ts';
import { claimKey } from '../core/run-state.ts';
import { validate } from '../core/schema.ts';
import { NOBODY } from '../core/sessions.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import { WorkFinder } from '../core/work-finder.ts';
import { AnswerBudget, MOST_LENGTH } from './answer-budget.ts';
import type { AnyWorkflow } from './any-workflow.ts';
import { NewsBoard } from './news-board.ts';
import { pagesOf, rowsOf } from './row-pages.ts';
import { signer } from './secrets.ts';
import type { WorkerService } from './worker-service.ts';

/** So many workers' ways of looking for work are remembered. */
const MOST_FINDERS = 1000;
/** Who was heard this lately need not be heard again. */
const HEARD_MS = 5_000;
/** A recorded value up to this length goes with the claim that needs it, if the answer has room; others are read by their rows. */
const MOST_INLINE = 256 * 1024;

/** What is asked from far away, over a storage of this process. */
export function workersOf(workflows: readonly AnyWorkflow[], storage: RuntimeStorage): WorkerService {
  const { sessions, codec } = storage;
  const sign = signer(() => sessions.claimSecret());
  const board = new NewsBoard(storage);
  const served = new Map(workflows.map(({ compiled }) => [compiled.hash, compiled]));
  const graphOf: Graphs = async (hash) => served.get(hash) ?? storage.graph(hash);
  const desk = new Desk(storage, graphOf);
  const secretOf = (worker: string, claim: string): Promise<string> => sign(`${worker} ${claim}`);

  const grant = async (worker: string, { claims, rest }: Granted, budget: AnswerBudget): Promise<FarGrant> => ({
    claims: await Promise.all(
      claims.map(async (claim) => {
        const id = idOf(claim.run, claim.fence);
        return packed(storage, claim, id, await secretOf(worker, id), budget);
      }),
    ),
    rest,
  });

  const claimIn = async (finder: WorkFinder, worker: string, run: string, request: FarRequest): Promise<Granted> =>
    storage.claim(run, requestFor(finder, worker, run, request));

  const calledBy = async (run: string, { graph: hash = '', labels }: FarReport): Promise<Called> => {
    const { graph } = known(await graphOf(hash), hash);
    return { child: childId(run, storage.host.id()), workflow: graph.name, graph: hash, labels };
  };

  const record = async (worker: string, report: FarReport, budget: AnswerBudget): Promise<FarAnswer> => {
    const { run, fence } = parseId(report.claim) as NonNullable<ReturnType<typeof parseId>>;
    const value = valueIn(codec, report);
    switch (report.type) {
      case 'checkpoint':
        return plain(await storage.checkpoint(run, fence, report.key ?? '', value));
      case 'emit':
        return plain(
          await storage.emit(
            run,
            fence,
            report.at ?? 0,
            (report.texts ?? []).map((text) => decoded(codec, text)),
          ),
        );
      case 'progress':
        return plain(await storage.progress(run, fence, value));
      case 'released':
        await storage.release(run, [fence]);
        return plain('accepted');
    }
    const { next } = report;
    const called = report.type === 'called' ? await calledBy(run, report) : undefined;
    // One that is not known any more reports all the same, and claims nothing.
    const finder = next && (await desk.find(worker));
    const request = finder && requestFor(finder, worker, run, next);
    const finished = await storage.finish(run, fence, outcomeOf(report, value, called), value, request);
    return { ...plain(finished.status), ...(await grant(worker, finished, budget)) };
  };

  return {
    async create({ graph: hash, input: text, ...order }) {
      const workflow = workflows.find(({ compiled }) => compiled.hash === hash);
      if (!workflow) {
        throw new FuselineError(
          'UNKNOWN_WORKFLOW',
          `no workflow of the graph ${hash} is served here; dispatch with the code that is deployed, or deploy yours`,
        );
      }
      const input = decoded(codec, text);
      const valid = await validate(
        workflow.input as never,
        input,
        `the input of workflow ${JSON.stringify(workflow.name)}`,
      );
      // It was valid where it came from, too: a schema that changes its own result again has made something else of it.
      if (valid !== input && canonical(codec.encode(valid), codec) !== canonical(text, codec)) {
        throw new FuselineError(
          'INVALID_INPUT',
          `the schema of workflow ${JSON.stringify(workflow.name)} makes something else of a value it has handed back; let it leave such a value as it is, or dispatch with POST /workflows/:workflow/runs`,
        );
      }
      const { id } = await storage.createRun({ ...order, graph: workflow.compiled, input });
      return { id };
    },

    async register({ id, name, queues, workflows: brought }, proof) {
      const known = await sessions.find(id);
      if (known) await admit(known.proof, proof);
      // What another one held by this id that was given up, or ended, is not for who registers by it now.
      else await storage.reap(id, NOBODY);
      const definitions = await Promise.all(brought.map((workflow) => definitionIn(graphOf, workflow)));
      await storage.register(id, { name, definitions, queues: queues ?? queuesOf(definitions), proof });
      desk.forget(id);
    },

    async fetch(worker, proof, { run, ...request }) {
      const finder = await desk.admitted(worker, proof, 'lives');
      const budget = new AnswerBudget(MOST_LENGTH);
      if (run !== undefined) return grant(worker, await claimIn(finder, worker, run, request), budget);
      const claims = await claimAnywhere(storage, finder, worker, request, claimIn);
      return grant(worker, { claims, rest: 'later' }, budget);
    },

    async report(worker, reports) {
      await Promise.all(
        reports.map(async ({ claim, secret }) => {
          if (parseId(claim) && (await timingSafeEqual(await secretOf(worker, claim), secret))) return;
          throw new FuselineError('FORBIDDEN', `the claim ${claim} was not given to worker ${worker} with this secret`);
        }),
      );
      const budget = new AnswerBudget(MOST_LENGTH);
      return Promise.all(reports.map((report) => record(worker, report, budget).catch(refusedFor)));
    },

    async beat(worker, proof) {
      await desk.admitted(worker, proof);
      if ((await sessions.beat(worker)) === 'gone') throw unknown(worker);
    },

    async leave(worker, proof) {
      const known = await sessions.find(worker);
      if (!known) return;
      await admit(known.proof, proof);
      await giveBack(storage, worker);
      await storage.leave(worker);
      desk.forget(worker);
    },

    read: (keys, most = MOST_LENGTH) => rowsOf(storage.rows, keys, most),
    scan: (ranges, most = MOST_LENGTH) => pagesOf(storage.rows, ranges, most),
    news: (asker, cursor, waitMs) => board.since(asker, cursor, waitMs),
  };
}

type Called = Pick<Extract<Outcome, { readonly status: 'called' }>, 'child' | 'workflow' | 'graph' | 'labels'>;

/** The graph a hash names, if it is known. */
type Graphs = (hash: string) => Promise<CompiledGraph | undefined>;

/** Knows the workers from afar, and for each of them which steps it can run. */
class Desk {
  readonly #storage: RuntimeStorage;
  readonly #graphOf: Graphs;
  readonly #finders = new Map<string, WorkFinder>();
  #hears = false;

  constructor(storage: RuntimeStorage, graphOf: Graphs) {
    this.#storage = storage;
    this.#graphOf = graphOf;
  }

  /** Rejects with `UNKNOWN_WORKER`, and with `FORBIDDEN` for a proof that is another's. */
  async admitted(worker: string, proof: string, says?: 'lives'): Promise<WorkFinder> {
    const { sessions, host } = this.#storage;
    const session = await sessions.find(worker);
    if (!session) throw unknown(worker);
    await admit(session.proof, proof);
    // Who holds claims is given up sooner than who had none when it was last heard.
    if (says && host.now() - (session.heardAt ?? 0) > HEARD_MS) await sessions.beat(worker);
    const finder = await this.find(worker);
    // Given up since it was found.
    if (!finder) throw unknown(worker);
    return finder;
  }

  async find(worker: string): Promise<WorkFinder | undefined> {
    const session = await this.#storage.sessions.find(worker);
    if (!session) {
      this.forget(worker);
      return undefined;
    }
    const known = this.#finders.get(worker);
    if (known) return known;
    const definitions = await Promise.all(
      session.workflows.map(({ graph, without }) =>
        definitionIn(this.#graphOf, { hash: graph, ...(without && { without }) }),
      ),
    );
    const finder = new WorkFinder(definitions, this.#storage, session.queues);
    if (this.#finders.size >= MOST_FINDERS) this.#finders.clear();
    this.#finders.set(worker, finder);
    if (!this.#hears) {
      this.#hears = true;
      this.#storage.onHint(({ keys }) => {
        for (const one of this.#finders.values()) one.hear(keys);
      });
    }
    return finder;
  }

  forget(worker: string): void {
    this.#finders.delete(worker);
  }
}

/** Hands out again what the worker does not know of, then claims of those who wait longest as much as it can take. */
async function claimAnywhere(
  storage: RuntimeStorage,
  finder: WorkFinder,
  worker: string,
  { limit, held, busy = held.length }: FarRequest,
  claimIn: (finder: WorkFinder, worker: string, run: string, request: FarRequest) => Promise<Granted>,
): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  const known = new Map<string, string[]>();
  const note = (run: string, id: string): void => {
    const ids = known.get(run) ?? [];
    known.set(run, ids);
    ids.push(id);
  };
  for (const id of held) note(id.slice(0, id.indexOf('/')), id);
  const claim = async (run: string, most: number): Promise<Granted> => {
    try {
      const request = { limit: most, held: known.get(run) ?? [], busy: busy + claims.length };
      const granted = await claimIn(finder, worker, run, request);
      for (const { fence } of granted.claims) note(run, idOf(run, fence));
      claims.push(...granted.claims);
      return granted;
    } catch (error) {
      finder.leaveAlone(run, error);
      return { claims: [], rest: 'nothing' };
    }
  };
  const mine = await storage.rows.scan(under(`claim/${worker}/`));
  for (const { key } of mine) await claim(parseClaim(key).run, 0);
  for (let isNews = true; isNews && claims.length < limit; ) {
    isNews = false;
    const candidates = await finder.candidates(limit - claims.length);
    const share = Math.max(1, Math.floor((limit - claims.length) / Math.max(1, candidates.length)));
    for (const { run, rows, errands } of candidates) {
      // What cannot be done is told by those whose runs they are, and keeps nobody from afar waiting.
      if (await finder.doErrands(errands, () => undefined)) isNews = true;
      const room = Math.min(share, limit - claims.length);
      if (room <= 0) break;
      const granted = await claim(run, room);
      const isInVain = granted.claims.length === 0 && rows.length > 0;
      if (isInVain && granted.rest === 'unserved') finder.passBy(rows);
      // Passed by, or taken by another one meanwhile: there may be more behind it.
      isNews ||= granted.claims.length > 0 || (isInVain && granted.rest !== 'later');
    }
  }
  return claims;
}

/** What a worker holds that ends: of claims whose answers were lost, it does not know itself. */
async function giveBack(storage: RuntimeStorage, worker: string): Promise<void> {
  const rows = await storage.rows.scan(under(`claim/${worker}/`));
  const back = async (run: string): Promise<void> => {
    try {
      const claims = await storage.peek(run, (state, incarnation) => [
        ...state
          .running()
          .filter((step) => state.worker[step] === worker)
          .map((step) => ({ ...state.claimOf(step), incarnation })),
        ...[...state.stopping.values()]
          .filter((one) => one.worker === worker)
          .map(({ claim }) => ({ ...claim, incarnation })),
      ]);
      await storage.release(run, claims ?? []);
    } catch (error) {
      if (!(error instanceof FuselineError && LEFT_ALONE.includes(error.code))) throw error;
    }
  };
  await Promise.all(rows.map(({ key }) => back(parseClaim(key).run)));
}

const LEFT_ALONE: readonly FuselineError['code'][] = ['UNKNOWN_RUN', 'PROTOCOL_TOO_NEW'];

function requestFor(
  { serves }: WorkFinder,
  worker: string,
  run: string,
  { limit, held, busy = held.length }: FarRequest,
): ClaimRequest {
  const marks = held.map(parseId).flatMap((id) => (id?.run === run ? [claimKey(id.fence)] : []));
  return { worker, limit, busy, held: new Set(marks), serves };
}

/** What stands in for the code of a worker that is elsewhere: which steps it has, and what of each. */
async function definitionIn(graphOf: Graphs, { hash, graph, without = [] }: FarWorkflow): Promise<Definition> {
  const compiled = graph === undefined ? known(await graphOf(hash ?? ''), hash ?? '') : compiledOf(graph);
  const handlers = compiled.steps
    .filter(({ spec }) => !without.includes(spec.name))
    .map(({ spec }) => [spec.name, handlerFor(spec)] as const);
  return { name: compiled.graph.name, compiled, handlers: new Map(handlers) };
}

function known(graph: CompiledGraph | undefined, hash: string): CompiledGraph {
  if (graph) return graph;
  throw new FuselineError(
    'UNKNOWN_WORKFLOW',
    `the graph ${JSON.stringify(hash)} is not known here; register with the graph itself`,
  );
}

function handlerFor({ kind, needs = [], fallback }: GraphStep): Handler {
  const conditions = new Map(needs.flatMap(({ param, when }) => (when ? [[param, elsewhere] as const] : [])));
  return {
    run: elsewhere,
    conditions,
    ...(fallback && { fallback: elsewhere }),
    ...(kind === 'loop' && { until: elsewhere }),
  };
}

function elsewhere(): never {
  throw new TypeError('this step is run by a worker that is elsewhere');
}

function compiledOf(graph: unknown): CompiledGraph {
  try {
    return compileGraph(graph as Graph);
  } catch (cause) {
    if (cause instanceof FuselineError) throw cause;
    throw new FuselineError('INVALID_DEFINITION', 'this is no graph; send what workflow.graph() hands back', { cause });
  }
}

async function packed(
  storage: RuntimeStorage,
  { id: _, mark: __, fence: ___, checkpoints, needs, ...claim }: Claim,
  id: string,
  secret: string,
  budget: AnswerBudget,
): Promise<FarClaim> {
  const inline = async (stored: Stored): Promise<Stored> => {
    if (typeof stored === 'string') budget.spend(stored.length);
    else if (stored.length <= MOST_INLINE && budget.take(stored.length)) return storage.text(claim.run, stored);
    return stored;
  };
  const found = async (one: Found): Promise<Found> =>
    // A list is read once by whoever has its items, not sent with each of them.
    'stored' in one && one.kind !== 'item' && one.stored !== undefined
      ? { ...one, stored: await inline(one.stored) }
      : one;
  return {
    ...claim,
    id,
    secret,
    needs: await Promise.all(needs.map(async ([need, one]) => [need, await found(one)] as const)),
    checkpoints: await Promise.all([...checkpoints].map(async ([key, stored]) => [key, await inline(stored)] as const)),
  };
}

function valueIn(codec: RuntimeStorage['codec'], { value, text }: FarReport): unknown {
  return text === undefined ? value : decoded(codec, text);
}

export function decoded(codec: RuntimeStorage['codec'], text: string): unknown {
  try {
    return codec.decode(text);
  } catch (cause) {
    throw new FuselineError('VALUE_NOT_PORTABLE', 'a text is none that the codec writes; send JSON as value', {
      cause,
    });
  }
}

function outcomeOf(
  { type, error, again, notBefore, items }: FarReport,
  value: unknown,
  called: Called | undefined,
): Outcome {
  switch (type) {
    case 'skipped':
      return { status: 'skipped' };
    case 'spread':
      return { status: 'spread', items: Math.min(items ?? 0, MAX_ITEMS) };
    case 'again':
      return { status: 'again' };
    case 'called':
      return { status: 'called', ...(called as Called) };
    case 'sleeping':
      return { status: 'sleeping', until: notBefore ?? 0 };
    case 'offline':
      return { status: 'offline', error: recordError(error) };
    case 'failed':
      return {
        status: 'failed',
        error: recordError(error),
        ...(again && { again }),
        ...(notBefore !== undefined && { notBefore }),
      };
    default:
      return { status: 'succeeded', road: value };
  }
}

function plain(status: string): FarAnswer & { readonly claims: readonly FarClaim[] } {
  return {
    status: status === 'duplicate' || status === 'stale' ? status : 'recorded',
    claims: [],
    rest: 'nothing',
  };
}

function refusedFor(error: unknown): FarAnswer {
  if (!(error instanceof FuselineError) || error.code === 'STORAGE_FAILED') throw error;
  return { status: 'refused', code: error.code, message: error.message };
}

async function admit(known: string | undefined, proof: string): Promise<void> {
  if (known !== undefined && (await timingSafeEqual(known, proof))) return;
  throw new FuselineError('FORBIDDEN', 'this is not the secret the worker registered with');
}

function unknown(worker: string): FuselineError {
  return new FuselineError(
    'UNKNOWN_WORKER',
    `there is no worker ${worker}, or it was given up; register under a new id`,
  );
}
