import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT, type Exit } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import { note } from './streams.ts';
import type { WorkOptions } from './work.ts';

const RESTART_MS = { first: 100, most: 10_000 } as const;
/** A worker that lived so long starts again at once when it dies. */
const SETTLED_MS = 30_000;

/** Codes a worker ends with on purpose; anything else, and every signal, is a death. */
const DELIBERATE: ReadonlySet<number | null> = new Set([
  EXIT.ok,
  EXIT.usage,
  EXIT.stranded,
  EXIT.storage,
  EXIT.interrupted,
]);

/** Keeps so many worker processes at work until they have nothing left to do. */
export async function superviseWorkers(files: readonly string[], options: WorkOptions): Promise<Exit> {
  const supervisor = new Supervisor(files, options);
  const stopHearing = onInterrupt({
    drain() {
      note('draining: the steps under way may finish; Ctrl-C again leaves at once');
      void supervisor.drain().then(() => note('every worker has heard it: nothing new begins'));
    },
    leave() {
      supervisor.kill();
      note('left; what was under way is done again by the next worker');
    },
  });
  try {
    const exits = await Promise.all(Array.from({ length: options.processes }, () => supervisor.keepOne()));
    for (const worst of [EXIT.storage, EXIT.usage, EXIT.interrupted, EXIT.stranded] as const) {
      if (exits.includes(worst)) return worst;
    }
    return EXIT.ok;
  } finally {
    stopHearing();
  }
}

class Supervisor {
  readonly #args: readonly string[];
  readonly #stay: boolean;
  readonly #children = new Set<ChildProcess>();
  #draining = false;
  readonly #wakes = new Set<() => void>();

  constructor(files: readonly string[], options: WorkOptions) {
    const { storage, workflow, concurrency, queue = [], stay, json, verbose } = options;
    this.#stay = stay === true;
    this.#args = [
      'work',
      '--supervised',
      ...['--storage', storage],
      ...(workflow === undefined ? [] : ['--workflow', workflow]),
      ...(concurrency === undefined ? [] : ['--concurrency', String(concurrency)]),
      ...queue.flatMap((name) => ['--queue', name]),
      ...(stay ? ['--stay'] : []),
      ...(json ? ['--json'] : []),
      ...(verbose ? ['--verbose'] : []),
      '--',
      ...files,
    ];
  }

  /** Resolves when no worker begins anything more. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const wake of this.#wakes) wake();
    await Promise.all([...this.#children].map(tellToDrain));
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** One worker process, started again whenever it dies. Answers how it ended at last. */
  async keepOne(): Promise<Exit> {
    for (let wait: number = RESTART_MS.first; !this.#draining; wait = Math.min(wait * 2, RESTART_MS.most)) {
      const startedAt = performance.now();
      const { code, signal, pid } = await this.#once();
      if (DELIBERATE.has(code)) return code as Exit;
      if (this.#draining) break;
      if (performance.now() - startedAt >= SETTLED_MS) wait = RESTART_MS.first;
      note(`worker pid-${pid} died (${signal ?? `exit code ${code}`}); another one starts in ${wait} ms`);
      await this.#pause(wait);
    }
    return this.#stay ? EXIT.ok : EXIT.interrupted;
  }

  #once(): Promise<{ readonly code: number | null; readonly signal: string | null; readonly pid: number | undefined }> {
    const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), this.#args);
    this.#children.add(child);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal, pid: child.pid });
      });
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wakes.add(wake);
    });
  }
}

/** Resolves when it has heard it, or has ended. */
function tellToDrain(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('message', () => resolve());
    child.once('exit', () => resolve());
    // What it cannot be told any more it does not need to hear.
    if (child.connected) child.send('drain', () => undefined);
  });
}
