import { setTimeout as sleep } from 'node:timers/promises';
import { type Member, until } from '../fleet.ts';
import type { Note } from '../flows.ts';

/** What was done to a worker that held claims: the attempts whose bodies had begun and not ended. */
export interface Blow {
  readonly kind: 'kill' | 'kill before a sync' | 'kill of all at once' | 'short stop' | 'long stop';
  readonly pids: readonly number[];
  readonly held: readonly string[];
}

export interface Killer {
  /** Only those that landed while the victim held a claim; but of a kill before a sync it is the write that counts. */
  readonly blows: readonly Blow[];
  /** Processes that died, with a claim or without. */
  readonly dead: ReadonlySet<number>;
  /** Attempts whose workers were stopped for so long that others took over, and which ended all the same. */
  readonly late: readonly string[];
  strike(kind: Blow['kind']): Promise<void>;
  /** Asks the workers to leave. Their exit codes. */
  dismiss(): Promise<readonly (number | null)[]>;
}

export const attemptOf = ({ run, step, attempt }: Pick<Note, 'run' | 'step' | 'attempt'>): string =>
  `${run}/${step}/${attempt}`;

/** Keeps so many workers alive, except for what it does to them. */
export function killer(size: number, spawn: () => Member, notes: () => readonly Note[], random: () => number): Killer {
  const workers = new Set(Array.from({ length: size }, spawn));
  /** A worker that is stopped for long, and one that lives to see it. */
  const spared = new Set<Member>();
  const blows: Blow[] = [];
  const late: string[] = [];
  const dead = new Set<number>();

  const heldBy = (...victims: readonly Member[]): readonly string[] => {
    const held = new Set<string>();
    for (const note of notes())
      if (victims.some(({ pid }) => pid === note.pid)) {
        if (note.what === 'begin') held.add(attemptOf(note));
        else held.delete(attemptOf(note));
      }
    return [...held];
  };
  const aBusyOne = (): Promise<Member> =>
    until(() => {
      const busy = [...workers].filter((worker) => !spared.has(worker) && heldBy(worker).length > 0);
      return busy[Math.floor(random() * busy.length)];
    }, 'a worker with a claim');
  const landed = (kind: Blow['kind'], held: readonly string[], ...victims: readonly Member[]): true => {
    blows.push({ kind, pids: victims.map(({ pid }) => pid), held });
    return true;
  };
  const buried = async (...victims: readonly Member[]): Promise<void> => {
    await Promise.all(victims.map(({ ended }) => ended));
    for (const victim of victims) {
      workers.delete(victim);
      workers.add(spawn());
      dead.add(victim.pid);
    }
  };

  /** Each answers whether the victim held a claim; what it held is read once it cannot go on. */
  const blowsOf: Readonly<Record<Blow['kind'], () => Promise<boolean>>> = {
    async kill() {
      const victim = await aBusyOne();
      victim.signal('SIGKILL');
      await buried(victim);
      const held = heldBy(victim);
      return held.length > 0 && landed('kill', held, victim);
    },
    async 'kill before a sync'() {
      const victim = await aBusyOne();
      victim.signal('SIGUSR2');
      await victim.told('unsynced');
      await buried(victim);
      return landed('kill before a sync', heldBy(victim), victim);
    },
    async 'kill of all at once'() {
      await aBusyOne();
      const victims = [...workers];
      for (const victim of victims) victim.signal('SIGKILL');
      await buried(...victims);
      const held = heldBy(...victims);
      return held.length > 0 && landed('kill of all at once', held, ...victims);
    },
    async 'short stop'() {
      const victim = await aBusyOne();
      victim.signal('SIGSTOP');
      await sleep(100 + random() * 300);
      const held = heldBy(victim);
      victim.signal('SIGCONT');
      await until(() => held.every((attempt) => !heldBy(victim).includes(attempt)) || undefined, 'it to go on');
      return held.length > 0 && landed('short stop', held, victim);
    },
    async 'long stop'() {
      const victim = await aBusyOne();
      const observer = [...workers].find((worker) => worker !== victim && !spared.has(worker)) as Member;
      for (const one of [victim, observer]) spared.add(one);
      victim.signal('SIGSTOP');
      await sleep(100);
      const held = heldBy(victim);
      if (held.length > 0) await until(() => held.some(isTakenOver) || undefined, 'others to take over');
      victim.signal('SIGCONT');
      if (held.length > 0) await victim.told('disowned');
      for (const note of notes())
        if (note.pid === victim.pid && note.what === 'end' && held.includes(attemptOf(note)))
          late.push(attemptOf(note));
      for (const one of [victim, observer]) spared.delete(one);
      return held.length > 0 && landed('long stop', held, victim);
    },
  };
  /** Whether the attempt after it has begun. */
  const isTakenOver = (attempt: string): boolean => {
    const at = attempt.lastIndexOf('/') + 1;
    const next = `${attempt.slice(0, at)}${Number(attempt.slice(at)) + 1}`;
    return notes().some((note) => attemptOf(note) === next);
  };

  return {
    blows,
    late,
    dead,
    async strike(kind) {
      while (!(await blowsOf[kind]()));
    },
    async dismiss() {
      for (const worker of workers) {
        await worker.told('ready');
        worker.signal('SIGTERM');
      }
      return Promise.all([...workers].map(({ ended }) => ended));
    },
  };
}
