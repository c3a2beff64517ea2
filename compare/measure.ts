import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from './child.ts';
import type { Engine } from './engine.ts';
import { end, startChild } from './processes.ts';
import { type Figure, median } from './results.ts';
import type { Services } from './services.ts';
import type { Task } from './tasks.ts';

export interface Workload {
  readonly name: string;
  readonly tasks: readonly Task[];
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'chain 200', tasks: [{ kind: 'chain', size: 200 }] },
  { name: 'chain 1,000', tasks: [{ kind: 'chain', size: 1000 }] },
  { name: 'fan 200', tasks: [{ kind: 'fan', size: 200 }] },
  { name: 'fan 1,000', tasks: [{ kind: 'fan', size: 1000 }] },
  { name: '500 short runs', tasks: Array.from({ length: 500 }, (): Task => ({ kind: 'short', size: 3 })) },
];

const ROUNDS = 3;
const LIMITS: Limits = { enoughMs: 5_000, most: 25, quickMs: 1_000 };
const LIMIT_MS = 120_000;
/** Syncs of a round that takes longer are not counted: the trace would make it longer still. */
const TRACE_UP_TO_MS = 10_000;

/** One process for each measurement, and one more, under trace, that counts syncs. */
export async function measure(
  engine: Engine,
  workload: Workload,
  directory: string,
  services: Services,
): Promise<Figure> {
  const steps = workload.tasks.reduce((total, { size }) => total + size, 0);
  const about = { workload: workload.name, steps };
  const timed = await rounds(engine, workload, directory, await services.url(engine.service, 'plain'), ROUNDS, LIMITS);
  const ms = timed.rounds.length === 0 ? undefined : median(timed.rounds.map(({ ms }) => ms));
  if (ms === undefined) {
    if (timed.stopped === undefined)
      return { ...about, stepsPerSecond: 0, rounds: 0, failed: timed.failed ?? 'no word' };
    const { stopped } = timed;
    return { ...about, stepsPerSecond: (stopped.steps / stopped.ms) * 1000, rounds: 0, stoppedAfterMs: stopped.ms };
  }
  const figure = { ...about, stepsPerSecond: (steps / ms) * 1000, rounds: timed.rounds.length };
  if (!services.canTrace || ms > TRACE_UP_TO_MS) return figure;
  const trace = join(directory, `${workload.name}.trace`);
  const url = await services.url(engine.service, 'traced');
  const once: Limits = { ...LIMITS, most: 1 };
  const counted = await rounds(
    engine,
    workload,
    directory,
    url,
    1,
    once,
    engine.service === undefined ? trace : undefined,
  );
  const [round] = counted.rounds;
  if (!round) return figure;
  const traces = engine.service === undefined ? trace : services.traceOf(engine.service);
  return { ...figure, syncsPerStep: syncsBetween(traces, round.from, round.until) / steps };
}

interface Rounds {
  readonly rounds: readonly { readonly ms: number; readonly from: number; readonly until: number }[];
  readonly stopped?: { readonly ms: number; readonly steps: number };
  readonly failed?: string;
}

let rooms = 0;

async function rounds(
  engine: Engine,
  workload: Workload,
  parent: string,
  url: string,
  count: number,
  limits: Limits,
  trace?: string,
): Promise<Rounds> {
  const directory = join(parent, `room-${rooms++}`);
  mkdirSync(directory);
  const measured: { ms: number; from: number; until: number }[] = [];
  let begun = 0;
  let steps = 0;
  let finished: (() => void) | undefined;
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const job = { kind: 'measure', tasks: workload.tasks, rounds: count, limits } as const;
  const child = startChild({ engine: engine.name, directory, url, job }, trace, (said) => {
    if (said.kind === 'begun') begun = said.at;
    if (said.kind === 'at') steps = said.steps;
    if (said.kind === 'round') measured.push({ ms: said.ms, from: said.from, until: said.until });
    if (said.kind === 'measured') finished?.();
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'limit'>((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS, 'limit');
  });
  const how = await Promise.race([done, child.ended.then((failed) => ({ failed })), limit]);
  clearTimeout(timer);
  await end(child);
  if (how === 'limit')
    return { rounds: measured, stopped: { ms: performance.timeOrigin + performance.now() - begun, steps } };
  return { rounds: measured, ...(how && { failed: how.failed ?? 'it ended before the work did' }) };
}

function syncsBetween(file: string, from: number, until: number): number {
  if (!existsSync(file)) return Number.NaN;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => {
      const at = Number(/^\d+ +(\d+\.\d+) (?!<\.\.\.)/.exec(line)?.[1]) * 1000;
      return at >= from && at <= until;
    }).length;
}
