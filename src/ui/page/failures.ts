import type { FuselineError } from '../../core/errors.ts';
import { type Live, type LiveRuns, liveRuns } from '../../core/live.ts';
import type { RuntimeStorage } from '../../core/storage.ts';
import type { RunSummary, RunView } from '../../core/views.ts';

/** Failed runs that failed of the same: the same step of the same workflow, the same error. */
export interface FailureGroup {
  readonly key: string;
  readonly workflow: string;
  /** `undefined`: of no step. */
  readonly step: string | undefined;
  /** As the newest of them says it. */
  readonly error: string;
  /** Newest first. */
  readonly runs: readonly RunSummary[];
}

export type Grouped =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly error: FuselineError }
  | {
      readonly status: 'ready';
      readonly groups: readonly FailureGroup[];
      readonly looked: number;
      /** There are older ones, which were not looked at. */
      readonly isCut: boolean;
    };

/** So many are looked into, and so many of them at once. */
export const MOST_FAILED = 200;
const AT_ONCE = 25;

/** The failed runs by what they failed of, the most frequent first. */
export function groupFailures(runs: readonly RunView[]): readonly FailureGroup[] {
  const groups = new Map<string, Omit<FailureGroup, 'runs'> & { readonly runs: RunSummary[] }>();
  for (const run of runs) {
    for (const { step, error } of failuresIn(run)) {
      const key = JSON.stringify([run.workflow, step, kindOf(error)]);
      const group = groups.get(key) ?? { key, workflow: run.workflow, step, error, runs: [] };
      group.runs.push(run);
      groups.set(key, group);
    }
  }
  return [...groups.values()].sort((a, b) => b.runs.length - a.runs.length || latest(b) - latest(a));
}

/** The groups of the newest failed runs, as they change. */
export class Failures {
  readonly #storage: RuntimeStorage;
  readonly #changed: () => void;
  readonly #views = new Map<string, Promise<RunView | undefined>>();
  #live:
    | { readonly runs: Live<LiveRuns>; readonly stop: () => void; readonly workflow: string | undefined }
    | undefined;
  #grouped: Grouped = { status: 'loading' };

  constructor(storage: RuntimeStorage, changed: () => void) {
    this.#storage = storage;
    this.#changed = changed;
  }

  /** Follows those of a workflow, or of all. */
  follow(workflow: string | undefined): void {
    if (this.#live && this.#live.workflow === workflow) return;
    this.stop();
    this.#grouped = { status: 'loading' };
    const runs = liveRuns(this.#storage, { status: 'FAILED', limit: MOST_FAILED, ...(workflow && { workflow }) });
    this.#live = { runs, workflow, stop: runs.subscribe(() => void this.#group(runs.getSnapshot())) };
  }

  stop(): void {
    this.#live?.stop();
    this.#live = undefined;
  }

  get grouped(): Grouped {
    return this.#grouped;
  }

  async #group(known: LiveRuns): Promise<void> {
    if (known.status !== 'ready') return this.#say(known);
    const { runs, cursor } = known;
    const views: (RunView | undefined)[] = [];
    for (let i = 0; i < runs.length; i += AT_ONCE)
      views.push(...(await Promise.all(runs.slice(i, i + AT_ONCE).map((run) => this.#view(run)))));
    // Another look came meanwhile.
    if (this.#live?.runs.getSnapshot() !== known) return;
    const failed = views.filter((view) => view !== undefined);
    this.#say({ status: 'ready', groups: groupFailures(failed), looked: runs.length, isCut: cursor !== undefined });
  }

  #say(grouped: Grouped): void {
    this.#grouped = grouped;
    this.#changed();
  }

  /** Read once for each time it failed. */
  #view({ id, endedAt }: RunSummary): Promise<RunView | undefined> {
    const key = `${id} ${endedAt}`;
    const known = this.#views.get(key);
    if (known) return known;
    const view = this.#storage.get(id).catch(() => {
      // Removed since, or not to be read now: it is read again when it comes up again.
      this.#views.delete(key);
      return undefined;
    });
    this.#views.set(key, view);
    return view;
  }
}

function failuresIn(run: RunView): readonly { readonly step: string | undefined; readonly error: string }[] {
  const failed = run.steps.filter(({ status }) => status === 'FAILED');
  if (failed.length > 0)
    return failed.map(({ name, error }) => ({
      step: name,
      error: error ? `${error.name}: ${error.message}` : 'no error was recorded',
    }));
  const isLate = run.deadline !== undefined && run.endedAt !== undefined && run.endedAt >= run.deadline;
  return [{ step: undefined, error: isLate ? 'it passed its deadline' : 'steps of it were cancelled' }];
}

/** An error without what differs from one run to the next: numbers, and ids of hexadecimal digits. */
function kindOf(error: string): string {
  return error.replace(/\b[0-9a-f]{8}(?:-?[0-9a-f]{4,}){1,}\b|\d+(?:\.\d+)*/gi, '#');
}

function latest({ runs }: { readonly runs: readonly RunSummary[] }): number {
  return runs[0]?.endedAt ?? 0;
}
