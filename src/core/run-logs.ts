import { FuselineError } from './errors.ts';
import type { JournalEntry } from './events.ts';
import type { StepNames } from './explain.ts';
import { type CompiledGraph, compileGraph, type Graph } from './graph.ts';
import type { Host } from './host.ts';
import { checkId } from './ids.ts';
import { keys, runOfEntry } from './keys.ts';
import { RunLog, type RunLogPorts } from './run-log.ts';
import type { RunState } from './run-state.ts';
import type { Worker } from './sessions.ts';
import type { Hint, Key, Store } from './store.ts';

/** Runs nobody listens to are kept folded: always so many, and more while they are small. */
const CACHED_RUNS = { least: 256, most: 2048 } as const;
const CACHED_STEPS = 32_768;
/** Runs that come between two looks at what need not be kept. */
const EVICT_AFTER = 64;
/** Somebody who waits looks again after this long even if no hint came. */
const LOOK_MS = 1000;

/** The runs this process has to do with: their logs, their graphs, and the news of those it follows. */
export class RunLogs {
  readonly graphs: Map<string, CompiledGraph> = new Map();
  readonly lookMs: number;
  readonly #store: Store;
  readonly #host: Host;
  readonly #ports: RunLogPorts;
  /** Last used, last in the map. */
  readonly #logs = new Map<string, RunLog>();
  /** The logs that are followed, and by how many. */
  readonly #followed = new Map<RunLog, number>();
  readonly #hintListeners = new Set<(hint: Hint) => void>();
  /** Those who hear of this process's own entries, too. */
  readonly #entryListeners = new Set<(hint: Hint) => void>();
  #arrived = 0;
  #unwatch: (() => void) | undefined;

  constructor(store: Store, host: Host) {
    this.#store = store;
    this.#host = host;
    this.lookMs = store.lookMs ?? LOOK_MS;
    const wrote = (entry: Key, rows: readonly Key[]): void => {
      if (rows.length > 0) this.#tell({ keys: rows });
      for (const listener of this.#entryListeners) listener({ keys: [entry] });
    };
    this.#ports = { store, host, graphs: this.graphs, wrote };
  }

  get(run: string): RunLog {
    const known = this.#logs.get(run);
    if (known) {
      this.#logs.delete(run);
      this.#logs.set(run, known);
      return known;
    }
    const log = new RunLog(run, this.#ports);
    if (this.#logs.size >= CACHED_RUNS.least && ++this.#arrived >= EVICT_AFTER) this.#evict();
    this.#logs.set(run, log);
    return log;
  }

  /** Forgets the idle runs that were used longest ago. */
  #evict(): void {
    this.#arrived = 0;
    let steps = 0;
    for (const log of this.#logs.values()) steps += log.steps;
    for (const [id, log] of this.#logs) {
      const { size } = this.#logs;
      if (size <= CACHED_RUNS.least || (size <= CACHED_RUNS.most && steps <= CACHED_STEPS)) break;
      if (!log.isIdle) continue;
      steps -= log.steps;
      this.#logs.delete(id);
    }
  }

  /** Reads a run as it is now. Rejects with `UNKNOWN_RUN`. */
  async look<T>(run: string, read: (state: RunState) => T): Promise<T> {
    const box = await this.get(checkId(run)).look((state) => [read(state)] as const);
    if (!box) throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(run)}`);
    return box[0];
  }

  /** Waits until `read` finds something in the run; looks at once, at every change, and now and then. */
  async changed<T>(run: string, read: (state: RunState) => T | undefined): Promise<T> {
    const log = this.get(run);
    const release = this.#follow(log);
    try {
      for (;;) {
        let wake: (() => void) | undefined;
        let told = false;
        const unlisten = log.listen(() => {
          told = true;
          wake?.();
        });
        try {
          const found = await this.look(run, read);
          if (found !== undefined) return found;
          await new Promise<void>((resolve) => {
            if (told) return resolve();
            const cancel = this.#host.after(this.lookMs, resolve);
            wake = () => {
              cancel();
              resolve();
            };
          });
        } finally {
          unlisten();
        }
      }
    } finally {
      release();
    }
  }

  /** Hears every entry of a run, here and elsewhere, while it is listened to. */
  listen(run: string, listener: (state: RunState, entry: JournalEntry) => void): () => void {
    const log = this.get(run);
    const release = this.#follow(log);
    const unlisten = log.listen(listener);
    return () => {
      unlisten();
      release();
    };
  }

  /** Hears that rows changed, through this storage or elsewhere. */
  onHint(listener: (hint: Hint) => void): () => void {
    this.#hintListeners.add(listener);
    this.#watchStore();
    return () => {
      this.#hintListeners.delete(listener);
      this.#watchStore();
    };
  }

  /** The same, and of every entry this process itself appends: for those it tells what happens here. */
  onEntry(listener: (hint: Hint) => void): () => void {
    this.#entryListeners.add(listener);
    const unhint = this.onHint(listener);
    return () => {
      this.#entryListeners.delete(listener);
      unhint();
    };
  }

  /** Reads the graphs that are not known yet; what is not stored stays unknown. */
  async readGraphs(hashes: Iterable<string>): Promise<void> {
    const missing = [...new Set(hashes)].filter((hash) => !this.graphs.has(hash));
    const rows = await this.#store.read(missing.map((hash) => keys.graph(hash)));
    rows.forEach(
      (row, i) => row && this.graphs.set(missing[i] as string, compileGraph(JSON.parse(row.value) as Graph)),
    );
  }

  /** Which steps the graphs have that workers bring. */
  async stepNames(workers: readonly Worker[]): Promise<StepNames> {
    await this.readGraphs(workers.flatMap(({ workflows }) => workflows.map(({ graph }) => graph)));
    return (hash) => {
      const graph = this.graphs.get(hash);
      return graph && new Set(graph.index.keys());
    };
  }

  /** The run was removed. Who follows it hears so, and of the next one with its id. */
  forget(run: string): void {
    if (this.#logs.get(run)?.isIdle) this.#logs.delete(run);
    this.#tell({ keys: [keys.head(run)] });
  }

  close(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  /** While a run is followed, hints that others changed it make this process read what they appended. */
  #follow(log: RunLog): () => void {
    this.#followed.set(log, (this.#followed.get(log) ?? 0) + 1);
    this.#watchStore();
    return () => {
      const count = (this.#followed.get(log) ?? 1) - 1;
      if (count > 0) this.#followed.set(log, count);
      else this.#followed.delete(log);
      this.#watchStore();
    };
  }

  #watchStore(): void {
    if (this.#followed.size === 0 && this.#hintListeners.size === 0) {
      this.#unwatch?.();
      this.#unwatch = undefined;
      return;
    }
    this.#unwatch ??= this.#store.watch((hint) => {
      // A look that fails is made again by whoever waits; the hint itself owes nothing.
      for (const log of this.#concernedBy(hint)) log.look(() => undefined).catch(() => undefined);
      this.#tell(hint);
    });
  }

  /** The followed logs that somebody else may have written to. */
  #concernedBy({ keys }: Hint): Iterable<RunLog> {
    if (!keys) return this.#followed.keys();
    const concerned = new Set<RunLog>();
    for (const key of keys) {
      const log = this.#logs.get(runOfEntry(key) ?? '');
      if (log && this.#followed.has(log) && log.mayConcern(key)) concerned.add(log);
    }
    return concerned;
  }

  #tell(hint: Hint): void {
    for (const listener of this.#hintListeners) listener(hint);
  }
}
