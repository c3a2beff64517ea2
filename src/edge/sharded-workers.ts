import { timingSafeEqual } from 'hono/utils/buffer';
import { webHost } from '../adapters/host.ts';
import type {
  FarAnswer,
  FarClaim,
  FarNews,
  FarPage,
  FarReport,
  FarRow,
  FarWorkflow,
  Refusal,
} from '../adapters/http/wire.ts';
import { type ErrorCode, FuselineError } from '../core/errors.ts';
import { keys, runOf } from '../core/keys.ts';
import type { Session } from '../core/sessions.ts';
import type { Entry, Key, Range } from '../core/store.ts';
import { MOST_LENGTH } from '../http/answer-budget.ts';
import type { Service } from '../http/service.ts';
import type { WorkerService } from '../http/worker-service.ts';
import { placeOf } from './shards.ts';

/** Asks one shard. */
export type Ask = <K extends keyof Service>(
  shard: number,
  verb: K,
  ...parameters: Parameters<Service[K]>
) => ReturnType<Service[K]>;

/**
 * What workers and storages ask, over all shards: a worker is known to each of them, and works for all. A shard that is
 * away keeps nobody from the others.
 */
export function shardedWorkers(ask: Ask, shards: number): WorkerService {
  const all = Array.from({ length: shards }, (_, shard) => shard);
  const shardOf = (claim: string): number => placeOf(claim.slice(0, claim.indexOf('/')), shards).shard;
  const heldOn = (shard: number, held: readonly string[]): readonly string[] =>
    held.filter((claim) => shardOf(claim) === shard);

  return {
    async create(order) {
      const { shard, run } = placeOf(order.id, shards);
      return ask(shard, 'create', { ...order, id: run });
    },
    async register(worker, proof) {
      // Those that are away now hear of it when they are asked for work.
      throwUnlessAway(await fromEach(all, (shard) => ask(shard, 'register', worker, proof)));
    },
    async fetch(worker, proof, { run: id, ...request }) {
      const asWorker = acquaintance(ask, all, worker, proof);
      if (id !== undefined) {
        const { shard, run } = placeOf(id, shards);
        return asWorker(shard, () => ask(shard, 'fetch', worker, proof, { ...request, run }));
      }
      const claims: FarClaim[] = [];
      const first = Math.floor(webHost.random() * shards);
      const order = all.map((shift) => (first + shift) % shards);
      const fetch = async (shard: number): Promise<void> => {
        const held = [...heldOn(shard, request.held)];
        const busy = (request.busy ?? request.held.length) + claims.length;
        const limit = Math.max(0, request.limit - claims.length);
        const grant = await asWorker(shard, () => ask(shard, 'fetch', worker, proof, { limit, held, busy }));
        claims.push(...grant.claims);
      };
      // One after the other, so that they do not give more than there is room for; every time another one is the first.
      let last: Promise<void> = Promise.resolve();
      const answers = await fromEach(order, (shard) => {
        const turn = last.then(() => fetch(shard));
        last = turn.catch(() => undefined);
        return turn;
      });
      // What some gave is not withheld because another one refuses.
      if (claims.length === 0) throwUnlessAway(answers);
      return { claims, rest: 'later' };
    },
    async report(worker, reports) {
      const shares = new Map<number, (readonly [at: number, report: FarReport])[]>();
      for (const [at, report] of reports.entries()) {
        const shard = shardOf(report.claim);
        shares.set(shard, [...(shares.get(shard) ?? []), [at, report]]);
      }
      const reportsOn = (shard: number): FarReport[] => (shares.get(shard) ?? []).map(([, report]) => report);
      const { given, failed } = await fromEach([...shares.keys()], (shard) =>
        ask(shard, 'report', worker, reportsOn(shard)),
      );
      const answers: FarAnswer[] = [];
      for (const [shard, share] of shares)
        for (const [i, [at]] of share.entries())
          answers[at] = given.get(shard)?.[i] ?? { status: 'refused', ...refusalOf(shard, failed.get(shard)) };
      return answers;
    },
    async beat(worker, proof, held) {
      const asWorker = acquaintance(ask, all, worker, proof);
      const some = held.length === 0 ? all : [...new Set(held.map(shardOf))];
      await everyOne(some, (shard) => asWorker(shard, () => ask(shard, 'beat', worker, proof, heldOn(shard, held))));
    },
    async leave(worker, proof) {
      await everyOne(all, (shard) => ask(shard, 'leave', worker, proof));
    },
    async read(asked) {
      const found: FarRow[] = asked.map(() => null);
      let end = asked.length;
      const shares = new Map<number, (readonly [at: number, key: Key])[]>();
      for (const shard of all) {
        const share = [...asked.entries()].flatMap(([at, key]) => {
          const local = keyOn(shard, key, shards);
          return local === undefined ? [] : [[at, local] as const];
        });
        if (share.length > 0) shares.set(shard, share);
      }
      const keysOn = (shard: number): Key[] => (shares.get(shard) ?? []).map(([, key]) => key);
      const most = Math.ceil(MOST_LENGTH / shards);
      const { given, failed } = await fromEach([...shares.keys()], (shard) => ask(shard, 'read', keysOn(shard), most));
      for (const [shard, rows] of given) {
        const share = shares.get(shard) ?? [];
        for (const [i, row] of rows.entries()) found[share[i]?.[0] as number] ??= row;
        end = Math.min(end, share[rows.length]?.[0] ?? end);
      }
      // What another one has is there all the same.
      for (const [shard, error] of failed)
        for (const [at] of shares.get(shard) ?? []) found[at] ??= { refused: refusalOf(shard, error) };
      return found.slice(0, end);
    },
    async scan(ranges) {
      const places = ranges.map((range) => placesOf(range, all));
      const shares = new Map<number, number[]>();
      for (const [at, { on }] of places.entries())
        for (const shard of on) shares.set(shard, [...(shares.get(shard) ?? []), at]);
      const rangesOn = (shard: number): Range[] =>
        (shares.get(shard) ?? []).map((at) => places[at]?.range ?? (ranges[at] as Range));
      const { given, failed } = await fromEach([...shares.keys()], (shard) =>
        ask(shard, 'scan', rangesOn(shard), Math.ceil(MOST_LENGTH / shares.size)),
      );
      return places.map(({ on, range, asAsked }, at) => {
        const [lost] = on.filter((shard) => failed.has(shard));
        // Who looks for work finds that of the others; of everything else, a part would pass for the whole.
        if (lost !== undefined && !FOR_WORK.test(range.from))
          return { rows: [], isCut: true, refused: refusalOf(lost, failed.get(lost)) };
        const { rows, isCut } = merged(
          on.flatMap((shard) => given.get(shard)?.[shares.get(shard)?.indexOf(at) ?? -1] ?? []),
          range,
        );
        return { rows: rows.map(asAsked), isCut, ...(lost !== undefined && { isPartial: true }) };
      });
    },
    async news(asker, cursor, waitMs) {
      const cursors = cursor?.split(',') ?? [];
      // Of one that is away nothing is new, and it is asked from there once it is back.
      const own: FarNews[] = all.map((shard) => ({ cursor: cursors[shard] ?? '', keys: [] }));
      const look = async (shard: number, wait: number): Promise<void> => {
        own[shard] = await ask(shard, 'news', asker, own[shard]?.cursor || undefined, wait);
      };
      const { given } = throwUnlessAway(await fromEach(all, (shard) => look(shard, 0)));
      const isNew = ({ keys }: FarNews): boolean => keys?.length !== 0;
      if (waitMs > 0 && !own.some(isNew)) await Promise.race([...given.keys()].map((shard) => look(shard, waitMs)));
      const changed = own.flatMap((news) => news.keys ?? []);
      return {
        cursor: own.map((news) => news.cursor).join(','),
        ...(own.every((news) => news.keys) && { keys: changed }),
      };
    },
  };
}

/** The key as it is on that shard; `undefined` where that shard cannot have it. A short id stands for the whole one. */
function keyOn(shard: number, key: Key, shards: number): Key | undefined {
  const id = runOf(key);
  if (id === undefined) return key;
  const place = placeIn(id, shards);
  return place?.shard === shard ? key.replace(`/${id}`, `/${place.run}`) : undefined;
}

function placeIn(id: string, shards: number): ReturnType<typeof placeOf> | undefined {
  try {
    return placeOf(id, shards);
  } catch {
    return undefined;
  }
}

/** A range of one run's rows is on its shard, any other on all of them. */
function placesOf(range: Range, all: readonly number[]): Places {
  const [kind, id] = range.from.split('/');
  if (!((kind === 'entry' || kind === 'value') && id)) return { on: all, range, asAsked: (row) => row };
  const place = placeIn(id, all.length);
  if (!place) return { on: [], range, asAsked: (row) => row };
  const whole = (key: Key): Key => key.replace(`/${id}`, `/${place.run}`);
  return {
    on: [place.shard],
    range: { ...range, from: whole(range.from), to: whole(range.to) },
    asAsked: (row) => ({ ...row, key: row.key.replace(`/${place.run}`, `/${id}`) }),
  };
}

interface Places {
  readonly on: readonly number[];
  /** As the shards have it. */
  readonly range: Range;
  /** A row of theirs within the range that was asked for. */
  readonly asAsked: (row: Entry) => Entry;
}

/** One page of those of several shards, as far as all of them were read. */
function merged(pages: readonly FarPage[], { order, limit = Number.POSITIVE_INFINITY }: Range): FarPage {
  if (pages.length === 1) return pages[0] as FarPage;
  const sign = order === 'descending' ? -1 : 1;
  const byKey = new Map<Key, Entry>(pages.flatMap(({ rows }) => rows.map((row) => [row.key, row])));
  const rows = [...byKey.values()].sort((a, b) => (a.key < b.key ? -sign : sign));
  const cut = pages.filter(({ isCut }) => isCut);
  const complete = rows.filter(({ key }) =>
    cut.every(({ rows: own }) => {
      const end = own.at(-1)?.key;
      return end !== undefined && (key === end || (key < end ? 1 : -1) * sign > 0);
    }),
  );
  const limited = complete.slice(0, limit);
  return { rows: limited, isCut: cut.length > 0 && limited.length < limit };
}

/** Rows of which those that are found are worth having without the rest. */
const FOR_WORK = /^(ready|timer|claim|session)\//;

interface FromEach<T> {
  readonly given: ReadonlyMap<number, T>;
  /** Why the others gave nothing. */
  readonly failed: ReadonlyMap<number, unknown>;
}

/** What each shard answers. Rejects where none does, all of them for the same reason. */
async function fromEach<T>(shards: readonly number[], ask: (shard: number) => Promise<T>): Promise<FromEach<T>> {
  const settled = await Promise.allSettled(shards.map(ask));
  const given = new Map<number, T>();
  const failed = new Map<number, unknown>();
  for (const [i, one] of settled.entries()) {
    const shard = shards[i] as number;
    if (one.status === 'fulfilled') given.set(shard, one.value);
    else failed.set(shard, one.reason);
  }
  const [[shard, error] = []] = failed;
  if (shard !== undefined && given.size === 0) {
    const { code } = refusalOf(shard, error);
    if ([...failed].every(([other, reason]) => refusalOf(other, reason).code === code)) throw error;
  }
  // Answered for them is only that they are away: why stands in the log.
  for (const error of failed.values()) if (!(error instanceof FuselineError)) console.error(error);
  return { given, failed };
}

/** Where it is not for single shards to refuse. */
function throwUnlessAway<T>(answers: FromEach<T>): FromEach<T> {
  for (const error of answers.failed.values()) if (!isAway(error)) throw error;
  return answers;
}

/** As `Promise.all`, and each of them is heard to the end. */
async function everyOne(shards: readonly number[], ask: (shard: number) => Promise<void>): Promise<void> {
  for (const one of await Promise.allSettled(shards.map(ask))) if (one.status === 'rejected') throw one.reason;
}

function isAway(error: unknown): boolean {
  return !(error instanceof FuselineError) || error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FAILED';
}

function refusalOf(shard: number, error: unknown): Refusal {
  if (isAway(error))
    return { code: 'UNAVAILABLE', message: `shard ${shard} cannot be reached at the moment; send this again later` };
  const { code, message } = error as FuselineError;
  return { code, message };
}

/** Asks a shard for a worker. One that does not know it, because it gave it up or is new, is told by one that does. */
function acquaintance(
  ask: Ask,
  all: readonly number[],
  worker: string,
  proof: string,
): <T>(shard: number, body: () => Promise<T>) => Promise<T> {
  const find = async (): Promise<{ readonly by: number; readonly session: Session } | undefined> => {
    const { given, failed } = throwUnlessAway(
      await fromEach(all, (shard) => ask(shard, 'read', [keys.session(worker)])),
    );
    for (const [by, [row]] of given) {
      const session = row && 'value' in row ? (JSON.parse(row.value) as Session) : undefined;
      const isSame = session?.proof !== undefined && (await timingSafeEqual(session.proof, proof));
      if (session && isSame && session.deadWith === undefined) return { by, session };
    }
    // One of these may know it, and what it holds there is still its own.
    for (const error of failed.values()) throw error;
    return undefined;
  };
  let found: ReturnType<typeof find> | undefined;
  return async (shard, body) => {
    try {
      return await body();
    } catch (error) {
      if (!isAbout(error, 'UNKNOWN_WORKER')) throw error;
      found ??= find();
      const known = await found;
      if (!known) throw error;
      await introduce(ask, shard, worker, proof, known);
      return body();
    }
  };
}

async function introduce(
  ask: Ask,
  shard: number,
  id: string,
  proof: string,
  { by, session: { name, queues, workflows } }: { readonly by: number; readonly session: Session },
): Promise<void> {
  const say = (said: readonly FarWorkflow[]): Promise<void> =>
    ask(shard, 'register', { id, name, ...(queues && { queues }), workflows: said }, proof);
  try {
    await say(workflows.map(({ graph: hash, without }) => ({ hash, ...(without && { without }) })));
  } catch (error) {
    if (!isAbout(error, 'UNKNOWN_WORKFLOW')) throw error;
    const rows = await ask(
      by,
      'read',
      workflows.map(({ graph }) => keys.graph(graph)),
    );
    await say(
      workflows.map(({ graph: hash, without }, i) => {
        const row = rows[i];
        const graph = row && 'value' in row ? { graph: JSON.parse(row.value) } : { hash };
        return { ...graph, ...(without && { without }) };
      }),
    );
  }
}

function isAbout(error: unknown, code: ErrorCode): boolean {
  return error instanceof FuselineError && error.code === code;
}
