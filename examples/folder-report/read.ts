import { createReadStream } from 'node:fs';

/** Between the scan and the reading of a file it may vanish, or turn out to be closed to us: results, not errors. */
export type Reading<T> =
  | { readonly status: 'read'; readonly value: T }
  | { readonly status: 'vanished' }
  | { readonly status: 'unreadable'; readonly reason: string };

/** Reads a file piece by piece, however large it is. `read` may stop early. */
export async function readFile<T>(
  path: string,
  signal: AbortSignal,
  read: (pieces: AsyncIterable<Buffer>) => Promise<T>,
): Promise<Reading<T>> {
  try {
    return { status: 'read', value: await read(createReadStream(path, { signal })) };
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { status: 'vanished' } : { status: 'unreadable', reason: code };
  }
}
