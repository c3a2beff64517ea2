import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryEvent } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { onTestFinished } from 'vitest';
import { flows, GO, type Note } from './flows.ts';
import type { Task } from './member.ts';

export interface Line {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A child process, and what it has told. */
export interface Member {
  readonly pid: number;
  readonly lines: readonly Line[];
  readonly stderr: () => string;
  /** Waits until it has told something of this type, now or earlier. */
  told(type: string, matches?: (line: Line) => boolean): Promise<Line>;
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, once it has ended; `null` if it was killed. */
  readonly ended: Promise<number | null>;
}

/**
 * A directory, the witness of what bodies did beside it, and the processes that share it; all gone with the test. One
 * that runs beside others hands in its own `onTestFinished`.
 */
export function fleet(onFinished: typeof onTestFinished = onTestFinished) {
  const home = mkdtempSync(join(tmpdir(), 'fuseline-fleet-'));
  const witness = join(home, 'witness');
  const directory = join(home, 'runs');
  const members = new Set<ChildProcess>();
  const storages: FileStorage[] = [];

  const open = (): FileStorage => {
    const storage = new FileStorage(directory);
    storages.push(storage);
    return storage;
  };
  const start = (task: Omit<Task, 'directory' | 'witness'>): Member => {
    const text = JSON.stringify({ directory, witness, ...task } satisfies Task);
    const child = spawn(process.execPath, ['--import', './scripts/typescript.mjs', 'test/process/member.ts', text], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    members.add(child);
    const lines: Line[] = [];
    const waiting = new Set<() => void>();
    let stderr = '';
    child.stderr.on('data', (text) => (stderr += text));
    const wake = () => {
      for (const one of waiting) one();
    };
    createInterface(child.stdout).on('line', (line) => {
      lines.push(JSON.parse(line) as Line);
      wake();
    });
    const ended = once(child, 'close').then(([code]) => {
      members.delete(child);
      wake();
      return code as number | null;
    });
    return {
      pid: child.pid as number,
      lines,
      stderr: () => stderr,
      ended,
      signal: (signal) => void child.kill(signal),
      async told(type, matches = () => true) {
        for (;;) {
          const line = lines.find((one) => one.type === type && matches(one));
          if (line) return line;
          if (!members.has(child)) throw new Error(`the process ended without telling "${type}": ${stderr}`);
          await new Promise<void>((resolve) => {
            const one = () => {
              waiting.delete(one);
              resolve();
            };
            waiting.add(one);
          });
        }
      },
    };
  };
  const notes = tail(witness);

  onFinished(async () => {
    for (const child of members) child.kill('SIGKILL');
    await Promise.all(storages.map((storage) => storage.close()));
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });

  return {
    directory,
    flows: flows(witness),
    open,
    start,
    notes,
    /** Waits for a note. */
    noted: async (matches: (note: Note) => boolean): Promise<Note> =>
      until(() => notes().find(matches), 'a note of a body'),
    /** Lets every held body end. */
    letGo: () => writeFileSync(witness + GO, ''),
  };
}

/** What bodies have noted so far. Looked at often: only what is new is read. */
function tail(witness: string): () => readonly Note[] {
  const notes: Note[] = [];
  let offset = 0;
  return () => {
    const size = statSync(witness, { throwIfNoEntry: false })?.size ?? 0;
    if (size === offset) return notes;
    const bytes = Buffer.alloc(size - offset);
    const fd = openSync(witness, 'r');
    readSync(fd, bytes, 0, bytes.length, offset);
    closeSync(fd);
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    offset += whole.length;
    for (const line of whole.toString().split('\n')) if (line.endsWith('}')) notes.push(JSON.parse(line) as Note);
    return notes;
  };
}

/** Below what a test may take, so that what it waits for is said. */
const PATIENCE_MS = 100_000;

/** Waits until there is something to hand back. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(5)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

export async function historyOf(storage: FileStorage, run: string): Promise<readonly HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const event of storage.history(run)) events.push(event);
  return events;
}

/**
 * What the journal says of every step's recorded results: exactly one, by the attempt that was claimed last, whose body
 * the witness saw.
 */
export function resultsOf(history: readonly HistoryEvent[]): ReadonlyMap<string, readonly number[]> {
  const claimed = new Map<string, number>();
  const results = new Map<string, number[]>();
  for (const event of history) {
    if (event.type === 'claimed') claimed.set(event.step, event.attempt);
    if (event.type === 'succeeded')
      results.set(event.step, [...(results.get(event.step) ?? []), claimed.get(event.step) as number]);
  }
  return results;
}

/** What a measurement gave, for whoever reads the test's output. */
export function measured(what: string, value: number, unit = 'ms'): number {
  console.log(`measured: ${what}: ${value.toFixed(unit === 'ms' || Number.isInteger(value) ? 0 : 4)} ${unit}`);
  return value;
}
