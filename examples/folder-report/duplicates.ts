import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from 'fuseline';
import { inParts } from './parts.ts';
import { forEachOf, readFile } from './read.ts';
import { type File, filesOf, type Listing } from './scan.ts';
import type { Task } from './workflow.ts';

export interface Duplicates {
  /** The most wasteful first. */
  readonly groups: readonly Group[];
  /** Files that could go, over all groups, and the bytes they take. */
  readonly spare: number;
  readonly wasted: number;
  readonly hashed: number;
}

/** Files with the same content. */
export interface Group {
  readonly bytes: number;
  readonly copies: number;
  /** Some of them. */
  readonly paths: readonly string[];
}

const TOP = 10;
const PATHS = 4;

/** Only files that share their size with another one are read. */
export async function findDuplicates(
  { task, files }: { readonly task: Task; readonly files: Listing },
  context: Context,
): Promise<Duplicates> {
  const bySize = new Map<number, File[]>();
  for (const file of filesOf(files)) put(bySize, file.bytes, file);
  bySize.delete(0);
  const worthReading = [...bySize.values()].filter(({ length }) => length > 1);
  const parts = await inParts(worthReading, task, context, async (part) => {
    const found: Duplicates[] = [];
    for (const sameSize of part) found.push(await compare(task.folder, sameSize, context.signal));
    return sum(found);
  });
  return sum(parts);
}

async function compare(folder: string, sameSize: readonly File[], signal: AbortSignal): Promise<Duplicates> {
  const byDigest = new Map<string, File[]>();
  const readings = await forEachOf(sameSize, ({ path }) => readFile(join(folder, path), signal, digestOf));
  for (const [at, file] of sameSize.entries()) {
    const reading = readings[at];
    if (reading?.status === 'read') put(byDigest, reading.value, file);
  }
  const groups = [...byDigest.values()].flatMap((same) =>
    same[1] ? [{ bytes: same[1].bytes, copies: same.length, paths: same.slice(0, PATHS).map(({ path }) => path) }] : [],
  );
  return {
    groups,
    spare: groups.reduce((sum, { copies }) => sum + copies - 1, 0),
    wasted: groups.reduce((sum, group) => sum + waste(group), 0),
    hashed: sameSize.length,
  };
}

function put<K>(groups: Map<K, File[]>, key: K, file: File): void {
  const group = groups.get(key);
  if (group) group.push(file);
  else groups.set(key, [file]);
}

async function digestOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('base64');
}

function sum(found: readonly Duplicates[]): Duplicates {
  return {
    groups: found
      .flatMap(({ groups }) => groups)
      .sort((a, b) => waste(b) - waste(a))
      .slice(0, TOP),
    spare: found.reduce((sum, { spare }) => sum + spare, 0),
    wasted: found.reduce((sum, { wasted }) => sum + wasted, 0),
    hashed: found.reduce((sum, { hashed }) => sum + hashed, 0),
  };
}

function waste({ bytes, copies }: Group): number {
  return bytes * (copies - 1);
}
