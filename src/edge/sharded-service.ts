import { webHost } from '../adapters/host.ts';
import { keys } from '../core/keys.ts';
import type { RunSummary } from '../core/views.ts';
import type { Service } from '../http/service.ts';
import { askObject, type Objects } from './objects.ts';
import { type Ask, shardedWorkers } from './sharded-workers.ts';
import { placeOf } from './shards.ts';

const DEFAULT_LIMIT = 100;

/** One service over all shards. Where it repeats a question, that is harmless: everything new has an id of its own. */
export function shardedService(objects: Objects, shards: number): Service {
  const ask: Ask = (shard, verb, ...parameters) => askObject(objects, `shard-${shard}`, verb, parameters) as never;
  const askAll = <K extends keyof Service>(verb: K, ...parameters: Parameters<Service[K]>) =>
    Promise.all(Array.from({ length: shards }, (_, shard) => ask(shard, verb, ...parameters)));
  const at = <T>(id: string, body: (shard: number, run: string) => Promise<T>): Promise<T> => {
    const { shard, run } = placeOf(id, shards);
    return body(shard, run);
  };
  return {
    ...shardedWorkers(ask, shards),
    dispatch: async (order) =>
      at(order.id ?? webHost.id(), (shard, run) => ask(shard, 'dispatch', { ...order, id: run })),
    get: async (id) => at(id, (shard, run) => ask(shard, 'get', run)),
    async list(query) {
      const { limit = DEFAULT_LIMIT } = query;
      const pages = await askAll('list', query);
      const all = pages.flatMap(({ runs }) => runs.map((run) => ({ run, key: keyOf(run) })));
      all.sort((a, b) => (a.key < b.key ? 1 : -1));
      const page = all.slice(0, limit);
      const last = page.at(-1);
      const runs = page.map(({ run }) => run);
      const more = all.length > page.length || pages.some(({ cursor }) => cursor !== undefined);
      return more && last ? { runs, cursor: last.key } : { runs };
    },
    result: async (id, waitMs) => at(id, (shard, run) => ask(shard, 'result', run, waitMs)),
    history: async (id, page) => at(id, (shard, run) => ask(shard, 'history', run, page)),
    explain: async (id, step) => at(id, (shard, run) => ask(shard, 'explain', run, step)),
    export: async (id) => at(id, (shard, run) => ask(shard, 'export', run)),
    command: async (id, command) =>
      at(id, (shard, run) => ask(shard, 'command', run, { ...command, id: command.id ?? webHost.id() })),
    signalOnce: async (id, signal) => at(id, (shard, run) => ask(shard, 'signalOnce', run, signal)),
    remove: async (id) => at(id, (shard, run) => ask(shard, 'remove', run)),
    // One from afar is known to each of them.
    workers: async () => [...new Map((await askAll('workers')).flat().map((worker) => [worker.id, worker])).values()],
  };
}

/** A list is in this order on every shard, so one cursor serves them all. */
function keyOf({ createdAt, id }: RunSummary): string {
  return keys.time(createdAt, id);
}
