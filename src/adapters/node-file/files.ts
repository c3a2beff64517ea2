import * as fs from 'node:fs';

/**
 * The file operations the log is built from, and nothing more, so that a test can make any of them fail, fall short
 * or take long. Everything but `datasync` is synchronous: a hop to the thread pool costs as much as a quick disk does.
 */
export interface Files {
  open(path: string, flags: number): number;
  close(fd: number): void;
  /** Returns how many bytes it read; fewer than asked for only at the end of the file. */
  read(fd: number, into: Uint8Array, length: number, position: number): number;
  /** One system call. Returns how many bytes it wrote, which on a full disk may be fewer than given. */
  write(fd: number, from: Uint8Array, length: number): number;
  stat(path: string): FileStatus | undefined;
  fstat(fd: number): FileStatus;
  sync(fd: number): void;
  datasync(fd: number, done: (error: Error | null) => void): void;
  /** The same in place, while nothing else of this process runs; absent where that is not wanted. */
  readonly datasyncNow?: ((fd: number) => void) | undefined;
  /** Gives a file a second name, and fails with EEXIST rather than replace one. */
  link(from: string, to: string): void;
  unlink(path: string): void;
  list(directory: string): readonly string[];
  makeDirectory(path: string): void;
  /** The magic number of statfs(2). */
  fileSystem(path: string): number;
}

export interface FileStatus {
  readonly ino: number;
  readonly size: number;
  /** How many names the file has; none once it is removed. */
  readonly nlink: number;
}

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

export const nodeFiles: Files = {
  open: (path, flags) => fs.openSync(path, flags, OWNER_ONLY_FILE),
  close: fs.closeSync,
  read(fd, into, length, position) {
    let done = 0;
    while (done < length) {
      const count = fs.readSync(fd, into, done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  },
  write: (fd, from, length) => fs.writeSync(fd, from, 0, length),
  stat: (path) => fs.statSync(path, { throwIfNoEntry: false }),
  fstat: (fd) => fs.fstatSync(fd),
  sync: fs.fsyncSync,
  datasync: fs.fdatasync,
  datasyncNow: fs.fdatasyncSync,
  link: fs.linkSync,
  unlink: fs.unlinkSync,
  list: (directory) => fs.readdirSync(directory),
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY }),
  fileSystem: (path) => fs.statfsSync(path).type,
};

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(error.code as string);
}
