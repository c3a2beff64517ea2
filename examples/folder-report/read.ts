import { open } from 'node:fs/promises';

/** Between the scan and the reading of a file it may vanish, or turn out to be closed to us: results, not errors. */
export type Reading<T> =
  | { readonly status: 'read'; readonly value: T }
  | { readonly status: 'vanished' }
  | { readonly status: 'unreadable'; readonly reason: string };

const PIECE_BYTES = 64 * 1024;
const AT_ONCE = 8;

/** Reads a file piece by piece, however large it is. `read` may stop early, and must not keep a piece: the next one overwrites it. */
export async function readFile<T>(
  path: string,
  signal: AbortSignal,
  read: (pieces: AsyncIterable<Buffer>) => Promise<T>,
): Promise<Reading<T>> {
  try {
    return { status: 'read', value: await read(pieces(path, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { status: 'vanished' } : { status: 'unreadable', reason: code };
  }
}

async function* pieces(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      signal.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}

/** Does `each` for all of them, a few at a time; the results stand in the order of the items. */
export async function forEachOf<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const lane = async () => {
    for (const [at, item] of rest) results[at] = await each(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}
