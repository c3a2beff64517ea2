import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Context, ProcessEngine, typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { type BenchOptions, type Family, type Goal, spread } from './figures.ts';

const THIS_FILE = fileURLToPath(import.meta.url);
const KILLS = 20;
const MEDIAN: Goal = { of: 'value', at: 'most', limit: 300 };
const WORST: Goal = { of: 'value', at: 'most', limit: 1000 };

type Told = 'idle' | 'inside';

/** Its first attempt never ends: that one's process is killed. */
const held = workflow('held', { input: typed<number>() }, ($) =>
  $.step('hold', { x: $.input }, async ({ x }, { attempt }: Context) => {
    tell('inside');
    if (attempt === 1) await new Promise(() => undefined);
    return x;
  }),
);

export const resume: Family = {
  name: 'resume',
  about: `from the SIGKILL of a process inside a step body until another, idle one is inside the body; ${KILLS} kills`,
  async *measure({ files }: BenchOptions) {
    const directory = (await files()).path();
    const storage = new FileStorage(directory);
    const workers = new Set([worker(directory), worker(directory)]);
    const ms: number[] = [];
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await Promise.all([...workers].map(({ idle }) => idle));
        const inside = Promise.race([...workers].map(async (one) => one.inside().then(() => one)));
        const run = await held.dispatch(kill, { storage });
        const victim = await inside;
        workers.delete(victim);
        const [heir] = workers as Set<Worker>;
        if (!heir) throw new Error('there is nobody to take over');
        const resumed = heir.inside();
        const since = performance.now();
        victim.child.kill('SIGKILL');
        await resumed;
        ms.push(performance.now() - since);
        await run.result();
        workers.add(worker(directory));
      }
    } finally {
      for (const { child } of workers) child.kill('SIGKILL');
      await storage.close();
    }
    const about = { platform: 'file, strict', workload: 'one step, two processes', unit: 'ms' } as const;
    const figures = spread(ms);
    yield { ...about, metric: 'resume', ...figures, goal: MEDIAN };
    yield { ...about, metric: 'worst resume', ...figures, value: figures.max, goal: WORST };
  },
};

interface Worker {
  readonly child: ChildProcess;
  readonly idle: Promise<void>;
  /** Resolves the next time it is inside the body. */
  inside(): Promise<void>;
}

function worker(directory: string): Worker {
  const child = fork(THIS_FILE, [directory]);
  const next = (what: Told): Promise<void> => {
    const arrival = new Promise<void>((resolve, reject) => {
      const listen = (told: unknown) => {
        if (told !== what) return;
        child.off('message', listen);
        resolve();
      };
      child.on('message', listen);
      child.once('exit', (code) => reject(new Error(`a worker ended with ${code} before it was ${what}`)));
    });
    // Nobody waits for a victim any more.
    arrival.catch(() => undefined);
    return arrival;
  };
  return { child, idle: next('idle'), inside: () => next('inside') };
}

function tell(what: Told): void {
  process.send?.(what);
}

if (process.argv[1] === THIS_FILE && process.send) {
  const [directory] = process.argv.slice(2) as [string];
  await new ProcessEngine(held, new FileStorage(directory)).start();
  tell('idle');
}
