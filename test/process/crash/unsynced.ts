import { writeSync } from 'node:fs';
import { type Files, nodeFiles } from '../../../src/adapters/node-file/files.ts';

/**
 * The file operations of a process that dies, once it was sent SIGUSR2, between its next write of a commit and the sync
 * of that write. It tells of it first.
 */
export function dyingUnsynced(): Files {
  let isToDie = false;
  const unsynced = new Map<number, number>();
  process.on('SIGUSR2', () => {
    isToDie = true;
  });
  const beforeSync = (fd: number): void => {
    const bytes = unsynced.get(fd);
    unsynced.delete(fd);
    if (!isToDie || bytes === undefined) return;
    writeSync(process.stdout.fd, `${JSON.stringify({ type: 'unsynced', bytes })}\n`);
    process.kill(process.pid, 'SIGKILL');
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  return {
    ...nodeFiles,
    write(fd, from, length) {
      const written = nodeFiles.write(fd, from, length);
      unsynced.set(fd, (unsynced.get(fd) ?? 0) + written);
      return written;
    },
    datasync(fd, done) {
      beforeSync(fd);
      nodeFiles.datasync(fd, done);
    },
    datasyncNow(fd) {
      beforeSync(fd);
      nodeFiles.datasyncNow?.(fd);
    },
  };
}
