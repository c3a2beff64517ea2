import { constants } from 'node:fs';
import type { FileStatus, Files } from '../../src/adapters/node-file/files.ts';
import type { Random } from '../../src/testing/random.ts';

const SECTOR = 512;
/** ext4, as statfs(2) calls it. */
const LOCAL = 0xef53;

interface File {
  readonly ino: number;
  bytes: Buffer;
  /** So much of it a sync has put where a power cut does not reach. */
  synced: number;
  names: number;
}

/** What the process that held a file finds once the power is gone: nothing comes back from a call. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/**
 * A disk that keeps what was synced, and of the rest what a power cut happens to leave: files end early, sectors are
 * empty, new names are gone. The power goes with the `lifetime`-th write or sync.
 */
export class Disk {
  /** Names, as everybody sees them and as a sync of the directory has kept them. */
  #names = new Map<string, File>();
  #kept = new Map<string, File>();
  readonly #descriptors = new Map<number, File | 'directory'>();
  readonly #directories = new Set<string>();
  #next = 1;
  #lifetime: number;
  #lives = 0;

  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  get isOff(): boolean {
    return this.#lifetime <= 0;
  }

  /** The files of one process. `inPlace`: it may sync without a turn of the event loop. */
  files(sync: 'in place' | 'beside'): Files {
    const life = this.#lives;
    const isOff = () => this.isOff || this.#lives !== life;
    // A process does not survive its power.
    const on = (): void => {
      if (isOff()) throw new PowerCut('the power is gone');
    };
    const name = (path: string): File => {
      const file = this.#names.get(path);
      if (!file) throw system('ENOENT', path);
      return file;
    };
    const file = (fd: number): File => this.#descriptors.get(fd) as File;
    const status = ({ ino, bytes, names }: File): FileStatus => ({ ino, size: bytes.length, nlink: names });
    const syncNow = (fd: number): void => {
      on();
      this.#wear();
      const synced = this.#descriptors.get(fd);
      if (synced === 'directory') this.#kept = new Map(this.#names);
      else if (synced) synced.synced = synced.bytes.length;
    };
    return {
      open: (path, flags) => {
        on();
        if (this.#directories.has(path) || path === '/') return this.#describe('directory');
        if (flags & constants.O_CREAT) {
          if (this.#names.has(path)) throw system('EEXIST', path);
          this.#names.set(path, { ino: this.#next++, bytes: Buffer.alloc(0), synced: 0, names: 1 });
        }
        return this.#describe(name(path));
      },
      close: (fd) => void this.#descriptors.delete(fd),
      read: (fd, into, length, position) => {
        on();
        return file(fd).bytes.copy(into, 0, position, position + length);
      },
      write: (fd, from, length) => {
        on();
        this.#wear();
        const to = file(fd);
        to.bytes = Buffer.concat([to.bytes, from.subarray(0, length)]);
        return length;
      },
      stat: (path) => {
        on();
        if (this.#directories.has(path)) return { ino: 0, size: 0, nlink: 1 };
        const found = this.#names.get(path);
        return found && status(found);
      },
      fstat: (fd) => {
        on();
        return status(file(fd));
      },
      sync: syncNow,
      // Once the power is gone nobody is called back.
      datasync: (fd, done) =>
        void setImmediate(() => {
          if (isOff()) return;
          try {
            syncNow(fd);
            done(null);
          } catch (error) {
            if (!(error instanceof PowerCut)) done(error as Error);
          }
        }),
      datasyncNow: sync === 'in place' ? syncNow : undefined,
      link: (from, to) => {
        on();
        if (this.#names.has(to)) throw system('EEXIST', to);
        const linked = name(from);
        linked.names++;
        this.#names.set(to, linked);
      },
      unlink: (path) => {
        on();
        name(path).names--;
        this.#names.delete(path);
      },
      list: (directory) => {
        on();
        return [...this.#names.keys()].flatMap((path) =>
          path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1)] : [],
        );
      },
      makeDirectory: (path) => void this.#directories.add(path),
      fileSystem: () => LOCAL,
    };
  }

  /** The power is back, for a while. */
  restart(random: Random, lifetime: number): void {
    this.#lifetime = lifetime;
    this.#lives++;
    this.#descriptors.clear();
    // Each name that was not kept may have been written all the same.
    const names = new Map<string, File>();
    for (const path of new Set([...this.#names.keys(), ...this.#kept.keys()])) {
      const [now, kept] = [this.#names.get(path), this.#kept.get(path)];
      const found = now === kept || random.chance(0.5) ? now : kept;
      if (found) names.set(path, found);
    }
    this.#names = names;
    this.#kept = new Map(names);
    for (const file of new Set(names.values())) {
      file.bytes = afterCut(file, random);
      file.synced = file.bytes.length;
      file.names = [...names.values()].filter((other) => other === file).length;
    }
  }

  #describe(what: File | 'directory'): number {
    const fd = this.#next++;
    this.#descriptors.set(fd, what);
    return fd;
  }

  #wear(): void {
    if (--this.#lifetime <= 0) throw new PowerCut('the power goes');
  }
}

/** All that was synced; of what follows as much as chance wants, some of its sectors empty. */
function afterCut({ bytes, synced }: File, random: Random): Buffer {
  const left = Buffer.from(bytes.subarray(0, synced + random.below(bytes.length - synced + 1)));
  for (let from = synced; from < left.length; ) {
    // The first sector was written before, up to where the file ended then. One zero could as well be a changed byte.
    const to = Math.min(left.length, (Math.floor(from / SECTOR) + 1) * SECTOR);
    if (to - from > 1 && random.chance(0.3)) left.fill(0, from, to);
    from = to;
  }
  return left;
}

function system(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
