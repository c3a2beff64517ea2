import type { Command } from './decide.ts';
import { type ErrorRecord, FuselineError, RunFailedError, recordError } from './errors.ts';
import type { CompiledStep } from './graph.ts';
import type { Host } from './host.ts';
import { keys, parseTimer } from './keys.ts';
import { type Output, readOutput } from './output.ts';
import type { RunLogs } from './run-logs.ts';
import { type Child, type RunState, WAITING } from './run-state.ts';
import { END } from './step-lists.ts';
import type { Entry, Key, Store } from './store.ts';

/**
 * What is to be done between two runs, as a row that is put in the commit that makes it necessary and goes in the commit
 * that does it: so it is done once, whoever comes to it and whoever dies over it.
 */
export type Errand =
  /** Make the run a step waits for. */
  | { readonly type: 'start'; readonly child: string }
  /** Nobody waits for it any more. */
  | { readonly type: 'cancel'; readonly child: string }
  /** The run has ended: tell the step that waits for it. */
  | { readonly type: 'tell'; readonly child: string; readonly parent: string };

/** The errands that follow from a run's state, done or not, by the rows they stand in. */
export function errandsOf(run: string, state: RunState): ReadonlyMap<Key, Errand> {
  const { created, ended, endedAt, children, abandoned } = state;
  if (children.size === 0 && abandoned.size === 0 && !(ended && created.parent)) return NONE;
  const errands = new Map<Key, Errand>();
  for (const [step, { child, since, returned }] of children)
    if (!returned && state.status[step] === WAITING)
      errands.set(keys.errand(since, run, child), { type: 'start', child });
  for (const [child, since] of abandoned) errands.set(keys.errand(since, run, child), { type: 'cancel', child });
  if (ended && created.parent)
    errands.set(endErrand(run, endedAt as number), { type: 'tell', child: run, parent: created.parent.run });
  return errands;
}

/** The row that stands until the parent of a run knows of its end. */
export function endErrand(run: string, endedAt: number): Key {
  return keys.errand(endedAt, run, 'end');
}

const NONE: ReadonlyMap<Key, Errand> = new Map();

export interface ErrandPorts {
  readonly store: Store;
  readonly host: Host;
  readonly logs: RunLogs;
  /** An output as the codec writes it. */
  readonly textOf: (run: string, output: Output) => Promise<string | undefined>;
  readonly cancel: (run: string, command: string) => Promise<void>;
}

/** Does errands. Who comes second, or too late, finds nothing to do. */
export class Errands {
  readonly #ports: ErrandPorts;

  constructor(ports: ErrandPorts) {
    this.#ports = ports;
  }

  /** Those of a run that nobody has done yet. */
  async open(run: string): Promise<readonly Key[]> {
    const rows = (await this.#ports.logs.get(run).recall((state) => [...errandsOf(run, state).keys()])) ?? [];
    return (await this.#ports.store.read(rows)).flatMap((row) => (row ? [row.key] : []));
  }

  async do(key: Key): Promise<void> {
    const [row] = await this.#ports.store.read([key]);
    if (!row) return;
    try {
      await this.#do(key, row);
    } catch (error) {
      // Somebody else did it meanwhile, and what it is about may be gone since.
      const [still] = await this.#ports.store.read([key]);
      if (still?.version === row.version) throw error;
    }
  }

  async #do(key: Key, row: Entry): Promise<void> {
    const errand = JSON.parse(row.value) as Errand;
    const { run } = parseTimer(key);
    if (errand.type === 'start') return this.#start(run, errand.child, row);
    if (errand.type === 'cancel') return this.#cancel(run, errand.child, row);
    return this.#tell(errand.child, errand.parent, row);
  }

  async #start(run: string, child: string, row: Entry): Promise<void> {
    const { logs } = this.#ports;
    const parent = logs.get(run);
    const found = await parent.look((state) => {
      const step = state.awaiting(child);
      if (step === END) return undefined;
      const { name } = (state.graph.steps[step] as CompiledStep).spec;
      const { priority, parent: above } = state.created;
      const parent = { run, step: name, depth: (above?.depth ?? 0) + 1 };
      return { call: state.children.get(step) as Child, priority, parent };
    });
    if (!found) return this.#strike(row);
    const { call, priority, parent: of } = found;
    await logs.readGraphs([call.graph]);
    const graph = logs.graphs.get(call.graph);
    if (!graph)
      throw new FuselineError('STORAGE_CORRUPT', `run ${run} has graph ${call.graph} run, which is not stored`);
    const { version, deadlineMs } = graph.graph;
    await logs.get(child).create(
      {
        graph,
        input: await parent.fetch(call.input),
        created: {
          workflow: call.workflow,
          ...(version !== undefined && { version }),
          ...(call.labels && { labels: call.labels }),
          ...(priority && { priority }),
          ...(deadlineMs !== undefined && { deadline: this.#ports.host.now() + deadlineMs }),
          parent: of,
        },
        start: { type: 'start' },
      },
      () => undefined,
      row,
    );
  }

  async #cancel(run: string, child: string, row: Entry): Promise<void> {
    await this.#ports.cancel(child, `abandoned by ${run}`).catch((error) => {
      // It was never made, or it has ended by itself.
      if (!isAbout(error, 'UNKNOWN_RUN', 'RUN_FINISHED')) throw error;
    });
    await this.#strike(row);
  }

  async #tell(child: string, parent: string, row: Entry): Promise<void> {
    const { logs } = this.#ports;
    const end = await this.#endOf(child);
    if (!end) return this.#strike(row);
    const tell = ({ text, error }: End) => {
      const { stored, pieces } = text === undefined ? NOTHING : logs.get(parent).stow(text);
      const command: Command = { type: 'returned', child, end: error ? { error } : { value: stored } };
      return logs.get(parent).submit(command, (_, verdict) => verdict.status, pieces, row.key);
    };
    try {
      const status = await tell(end).catch((error) => {
        // Each of its parts fits into a commit, and all of them together do not.
        if (isAbout(error, 'VALUE_TOO_LARGE')) return tell({ error: recordError(error) });
        throw error;
      });
      if (status === 'accepted') return;
    } catch (error) {
      if (!isAbout(error, 'UNKNOWN_RUN')) throw error;
    }
    // Nobody waits for it any more.
    await this.#strike(row);
  }

  async #endOf(child: string): Promise<End | undefined> {
    try {
      const output = await this.#ports.logs.get(child).look((state) => state.ended && readOutput(child, state));
      return output && { text: await this.#ports.textOf(child, output) };
    } catch (error) {
      if (!(error instanceof RunFailedError)) throw error;
      const { stack: _, ...record } = recordError(
        new FuselineError('CHILD_FAILED', error.message, { cause: error.cause }),
      );
      return { error: record };
    }
  }

  async #strike({ key, version }: Entry): Promise<void> {
    await this.#ports.store.commit({ expect: [{ key, version }], delete: [key] });
  }
}

type End =
  | { readonly text: string | undefined; readonly error?: never }
  | { readonly error: ErrorRecord; readonly text?: never };

const NOTHING = { stored: undefined, pieces: [] } as const;

function isAbout(error: unknown, ...codes: readonly FuselineError['code'][]): boolean {
  return error instanceof FuselineError && codes.includes(error.code);
}
