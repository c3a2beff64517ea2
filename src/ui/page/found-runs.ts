import { FuselineError } from '../../core/errors.ts';
import { type Live, type LiveRuns, liveRuns } from '../../core/live.ts';
import type { RuntimeStorage } from '../../core/storage.ts';
import type { RunSummary } from '../../core/views.ts';
import type { Filter } from './place.ts';

export type Found =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly error: FuselineError }
  | {
      readonly status: 'ready';
      readonly runs: readonly RunSummary[];
      /** `all` that fit are here; `more` can be had; `cut`: there may be others, which are not looked for. */
      readonly rest: 'all' | 'more' | 'cut';
      /** Why they are shown as they were, and not as they are. */
      readonly trouble?: FuselineError;
    };

/** Runs that are kept up to date at first, and at most. */
const FIRST = 100;
const MOST = 1000;
/** So many are looked at for a part of an id, and so many of them are shown. */
const SEARCHED = 10_000;
const MOST_HITS = 200;
const TYPING_MS = 200;
const RUN_ID = /^[A-Za-z0-9_.:-]{1,128}$/;

/** The runs a filter lets through, newest first, as they change. */
export class FoundRuns {
  readonly #storage: RuntimeStorage;
  readonly #changed: () => void;
  #filter: Filter = {};
  #limit = FIRST;
  /** What was found, while more of it is looked for, or nothing can be read. */
  #last: Extract<LiveRuns, { readonly status: 'ready' }> | undefined;
  #live: { readonly runs: Live<LiveRuns>; readonly stop: () => void } | undefined;
  #search: { readonly hits: readonly RunSummary[]; readonly rest: 'all' | 'cut' } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(storage: RuntimeStorage, changed: () => void) {
    this.#storage = storage;
    this.#changed = changed;
  }

  seek({ status, workflow, search }: Filter): void {
    const before = this.#filter;
    const filter = { ...(status && { status }), ...(workflow && { workflow }), ...(search && { search }) };
    const isSame = this.#live && before.status === status && before.workflow === workflow;
    if (isSame && before.search === filter.search) return;
    this.#filter = filter;
    if (!isSame) {
      this.#last = undefined;
      this.#follow(FIRST);
    }
    clearTimeout(this.#timer);
    this.#search = undefined;
    // Asked for when the typing rests.
    if (filter.search) this.#timer = setTimeout(() => void this.#searchFor(filter), TYPING_MS);
  }

  /** Looks at more of them. */
  more(): void {
    const { found } = this;
    if (found.status === 'ready' && found.rest === 'more' && !this.#filter.search) this.#follow(this.#limit * 2);
  }

  get found(): Found {
    const now = this.#live?.runs.getSnapshot() ?? LOADING;
    if (now.status === 'ready') this.#last = now;
    const found = this.#foundIn(this.#last ?? now);
    return now.status === 'failed' && found.status === 'ready' ? { ...found, trouble: now.error } : found;
  }

  #foundIn(known: LiveRuns): Found {
    if (known.status !== 'ready') return known;
    const { search } = this.#filter;
    if (!search)
      return {
        ...known,
        rest: known.cursor === undefined ? 'all' : known.runs.length < MOST ? 'more' : 'cut',
      };
    const newest = known.runs.filter(({ id }) => hasPart(id, search));
    if (!this.#search) return newest.length > 0 ? { status: 'ready', runs: newest, rest: 'cut' } : LOADING;
    // Of the newest ones it is known how they are by now.
    const now = new Set(known.runs.map(({ id }) => id));
    const older = this.#search.hits.filter(({ id }) => !now.has(id));
    return { status: 'ready', runs: [...newest, ...older], rest: this.#search.rest };
  }

  stop(): void {
    this.#live?.stop();
    this.#live = undefined;
    clearTimeout(this.#timer);
  }

  #follow(limit: number): void {
    this.#live?.stop();
    this.#limit = Math.min(limit, MOST);
    const { search, ...query } = this.#filter;
    const runs = liveRuns(this.#storage, { ...query, limit: this.#limit });
    this.#live = { runs, stop: runs.subscribe(this.#changed) };
  }

  async #searchFor(filter: Filter): Promise<void> {
    const { search = '', ...query } = filter;
    const hits = new Map<string, RunSummary>();
    let rest: 'all' | 'cut' = 'all';
    try {
      // Whoever knows the whole id finds it among any number of runs.
      const exact = RUN_ID.test(search) ? await this.#exact(search, query) : undefined;
      if (exact) hits.set(exact.id, exact);
      let looked = 0;
      for (let cursor: string | undefined; filter === this.#filter; ) {
        const page = await this.#storage.list({ ...query, limit: MOST, ...(cursor && { cursor }) });
        for (const run of page.runs) if (hasPart(run.id, search)) hits.set(run.id, run);
        looked += page.runs.length;
        cursor = page.cursor;
        if (!cursor) break;
        if (looked >= SEARCHED || hits.size >= MOST_HITS) {
          rest = 'cut';
          break;
        }
      }
    } catch {
      // The list itself says what is wrong with the storage.
      rest = 'cut';
    }
    if (filter !== this.#filter) return;
    this.#search = { hits: [...hits.values()].sort((a, b) => b.createdAt - a.createdAt).slice(0, MOST_HITS), rest };
    this.#changed();
  }

  async #exact(id: string, { status, workflow }: Filter): Promise<RunSummary | undefined> {
    const run = await this.#storage.get(id).catch((error) => {
      if (error instanceof FuselineError && error.code === 'UNKNOWN_RUN') return undefined;
      throw error;
    });
    return run && (!status || run.status === status) && (!workflow || run.workflow === workflow) ? run : undefined;
  }
}

const LOADING = { status: 'loading' } as const;

function hasPart(id: string, part: string): boolean {
  return id.toLowerCase().includes(part.toLowerCase());
}
