import * as fs from 'node:fs';

export interface RawFigures {
  readonly ms: number;
  readonly bytes: number;
  readonly syncs: number;
}

export type Sync = 'fdatasyncSync' | 'fdatasync';

/** The least a program can do that has every line on disk before it writes the next one. */
export async function rawLoop(path: string, lines: number, lineBytes: number, sync: Sync): Promise<RawFigures> {
  const line = Buffer.from(`${'x'.repeat(lineBytes - 1)}\n`);
  const fd = fs.openSync(path, 'a');
  const since = performance.now();
  for (let i = 0; i < lines; i++) {
    fs.writeSync(fd, line);
    if (sync === 'fdatasyncSync') fs.fdatasyncSync(fd);
    else await datasync(fd);
  }
  const ms = performance.now() - since;
  fs.closeSync(fd);
  return { ms, bytes: lines * lineBytes, syncs: lines };
}

/** Which way to sync is the faster one here; the trials take turns, so that a busy moment of the disk hits both. */
export async function fasterSync(path: string, lineBytes: number): Promise<Sync> {
  const ms = { fdatasyncSync: 0, fdatasync: 0 };
  for (let trial = 0; trial < 6; trial++) {
    const sync: Sync = trial % 2 === 0 ? 'fdatasyncSync' : 'fdatasync';
    ms[sync] += (await rawLoop(path, 100, lineBytes, sync)).ms;
  }
  return ms.fdatasyncSync <= ms.fdatasync ? 'fdatasyncSync' : 'fdatasync';
}

function datasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
}
