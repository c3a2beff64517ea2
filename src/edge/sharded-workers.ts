import { webHost } from '../adapters/host.ts';
import type { FarAnswer, FarClaim, FarNews, FarPage, FarReport, FarRow } from '../adapters/http/wire.ts';
import { runOf } from '../core/keys.ts';
import type { Entry, Key, Range } from '../core/store.ts';
import type { Service } from '../http/service.ts';
import type { WorkerService } from '../http/worker-service.ts';
import { placeOf } from './shards.ts';

/** Asks one shard. */
export type Ask = <K extends keyof Service>(
  shard: number,
  verb: K,
  ...parameters: Parameters<Service[K]>
) => ReturnType<Service[K]>;

/** What workers and storages ask, over all shards: a worker is known to each of them, and works for all. */
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
      await Promise.all(all.map((shard) => ask(shard, 'register', worker, proof)));
    },
    async fetch(worker, proof, { run: id, ...request }) {
      if (id !== undefined) {
        const { shard, run } = placeOf(id, shards);
        return ask(shard, 'fetch', worker, proof, { ...request, run });
      }
      const claims: FarClaim[] = [];
      const first = Math.floor(webHost.random() * shards);
      // One after the other, so that they do not give more than there is room for; every time another one is the first.
      for (const shift of all) {
        const shard = (first + shift) % shards;
        const held = [...heldOn(shard, request.held)];
        const busy = (request.busy ?? request.held.length) + claims.length;
        const limit = Math.max(0, request.limit - claims.length);
        claims.push(...(await ask(shard, 'fetch', worker, proof, { limit, held, busy })).claims);
      }
      return { claims, rest: 'later' };
    },
    async report(worker, reports) {
      const answers: FarAnswer[] = [];
      const shares = new Map<number, (readonly [at: number, report: FarReport])[]>();
      for (const [at, report] of reports.entries()) {
        const shard = shardOf(report.claim);
        shares.set(shard, [...(shares.get(shard) ?? []), [at, report]]);
      }
      await Promise.all(
        [...shares].map(async ([shard, share]) => {
          const own = await ask(
            shard,
            'report',
            worker,
            share.map(([, report]) => report),
          );
          share.forEach(([at], i) => {
            answers[at] = own[i] as FarAnswer;
          });
        }),
      );
      return answers;
    },
    async beat(worker, proof, held) {
      const some = held.length === 0 ? all : [...new Set(held.map(shardOf))];
      await Promise.all(some.map((shard) => ask(shard, 'beat', worker, proof, heldOn(shard, held))));
    },
    async leave(worker, proof) {
      await Promise.all(all.map((shard) => ask(shard, 'leave', worker, proof)));
    },
    async read(keys) {
      const found: FarRow[] = keys.map(() => null);
      await Promise.all(
        all.map(async (shard) => {
          const own = [...keys.entries()].flatMap(([at, key]) => {
            const local = keyOn(shard, key, shards);
            return local === undefined ? [] : [[at, local] as const];
          });
          if (own.length === 0) return;
          const rows = await ask(
            shard,
            'read',
            own.map(([, key]) => key),
          );
          own.forEach(([at], i) => {
            found[at] ??= rows[i] ?? null;
          });
        }),
      );
      return found;
    },
    scan: (ranges) => Promise.all(ranges.map((range) => scanned(ask, all, range, shards))),
    async news(asker, cursor, waitMs) {
      const cursors = cursor?.split(',') ?? [];
      const own: FarNews[] = [];
      const look = async (shard: number, wait: number): Promise<void> => {
        own[shard] = await ask(shard, 'news', asker, own[shard]?.cursor ?? cursors[shard], wait);
      };
      const known = (shard: number): boolean => own[shard] !== undefined && (own[shard].keys?.length ?? 1) === 0;
      await Promise.all(all.map((shard) => look(shard, 0)));
      if (waitMs > 0 && all.every(known)) await Promise.race(all.map((shard) => look(shard, waitMs)));
      const keys = own.flatMap((news) => news.keys ?? []);
      return {
        cursor: own.map((news) => news.cursor).join(','),
        ...(own.every((news) => news.keys) && { keys }),
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

/** A range of one run's rows is on its shard; any other is merged of all of them, as far as all of them were read. */
async function scanned(ask: Ask, all: readonly number[], range: Range, shards: number): Promise<FarPage> {
  const [kind, id] = range.from.split('/');
  if ((kind === 'entry' || kind === 'value') && id) {
    const place = placeIn(id, shards);
    if (!place) return { rows: [], isCut: false };
    const whole = (key: Key): Key => key.replace(`/${id}`, `/${place.run}`);
    const local = { ...range, from: whole(range.from), to: whole(range.to) };
    return (await ask(place.shard, 'scan', [local]))[0] as FarPage;
  }
  const pages = (await Promise.all(all.map((shard) => ask(shard, 'scan', [range])))).map(([page]) => page as FarPage);
  const sign = range.order === 'descending' ? -1 : 1;
  const byKey = new Map<Key, Entry>(pages.flatMap(({ rows }) => rows.map((row) => [row.key, row])));
  const rows = [...byKey.values()].sort((a, b) => (a.key < b.key ? -sign : sign));
  const ends = pages.flatMap(({ rows: own, isCut }) => (isCut ? [own.at(-1)?.key ?? ''] : []));
  const complete =
    ends.length === 0
      ? rows
      : rows.filter(({ key }) => ends.every((end) => (key < end ? 1 : -1) * sign > 0 || key === end));
  const limited = complete.slice(0, range.limit);
  return { rows: limited, isCut: ends.length > 0 && limited.length < (range.limit ?? Number.POSITIVE_INFINITY) };
}
