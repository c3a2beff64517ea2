import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, NonRetryableError } from 'fuseline';
import type { Task } from './workflow.ts';

/** Every file of a folder, grouped by the folder it lies in. It travels between steps, so it says no more than they need. */
export interface Listing {
  readonly folders: readonly Folder[];
  readonly count: number;
  readonly bytes: number;
  readonly leftOut: LeftOut;
}

export interface Folder {
  /** Relative, with `/`; the top is `''`. */
  readonly path: string;
  readonly files: readonly (readonly [name: string, bytes: number])[];
}

export interface LeftOut {
  /** What packages, builds and version control keep for themselves. */
  readonly junk: readonly string[];
  /** Not followed: their targets are counted where they lie. */
  readonly links: number;
  /** Sockets, pipes, devices. */
  readonly others: number;
  readonly unreadable: readonly Unreadable[];
  /** Folders that were not looked into because the listing was full. */
  readonly beyond: number;
}

export interface Unreadable {
  readonly path: string;
  /** `EACCES`, `EIO` … */
  readonly reason: string;
}

export interface File {
  readonly path: string;
  readonly bytes: number;
}

const JUNK = new Set(
  '.git .hg .svn node_modules bower_components vendor dist build out target coverage .tsbuild .next .nuxt .turbo .cache .wrangler .gradle .venv venv __pycache__ .tox .mypy_cache .pytest_cache .DS_Store'.split(
    ' ',
  ),
);

/** Characters of names, about a quarter of a million files: a value of a step has to fit into the storage. */
const ROOM = 10_000_000;
const FILE_COSTS = 24;
const TOP = 10;

export async function scan({ task }: { readonly task: Task }, { signal, heartbeat }: Context): Promise<Listing> {
  const leaveOut = new Set(task.leaveOut);
  const folders: Folder[] = [];
  const junk: string[] = [];
  const unreadable: Unreadable[] = [];
  let [count, bytes, links, others, beyond, room] = [0, 0, 0, 0, 0, ROOM];
  const open = [''];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    signal.throwIfAborted();
    const at = join(task.folder, path);
    const entries = await readdir(at, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (path === '')
        throw new NonRetryableError(`${at} is not a folder that can be read: ${error.code}`, { cause: error });
      if (error.code !== 'ENOENT') unreadable.push({ path: `${path}/`, reason: error.code ?? error.message });
      return [];
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const files: [string, number][] = [];
    const inside: string[] = [];
    for (const entry of entries) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isSymbolicLink()) links++;
      else if (JUNK.has(entry.name)) junk.push(child);
      else if (entry.isDirectory()) leaveOut.has(join(task.folder, child)) || inside.push(child);
      else if (entry.isFile()) files.push([entry.name, 0]);
      else others++;
    }
    await Promise.all(files.map(async (file) => (file[1] = await bytesOf(join(at, file[0])))));
    const there = files.filter(([, size]) => size >= 0);
    room -= path.length + there.reduce((sum, [name]) => sum + name.length + FILE_COSTS, 0);
    if (room < 0) {
      beyond += 1 + inside.length;
      continue;
    }
    if (there.length > 0) folders.push({ path, files: there });
    count += there.length;
    bytes += there.reduce((sum, [, size]) => sum + size, 0);
    open.push(...inside.reverse());
    heartbeat(`${count} files`);
  }
  return { folders, count, bytes, leftOut: { junk, links, others, unreadable, beyond } };
}

/** Negative when the file has gone since its folder was read. */
async function bytesOf(path: string): Promise<number> {
  return lstat(path).then(
    ({ size }) => size,
    () => -1,
  );
}

export function filesOf({ folders }: Pick<Listing, 'folders'>): File[] {
  return folders.flatMap(({ path, files }) =>
    files.map(([name, bytes]) => ({ path: path === '' ? name : `${path}/${name}`, bytes })),
  );
}

export function largestOf(listing: Listing): readonly File[] {
  return filesOf(listing)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, TOP);
}
