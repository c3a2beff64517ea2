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
  /** Workers that something is being done to, and one that lives to see a long stop: nothing else happens to them. */
  const taken = new Set<Member>();
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
      const busy = [...workers].filter((worker) => !taken.has(worker) && heldBy(worker).length > 0);
      const one = busy[Math.floor(random() * busy.length)];
      if (one) taken.add(one);
      return one;
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
  const blowsOf: Readonly<Record<Blow['kind'], (victim: Member) => Promise<boolean>>> = {
    async kill(victim) {
      victim.signal('SIGKILL');
      await buried(victim);
      const held = heldBy(victim);
      return held.length > 0 && landed('kill', held, victim);
    },
    async 'kill before a sync'(victim) {
      victim.signal('SIGUSR2');
      await victim.told('unsynced');
      await buried(victim);
      return landed('kill before a sync', heldBy(victim), victim);
    },
    async 'kill of all at once'() {
      const victims = [...workers];
      for (const victim of victims) victim.signal('SIGKILL');
      await buried(...victims);
      const held = heldBy(...victims);
      return held.length > 0 && landed('kill of all at once', held, ...victims);
    },
    async 'short stop'(victim) {
      victim.signal('SIGSTOP');
      await sleep(100 + random() * 300);
      const held = heldBy(victim);
      victim.signal('SIGCONT');
      await until(() => held.every((attempt) => !heldBy(victim).includes(attempt)) || undefined, 'it to go on');
      return held.length > 0 && landed('short stop', held, victim);
    },
    async 'long stop'(victim) {
      const observer = [...workers].find((worker) => !taken.has(worker)) as Member;
      taken.add(observer);
      victim.signal('SIGSTOP');
      await sleep(100);
      const held = heldBy(victim);
      if (held.length > 0) await until(() => held.some(isTakenOver) || undefined, 'others to take over');
      victim.signal('SIGCONT');
      if (held.length > 0) await victim.told('disowned');
      for (const note of notes())
        if (note.pid === victim.pid && note.what === 'end' && held.includes(attemptOf(note)))
          late.push(attemptOf(note));
      taken.delete(observer);
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
      for (let hasLanded = false; !hasLanded; ) {
        const victim = await aBusyOne();
        hasLanded = await blowsOf[kind](victim);
        taken.delete(victim);
      }
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
