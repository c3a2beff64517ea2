// One process of a fleet: does what its one argument says, and tells in JSON lines what happens.

import type { EngineOptions, Workflow } from 'fuseline';
import { ProcessEngine } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { dyingUnsynced } from './crash/unsynced.ts';
import { flows } from './flows.ts';

export interface Task {
  readonly directory: string;
  readonly witness: string;
  readonly what: 'start' | 'work' | 'run' | 'result' | 'dispatch';
  /** The workflows a worker brings; the first is the one to run or dispatch. */
  readonly workflows: readonly (keyof ReturnType<typeof flows>)[];
  readonly run?: string;
  readonly input?: unknown;
  readonly engine?: EngineOptions;
  /** Sent SIGUSR2, it dies between its next write of a commit and the sync of it. */
  readonly dies?: 'unsynced';
  /** Tells how much of a processor was used between two moments after it was ready, or began to work on its run. */
  readonly measureMs?: readonly [from: number, to: number];
}

const tell = (line: Readonly<Record<string, unknown>>) => process.stdout.write(`${JSON.stringify(line)}\n`);
const {
  directory,
  witness,
  what,
  workflows,
  run,
  input,
  engine: options,
  dies,
  measureMs,
} = JSON.parse(process.argv[2] as string) as Task;
const known = flows(witness);
const storage = new FileStorage(directory, dies ? { files: dyingUnsynced() } : {});
const definitions = workflows.map((name) => known[name] as unknown as Workflow<unknown, unknown>);
const first = definitions[0] as Workflow<unknown, unknown>;
const engine = new ProcessEngine(definitions, storage, options);
for (const event of ['started', 'finished', 'stale', 'stranded', 'worker-lost', 'disowned', 'error'] as const)
  engine.on(event, (about) => tell({ type: event, ...about, ...('error' in about && { error: String(about.error) }) }));

const measure = ([from, to]: NonNullable<Task['measureMs']>) => {
  setTimeout(() => {
    const before = process.cpuUsage();
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before);
      tell({ type: 'cpu', share: (user + system) / 1000 / (to - from) });
    }, to - from).unref();
  }, from).unref();
};

switch (what) {
  case 'start':
    await engine.start();
    process.once('SIGTERM', () => void engine.stop());
    tell({ type: 'ready' });
    if (measureMs) measure(measureMs);
    break;
  case 'work':
    if (measureMs) engine.on('started', () => measure(measureMs));
    tell({ type: 'ready' });
    tell({ type: 'report', ...(await engine.work(run)) });
    break;
  case 'run':
    tell({ type: 'result', result: await first.run(input, { storage, ...(run !== undefined && { id: run }) }) });
    break;
  case 'result':
    tell({ type: 'ready' });
    tell({ type: 'result', result: await first.get(run as string, { storage }).result() });
    break;
  case 'dispatch':
    try {
      const { id } = await first.dispatch(input, { storage, ...(run !== undefined && { id: run }) });
      tell({ type: 'dispatched', id });
    } catch (error) {
      tell({ type: 'refused', code: (error as { code?: string }).code });
    }
}
