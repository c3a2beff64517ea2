import { nextDue } from './decide.ts';
import { runOfEntry } from './keys.ts';
import type { RunState } from './run-state.ts';
import { END } from './step-lists.ts';
import type { RuntimeStorage } from './storage.ts';
import type { Key } from './store.ts';

/** One run that is worked on, and those below it: which its steps wait for, or have waited for. */
export class Family {
  readonly run: string;
  readonly #storage: RuntimeStorage;
  #hasOthers = false;
  /** Runs in which somebody else may have changed something; it may be in any where it is not known in which. */
  #heardOf = new Set<string>();
  #heardOfAny = false;

  constructor(run: string, storage: RuntimeStorage) {
    this.run = run;
    this.#storage = storage;
  }

  /** Answers whether it is known since now that there are others. Reads nothing: a run may be far away. */
  findOthers(): boolean {
    if (this.#hasOthers) return false;
    this.#hasOthers =
      this.#storage.known(this.run, ({ children, abandoned }) => children.size + abandoned.size > 0) ?? false;
    return this.#hasOthers;
  }

  /** Rows have changed, nobody knows which where there are no keys. */
  hear(changed: readonly Key[] | undefined): void {
    if (!changed) this.#heardOfAny = true;
    // Then all are asked, and who has nothing to ask for hears of everything that others do.
    if (this.#heardOfAny) return this.#heardOf.clear();
    for (const key of changed ?? []) {
      const run = runOfEntry(key);
      if (run !== undefined) this.#heardOf.add(run);
    }
  }

  async members(): Promise<readonly string[]> {
    this.findOthers();
    return this.#hasOthers ? this.#storage.family(this.run) : [this.run];
  }

  /** Those in which something may be claimed, or is due, as far as this process knows and has heard since it asked last. */
  async candidates(): Promise<readonly string[]> {
    const [heardOf, heardOfAny] = [this.#heardOf, this.#heardOfAny];
    this.#heardOf = new Set();
    this.#heardOfAny = false;
    const members = await this.members();
    if (heardOfAny) return members;
    const now = this.#storage.host.now();
    return members.filter(
      (run) => heardOf.has(run) || (this.#storage.known(run, (state) => hasWork(state, now)) ?? true),
    );
  }

  /** What is to be done between them. */
  async errands(): Promise<readonly Key[]> {
    this.findOthers();
    if (!this.#hasOthers) return NONE;
    return (await Promise.all((await this.members()).map((run) => this.#storage.errands(run)))).flat();
  }

  /** When one of them next wants to be looked at, epoch milliseconds. */
  async nextDue(): Promise<number | undefined> {
    const due = await Promise.all((await this.members()).map((run) => this.#storage.recall(run, nextDue)));
    return due.reduce((first, at) => (first === undefined || (at !== undefined && at < first) ? at : first), undefined);
  }

  /** Whether one of them goes on without anybody claiming something. */
  async moves(): Promise<boolean> {
    const members = await this.members();
    return (await Promise.all(members.map((run) => this.#storage.peek(run, moves)))).includes(true);
  }
}

const NONE: readonly Key[] = [];

function hasWork(state: RunState, now: number): boolean {
  const due = nextDue(state);
  return (due !== undefined && due <= now) || state.graph.lines.some((_, line) => state.firstQueued(line) !== END);
}

/** Of one that only waits for another, that one tells. */
function moves(state: RunState): boolean {
  if (state.firstRunning() !== END || state.paused || state.stopping.size > 0) return true;
  for (let step = state.firstDue(); step !== END; step = state.behind(step))
    if (!state.children.has(step) || Number.isFinite(state.since[step])) return true;
  return false;
}
