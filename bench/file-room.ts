import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FileStorage } from 'fuseline/node';
import { type Figure, type Goal, median, spread } from './figures.ts';
import { fasterSync, type RawFigures, rawLoop, type Sync } from './raw-file.ts';
import { chain, type Load } from './workflows.ts';

/** Beside the sources, because directories for temporary files are often no disk. */
const PARENT = '.tsbuild';

/** Where engine and raw program take turns, and how the raw program has to write to be a fair match. */
export interface FileRoom {
  readonly sync: Sync;
  /** The median line of the engine's log, newline included. */
  readonly lineBytes: number;
  /** A name nobody has used yet. */
  path(): string;
  close(): void;
}

export async function openFileRoom(): Promise<FileRoom> {
  mkdirSync(PARENT, { recursive: true });
  const directory = mkdtempSync(join(PARENT, 'bench-'));
  let names = 0;
  const path = () => join(directory, String(names++));
  const lineBytes = await medianLine(path());
  return {
    sync: await fasterSync(path(), lineBytes),
    lineBytes,
    path,
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface FileGoals {
  /** Speed in terms of the raw program's. */
  readonly speed?: Goal;
}

/** Speed, syncs and bytes of a load beside those of the raw program, turn by turn. */
export async function* againstRaw(
  load: Load,
  rounds: number,
  room: FileRoom,
  goals: FileGoals,
): AsyncGenerator<Figure> {
  const engine: Measured[] = [];
  const raw: RawFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    raw.push(await rawLoop(room.path(), load.steps, room.lineBytes, room.sync));
    engine.push(await onFile(load, room.path(), 'strict'));
  }
  const about = { platform: 'file, strict', workload: load.name } as const;
  const beside = (metric: string, unit: string, own: readonly number[], others: readonly number[]): Figure => {
    const figures = spread(own);
    const compared = median(others);
    return { ...about, metric, unit, ...figures, raw: compared, ratio: figures.value / compared };
  };
  const perSecond = ({ ms }: { readonly ms: number }) => (load.steps / ms) * 1000;
  yield {
    ...beside('speed', 'steps/s', engine.map(perSecond), raw.map(perSecond)),
    ...(goals.speed && { goal: goals.speed }),
  };
  const syncs = ({ syncs }: { readonly syncs: number }) => syncs;
  yield beside('syncs', 'syncs', engine.map(syncs), raw.map(syncs));
  const bytes = ({ bytes }: { readonly bytes: number }) => bytes / 1024;
  yield beside('written', 'kB', engine.map(bytes), raw.map(bytes));
}

export interface Measured extends RawFigures {
  readonly commits: number;
}

/** One load on a storage of its own, which is open and knows the engine's code before the clock starts. */
export async function onFile(load: Load, directory: string, durability: 'strict' | 'relaxed'): Promise<Measured> {
  const storage = new FileStorage(directory, { durability });
  await chain(20).run(storage);
  const before = statsOf(storage);
  const since = performance.now();
  await load.run(storage);
  const ms = performance.now() - since;
  const after = statsOf(storage);
  await storage.close();
  const syncs = after.syncs - before.syncs;
  const groups = after.groups - before.groups;
  if (durability === 'strict' && syncs < groups) {
    throw new Error(
      `${load.name}: ${groups} groups of commits were acknowledged after only ${syncs} syncs; that is a bug of the engine, not a result`,
    );
  }
  return { ms, syncs, bytes: after.bytesWritten - before.bytesWritten, commits: after.commits - before.commits };
}

function statsOf(storage: FileStorage): NonNullable<ReturnType<FileStorage['stats']>> {
  const stats = storage.stats();
  if (!stats) throw new Error(`the storage in ${storage.directory} has not been used yet`);
  return stats;
}

async function medianLine(directory: string): Promise<number> {
  await onFile(chain(200), directory, 'relaxed');
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const lines = logs.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n')).filter(Boolean);
  return Math.round(median(lines.map((line) => Buffer.byteLength(line)))) + 1;
}
