import type { Host } from '../core/host.ts';
import { keys } from '../core/keys.ts';
import type { Entry, Store } from '../core/store.ts';

/** What the one object knows that stands for all runs, where every run has an object of its own. */
export interface RunIndex {
  /** From now on the run is one of those there are. */
  note(id: string): Promise<void>;
  isNoted(id: string): Promise<boolean>;
  /** Newest first; `cursor` says where the last page ended. */
  noted(limit: number, cursor?: string): Promise<readonly Noted[]>;
  unnote(id: string): Promise<void>;
}

export interface Noted {
  readonly id: string;
  readonly at: number;
  readonly cursor: string;
}

const placeOf = (id: string): string => `noted/${id}`;
/** As the runs of a storage are in order of time; beside them, because these are none. */
const ORDER = 'noted-at/';
const LIST = 'time/';
const orderOf = (at: number, id: string): string => keys.time(at, id).replace(LIST, ORDER);

export function runIndex(store: Store, { now }: Pick<Host, 'now'>): RunIndex {
  const find = async (id: string): Promise<Entry | undefined> => (await store.read([placeOf(id)]))[0];
  return {
    async note(id) {
      if (await find(id)) return;
      const at = now();
      // Whoever is first here has noted it.
      await store.commit({
        expect: [{ key: placeOf(id), version: undefined }],
        put: [
          { key: placeOf(id), value: String(at) },
          { key: orderOf(at, id), value: String(at) },
        ],
      });
    },
    isNoted: async (id) => (await find(id)) !== undefined,
    async noted(limit, cursor) {
      const to = cursor === undefined ? 'noted-at0' : cursor.replace(LIST, ORDER);
      const rows = await store.scan({ from: ORDER, to, limit, order: 'descending' });
      return rows.map(({ key, value }) => ({
        id: key.slice(key.lastIndexOf('/') + 1),
        at: Number(value),
        cursor: key.replace(ORDER, LIST),
      }));
    },
    async unnote(id) {
      const found = await find(id);
      if (found) await store.commit({ delete: [placeOf(id), orderOf(Number(found.value), id)] });
    },
  };
}
