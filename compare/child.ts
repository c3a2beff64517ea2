import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Room, Session } from './engine.ts';
import { edgeEngines, engines } from './engines.ts';
import { countSteps, expected, type Result, type Task } from './tasks.ts';

/** What the process that measures is told. */
export interface Order {
  readonly engine: string;
  readonly directory: string;
  readonly url: string;
  readonly job:
    | { readonly kind: 'measure'; readonly tasks: readonly Task[]; readonly rounds: number; readonly limits: Limits }
    | { readonly kind: 'work' | 'start and work'; readonly witness: string };
}

/** When no further round begins. */
export interface Limits {
  readonly enoughMs: number;
  /** Quick workloads have more rounds: so many at most, and in this time. */
  readonly most: number;
  readonly quickMs: number;
}

/** What it says. */
export type Said =
  | { readonly kind: 'begun'; readonly at: number }
  | { readonly kind: 'at'; readonly steps: number }
  | { readonly kind: 'round'; readonly ms: number; readonly from: number; readonly until: number }
  | { readonly kind: 'measured' }
  | { readonly kind: 'working' };

const TELL_MS = 500;
/** Known to the compiler, and connections made, before the clock starts: a single pass leaves code cold that is quick. */
const WARM_MS = 1_000;
const WARM_UP: readonly Task[] = [
  { kind: 'chain', size: 20 },
  { kind: 'fan', size: 20 },
  ...Array.from({ length: 10 }, (): Task => ({ kind: 'short', size: 3 })),
];

// Who measures is gone: nobody is to be left behind.
process.once('disconnect', () => process.exit(1));

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const engine = [...engines, ...edgeEngines].find(({ name }) => name === order.engine);
if (!engine) throw new Error(`no engine is called ${JSON.stringify(order.engine)}`);
const { job } = order;
const room: Room = {
  directory: order.directory,
  url: order.url,
  async held(): Promise<Result> {
    if (job.kind === 'measure') throw new Error('nobody measures a step that does not end');
    appendFileSync(job.witness, `${process.pid} ${Date.now()}\n`);
    return await sleep(600_000, { value: 1 });
  },
};
const session = await engine.open(room);
if (job.kind === 'measure') {
  await measure(session, job.tasks, job.rounds, job.limits);
  say({ kind: 'measured' });
} else {
  if (job.kind === 'start and work') await session.start({ kind: 'held', size: 1 });
  // Some work as long as they are awaited.
  void session.work();
  say({ kind: 'working' });
}

async function measure(session: Session, tasks: readonly Task[], rounds: number, limits: Limits): Promise<void> {
  const coldSince = performance.now();
  do {
    await runRight(session, WARM_UP);
    await session.rest?.();
  } while (performance.now() - coldSince < WARM_MS);
  countSteps(stepsTold());
  const since = performance.now();
  const goesOn = (done: number): boolean => {
    const took = performance.now() - since;
    return done < rounds ? took < limits.enoughMs : done < limits.most && took < limits.quickMs;
  };
  for (let done = 0; goesOn(done); done++) {
    const from = now();
    say({ kind: 'begun', at: from });
    await runRight(session, tasks);
    const until = now();
    say({ kind: 'round', ms: until - from, from, until });
    await session.rest?.();
  }
}

async function runRight(session: Session, tasks: readonly Task[]): Promise<void> {
  const values = await session.run(tasks);
  for (const [i, task] of tasks.entries()) {
    if (values[i] !== expected(task)) {
      throw new Error(
        `${order.engine}: ${task.kind} of ${task.size} came to ${values[i]} instead of ${expected(task)}`,
      );
    }
  }
}

/** An engine that never leaves its stack still tells how far it came. */
function stepsTold(): () => void {
  let steps = 0;
  let told = performance.now();
  return () => {
    steps++;
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    say({ kind: 'at', steps });
  };
}

/** By the clock of the wall, which the trace of system calls has too. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function say(said: Said): void {
  process.send?.(said);
}
