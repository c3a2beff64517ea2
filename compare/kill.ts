import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { type Child, end, startChild } from './processes.ts';

const LOOK_MS = 10;
const START_MS = 30_000;
/** In the middle of the step, and long after the other worker has settled. */
const INTO_THE_STEP_MS = 1_500;
/** The longest default lease is two minutes. */
export const WAIT_MS = 180_000;

/** Kills the process that is in the middle of a step; resolves then, with what will tell how long the step lay still. */
export async function killOnce(
  engine: Engine,
  directory: string,
  url: string,
): Promise<{ readonly again: Promise<number | undefined> }> {
  mkdirSync(directory);
  const witness = join(directory, 'witness');
  const children: Child[] = [];
  const start = (kind: 'work' | 'start and work') => {
    const child = startChild({ engine: engine.name, directory, url, job: { kind, witness } }, undefined, () => {});
    children.push(child);
    return child;
  };
  start('start and work');
  const first = await begun(witness, undefined, START_MS);
  if (!first) {
    const told = await Promise.race([children[0]?.ended, sleep(10)]);
    await Promise.all(children.map(end));
    throw new Error(`the step did not begin: ${told ?? 'no word'}`);
  }
  if (engine.takeover === 'another worker') start('work');
  await sleep(INTO_THE_STEP_MS);
  process.kill(first.pid, 'SIGKILL');
  const killed = Date.now();
  if (engine.takeover === 'a restart') start('work');
  const again = begun(witness, first.pid, WAIT_MS).then(async (second) => {
    await Promise.all(children.map(end));
    return second && second.at - killed;
  });
  return { again };
}

/** Who began the step, other than `victim`, and when. */
async function begun(
  witness: string,
  victim: number | undefined,
  withinMs: number,
): Promise<{ readonly pid: number; readonly at: number } | undefined> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(LOOK_MS)) {
    const lines = existsSync(witness) ? readFileSync(witness, 'utf8').split('\n').slice(0, -1) : [];
    const all = lines.map((line) => line.split(' ').map(Number) as [number, number]);
    const found = all.find(([pid]) => pid !== victim);
    if (found) return { pid: found[0], at: found[1] };
  }
  return undefined;
}
