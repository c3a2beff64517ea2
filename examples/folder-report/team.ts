import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** The processes that work on a run. */
export interface Team {
  /** Of those that live. */
  pids(): readonly number[];
  /** Resolves when none is left. */
  readonly gone: Promise<void>;
  /** Asks them to give back what they hold and go. */
  stop(how: 'SIGTERM' | 'SIGKILL'): void;
}

/** `say` hears what they have to say, and of their deaths. */
export function startTeam(size: number, directory: string, run: string, say: (line: string) => void): Team {
  const members = Array.from({ length: size }, () =>
    spawn(process.execPath, [...process.execArgv, WORKER, directory, run], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  return {
    pids: () =>
      members.flatMap(({ pid, exitCode, signalCode }) =>
        pid !== undefined && exitCode === null && signalCode === null ? [pid] : [],
      ),
    gone: Promise.all(members.map((member) => end(member, say))).then(() => undefined),
    stop: (how) => members.forEach((member) => void member.kill(how)),
  };
}

async function end(member: ChildProcess, say: (line: string) => void): Promise<void> {
  if (member.stderr) createInterface({ input: member.stderr }).on('line', (line) => say(`pid-${member.pid}: ${line}`));
  await new Promise<void>((resolve) => {
    member.once('error', (error) => {
      say(`A worker could not be started: ${error.message}`);
      resolve();
    });
    member.once('close', (code, signal) => {
      if (signal !== null) say(`pid-${member.pid} was killed (${signal}).`);
      else if (code !== 0) say(`pid-${member.pid} ended with ${code}.`);
      resolve();
    });
  });
}
