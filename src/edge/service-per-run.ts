import { webHost } from '../adapters/host.ts';
import { FuselineError } from '../core/errors.ts';
import { checkId, MAX_ROOT, rootOf } from '../core/ids.ts';
import type { RunQuery } from '../core/listing.ts';
import type { RunSummary } from '../core/views.ts';
import type { Service } from '../http/service.ts';
import { askObject, type Objects } from './objects.ts';
import type { RunIndex } from './run-index.ts';

const INDEX = 'index';
const DEFAULT_LIMIT = 100;
/** Objects asked at once. */
const ABREAST = 50;
/** Objects asked for one page, whatever is found: the next page goes on behind them. */
const MOST_ASKED = 500;
/** What is noted and not there after so long was refused, or died on its way. */
const STALE_MS = 3_600_000;

/**
 * One service over an object for every run, and one that knows which there are. A run is noted before it is dispatched:
 * what is answered can be found.
 */
export function servicePerRun(objects: Objects): Service {
  const index = <K extends keyof RunIndex>(verb: K, ...parameters: Parameters<RunIndex[K]>) =>
    askObject(objects, INDEX, verb, parameters) as ReturnType<RunIndex[K]>;
  // The runs its steps have made are in the object of the run at the top.
  const ask = <K extends keyof Service>(run: string, verb: K, ...parameters: Parameters<Service[K]>) =>
    askObject(objects, `run-${rootOf(checkId(run))}`, verb, parameters) as ReturnType<Service[K]>;
  // An object that is asked exists from then on, so only those are asked that have a run.
  const known = async <T>(run: string, question: () => Promise<T>): Promise<T> => {
    if (await index('isNoted', rootOf(checkId(run)))) return question();
    throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(run)}`);
  };
  /** The run at the top of an object, if it is one of those that are wanted. */
  const topOf = async (id: string, wanted: Omit<RunQuery, 'limit' | 'cursor'>): Promise<readonly RunSummary[]> => {
    for (let cursor: string | undefined; ; ) {
      const page = await ask(id, 'list', { ...wanted, ...(cursor !== undefined && { cursor }) });
      const top = page.runs.filter((run) => run.id === id);
      cursor = page.cursor;
      if (top.length > 0 || cursor === undefined) return top;
    }
  };
  return {
    async dispatch(order) {
      const id = checkRoot(order.id ?? webHost.id());
      await index('note', id);
      return ask(id, 'dispatch', { ...order, id });
    },
    get: (id) => known(id, () => ask(id, 'get', id)),
    async list({ limit = DEFAULT_LIMIT, cursor, ...wanted }) {
      const runs: RunSummary[] = [];
      let next = cursor;
      for (let asked = 0; asked < MOST_ASKED; ) {
        const noted = await index('noted', Math.min(ABREAST, limit - runs.length), next);
        const found = await Promise.all(noted.map(({ id }) => topOf(id, wanted)));
        await Promise.all(
          noted.map(async ({ id, at }) => {
            if (at < webHost.now() - STALE_MS && (await ask(id, 'list', {})).runs.length === 0)
              await index('unnote', id);
          }),
        );
        runs.push(...found.flat());
        const last = noted.at(-1);
        if (!last) return { runs };
        next = last.cursor;
        asked += noted.length;
        if (runs.length >= limit) break;
      }
      return { runs, ...(next !== undefined && { cursor: next }) };
    },
    result: (id, waitMs) => known(id, () => ask(id, 'result', id, waitMs)),
    history: (id, page) => known(id, () => ask(id, 'history', id, page)),
    explain: (id, step) => known(id, () => ask(id, 'explain', id, step)),
    export: (id) => known(id, () => ask(id, 'export', id)),
    command: (id, command) => known(id, () => ask(id, 'command', id, { ...command, id: command.id ?? webHost.id() })),
    signalOnce: (id, signal) => known(id, () => ask(id, 'signalOnce', id, signal)),
    async remove(id) {
      await known(id, () => ask(id, 'remove', id));
      // Those below it are there still, and found through it.
      if ((await ask(id, 'list', {})).runs.length === 0) await index('unnote', rootOf(id));
    },
    // Each object has its own, for as long as it is at work.
    workers: async () => [],
    create: refuse,
    register: refuse,
    fetch: refuse,
    report: refuse,
    beat: refuse,
    leave: refuse,
    read: refuse,
    scan: refuse,
    news: refuse,
  };
}

/** In the id of a run that is made for a step stands where it is. */
function checkRoot(id: string): string {
  if (checkId(id) === rootOf(id) && id.length <= MAX_ROOT) return id;
  throw new FuselineError(
    'INVALID_ID',
    `${JSON.stringify(id)} cannot be the id of a run that has an object of its own: use up to ${MAX_ROOT} characters, and no ::`,
  );
}

async function refuse(): Promise<never> {
  throw new FuselineError(
    'INVALID_REQUEST',
    "workers and storages from afar cannot look for work in an object of each run; deploy with a number of shards instead of 'per-run'",
  );
}
