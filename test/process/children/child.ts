import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A program of this folder in a process of its own. */
export interface Child {
  readonly pid: number;
  /** Complete lines it wrote so far. A line cut short by a kill is not among them. */
  lines(): readonly string[];
  /** Resolves when it wrote as many lines; rejects if it ends before. */
  wrote(count: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  say(line: string): void;
  /** No more lines are said. */
  hangUp(): void;
  /** Resolves when it has ended, to its exit code, or `null` if a signal ended it. */
  readonly ended: Promise<number | null>;
}

export function start(program: string, ...args: readonly string[]): Child {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  let wake = (): void => undefined;
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  const lines = () => text.split('\n').slice(0, -1);
  const ended = once(child, 'close').then(([code]) => {
    wake();
    return code as number | null;
  });
  let isOver = false;
  ended.then(() => {
    isOver = true;
    wake();
  });
  return {
    pid: child.pid as number,
    lines,
    async wrote(count) {
      while (lines().length < count) {
        if (isOver) throw new Error(`${program} ended after ${lines().length} lines of ${count}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    signal: (signal) => void child.kill(signal),
    say: (line) => void child.stdin?.write(`${line}\n`),
    hangUp: () => void child.stdin?.end(),
    ended,
  };
}
