import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { copySources } from './copy.ts';
import type { Fault } from './fault.ts';

/** What the process that runs the worlds says of them. */
export type News =
  | { readonly type: 'begins'; readonly seed: number }
  | { readonly type: 'caught'; readonly seed: number; readonly invariant: string; readonly message: string }
  | { readonly type: 'clean' };

export type Catch =
  | { readonly status: 'caught'; readonly seed: number; readonly invariant: string; readonly message: string }
  | { readonly status: 'not caught' };

/** A world takes some milliseconds. */
const HANG_MS = 60_000;

/** Runs the worlds of seeds 1 to `worlds` in a process of their own, on a copy of the sources, until one is wrong. */
export async function hunt(fault: Fault | undefined, kind: Fault['worlds'], worlds: number): Promise<Catch> {
  const copy = copySources(fault);
  const child = fork(join(import.meta.dirname, 'worlds.ts'), [copy.directory, kind, String(worlds)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  try {
    return await watch(child);
  } finally {
    child.kill('SIGKILL');
    copy.remove();
  }
}

function watch(child: ChildProcess): Promise<Catch> {
  return new Promise((resolve) => {
    let seed = 0;
    let said = '';
    const caught = (invariant: string, message: string): void =>
      resolve({ status: 'caught', seed, invariant, message });
    const hung = () => caught('a world comes to its end', `nothing happened for ${HANG_MS / 1000} s`);
    let timer = setTimeout(hung, HANG_MS);
    child.stderr?.on('data', (text) => {
      said += text;
    });
    child.on('message', (news: News) => {
      clearTimeout(timer);
      if (news.type === 'clean') return resolve({ status: 'not caught' });
      seed = news.seed;
      if (news.type === 'caught') return caught(news.invariant, news.message);
      timer = setTimeout(hung, HANG_MS);
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      caught('a process goes on', `it ended with ${code}: ${said.trim()}`);
    });
  });
}
