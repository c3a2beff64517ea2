import { fork } from 'node:child_process';

/** What processes of a file are started for; each answers with what its task returns. */
export type Tasks = Readonly<Record<string, (...args: never) => unknown>>;

/** Answers a task from a process of its own, which is gone with all it had open once it has answered. */
export function inProcessesOf<T extends Tasks>(
  file: string,
): <K extends keyof T & string>(task: K, ...args: Parameters<T[K]>) => Promise<Awaited<ReturnType<T[K]>>> {
  return (task, ...args) =>
    new Promise((resolve, reject) => {
      const child = fork(file, [task, JSON.stringify(args)]);
      let answer: readonly unknown[] | undefined;
      child.once('message', (answered) => {
        answer = answered as readonly unknown[];
        child.kill('SIGKILL');
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        if (answer) resolve(answer[0] as never);
        else reject(new Error(`the process that was to ${task} ended with ${code} and said nothing`));
      });
    });
}

/** Does the task this process of the file was started for, if it was for one. */
export async function doTask(file: string, tasks: Tasks): Promise<void> {
  if (process.argv[1] !== file || !process.send) return;
  const [task, args] = process.argv.slice(2) as [string, string];
  const run = tasks[task] as (...args: readonly unknown[]) => unknown;
  process.send([await run(...JSON.parse(args))]);
}
