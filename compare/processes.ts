import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Order, Said } from './child.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const TRACER = 'strace';
const TRACED = 'fsync,fdatasync,sync_file_range,msync';

/** Until what a process said before its end has come through. */
const LAST_WORDS_MS = 50;

/** Whether this machine has the command. */
export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A command line whose syncs, and those of all its children, are written down with their time. */
export function traced(file: string, command: readonly string[]): readonly [string, ...string[]] {
  return [
    TRACER,
    '-f',
    '-qq',
    '-ttt',
    '--seccomp-bpf',
    '-e',
    `trace=${TRACED}`,
    '-e',
    'signal=none',
    '-o',
    file,
    ...command,
  ];
}

export interface Child {
  readonly process: ChildProcess;
  /** What it said last before it ended, when it ended otherwise than well. */
  readonly ended: Promise<string | undefined>;
}

export function startChild(order: Order, trace: string | undefined, onSaid: (said: Said) => void): Child {
  const plain = [process.execPath, ...process.execArgv, CHILD, JSON.stringify(order)] as const;
  const [file, ...args] = trace === undefined ? plain : traced(trace, plain);
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let lastWords = '';
  child.stderr?.on('data', (data) => {
    lastWords = (lastWords + String(data)).slice(-4000);
  });
  child.on('message', (said) => onSaid(said as Said));
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    // Not `close`, which never comes for a child whose channel was closed from here.
    child.once('exit', async (code, signal) => {
      await sleep(LAST_WORDS_MS);
      resolve(code === 0 ? undefined : `${signal ?? `exit ${code}`}: ${reasonIn(lastWords)}`);
    });
  });
  return { process: child, ended };
}

function reasonIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  return (
    lines
      .findLast((line) => /error/i.test(line))
      ?.trim()
      .slice(0, 200) ??
    lines.at(-1)?.trim() ??
    'no word'
  );
}

/** A tracer that is killed leaves behind what it traces; let go of, the child ends, and its tracer with it. */
export async function end({ process: child, ended }: Child): Promise<void> {
  if (child.connected) child.disconnect();
  if (child.spawnfile !== TRACER) child.kill('SIGKILL');
  await ended;
}
