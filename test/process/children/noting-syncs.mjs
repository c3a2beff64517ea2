// File operations that note, beside the storage, how much of each file has reached the disk.
import { appendFileSync } from 'node:fs';
import { nodeFiles } from '../../../dist/adapters/node-file/files.js';

export function notingSyncs(notes) {
  const paths = new Map();
  const noting = (fd) => {
    // What another process appends while the disk works need not be covered.
    const { size } = nodeFiles.fstat(fd);
    return () => appendFileSync(notes, `${JSON.stringify([paths.get(fd), size])}\n`);
  };
  return {
    ...nodeFiles,
    open(path, flags) {
      const fd = nodeFiles.open(path, flags);
      paths.set(fd, path);
      return fd;
    },
    sync(fd) {
      const note = noting(fd);
      nodeFiles.sync(fd);
      note();
    },
    datasync(fd, done) {
      const note = noting(fd);
      nodeFiles.datasync(fd, (error) => {
        if (!error) note();
        done(error);
      });
    },
    datasyncNow(fd) {
      const note = noting(fd);
      nodeFiles.datasyncNow(fd);
      note();
    },
  };
}
