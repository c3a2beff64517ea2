import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FuselineError } from '../../core/errors.ts';
import { failed } from './failure.ts';
import { type Files, hasCode } from './files.ts';
import { FORMAT_VERSION, type Head, Lines, readLine } from './record.ts';

/** Where the log begins. Written once and never changed, so that two processes cannot begin two logs. */
const FORMAT_FILE = 'format.json';
const SEGMENT = /^(\d{8,})-[0-9a-z]+\.log$/;
const SNAPSHOT = /^(\d{8,})\.snapshot$/;
const TEMPORARY = /^(\d{8,})-[0-9a-z]+\.tmp$/;

/** The layout of a log's directory: which files there are, what their names mean, how they come and go. */
export class Directory {
  readonly path: string;
  readonly files: Files;

  constructor(path: string, files: Files) {
    this.path = resolve(path);
    this.files = files;
  }

  /** Makes sure that the directory exists and holds a log, and returns the name of its first segment. */
  prepare(): string {
    try {
      if (!this.files.stat(this.path)) {
        this.files.makeDirectory(this.path);
        this.#syncDirectory(dirname(this.path));
      }
      refuseNetwork(this.path, this.files);
      return this.#first() ?? this.#begin();
    } catch (error) {
      throw failed(`cannot open the storage in ${this.path}`, error);
    }
  }

  at(name: string): string {
    return join(this.path, name);
  }

  newestSnapshot(): { readonly name: string; readonly ordinal: number } | undefined {
    let newest: { name: string; ordinal: number } | undefined;
    for (const name of this.files.list(this.path)) {
      const ordinal = ordinalOf(SNAPSHOT, name);
      if (ordinal !== undefined && ordinal > (newest?.ordinal ?? 0)) newest = { name, ordinal };
    }
    return newest;
  }

  /** Creates the segment that may become the one after `ordinal - 1`, synced so that a seal may point to it. */
  createSegment(ordinal: number): string {
    const name = `${digits(ordinal)}-${suffix()}.log`;
    this.#create(name, { fuseline: FORMAT_VERSION });
    this.sync();
    return name;
  }

  temporary(ordinal: number): string {
    return `${digits(ordinal)}-${suffix()}.tmp`;
  }

  /** Gives a finished, synced file its name for good. `false`: somebody else was first. */
  publish(temporary: string, name: string): boolean {
    try {
      this.files.link(this.at(temporary), this.at(name));
    } catch (error) {
      // ENOENT: whoever was first found this one superfluous and removed it.
      if (hasCode(error, 'EEXIST', 'ENOENT')) return false;
      if (hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) {
        throw new FuselineError(
          'STORAGE_UNSUPPORTED',
          `the file system of ${this.path} has no hard links, without which two processes could overwrite each other; use a directory on a local file system`,
          { cause: error },
        );
      }
      throw error;
    } finally {
      this.remove(temporary);
    }
    this.sync();
    return true;
  }

  remove(name: string): void {
    try {
      this.files.unlink(this.at(name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** Removes what the snapshot before segment `ordinal` makes superfluous, whoever left it there. */
  removeBefore(ordinal: number): void {
    for (const name of this.files.list(this.path)) {
      const dead = (ordinalOf(SEGMENT, name) ?? ordinalOf(SNAPSHOT, name) ?? Number.POSITIVE_INFINITY) < ordinal;
      const unfinished = (ordinalOf(TEMPORARY, name) ?? Number.POSITIVE_INFINITY) <= ordinal;
      if (dead || unfinished) this.remove(name);
    }
  }

  sync(): void {
    this.#syncDirectory(this.path);
  }

  #first(): string | undefined {
    const { files } = this;
    let fd: number;
    try {
      fd = files.open(this.at(FORMAT_FILE), constants.O_RDONLY);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      const bytes = Buffer.alloc(files.fstat(fd).size);
      files.read(fd, bytes, bytes.length, 0);
      const end = bytes.lastIndexOf('\t') + 1;
      const line = readLine(bytes, 1, Math.max(1, end), 0, undefined);
      if (line.kind !== 'record') {
        throw new FuselineError(
          'STORAGE_CORRUPT',
          `${this.at(FORMAT_FILE)} is damaged; restore it from a backup of the directory`,
        );
      }
      checkFormat(line.head, this.at(FORMAT_FILE));
      return line.head.next as string;
    } finally {
      files.close(fd);
    }
  }

  #begin(): string {
    const begun = this.files
      .list(this.path)
      .find((name) => (ordinalOf(SEGMENT, name) ?? ordinalOf(SNAPSHOT, name) ?? 0) > 1);
    if (begun !== undefined) {
      throw new FuselineError(
        'STORAGE_CORRUPT',
        `${this.path} holds ${begun} but no ${FORMAT_FILE}; restore that file from a backup of the directory`,
      );
    }
    const first = this.createSegment(1);
    const temporary = this.temporary(0);
    this.#create(temporary, { fuseline: FORMAT_VERSION, next: first });
    if (this.publish(temporary, FORMAT_FILE)) return first;
    this.remove(first);
    const theirs = this.#first();
    if (theirs === undefined)
      throw new FuselineError('STORAGE_FAILED', `${this.path} was removed while it was being opened`);
    return theirs;
  }

  #create(name: string, head: Head): void {
    const { files } = this;
    const fd = files.open(
      this.at(name),
      constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND,
    );
    try {
      const lines = new Lines();
      lines.say(head);
      const written = files.write(fd, lines.buffer, lines.length);
      if (written < lines.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
      files.sync(fd);
    } catch (error) {
      this.remove(name);
      throw error;
    } finally {
      files.close(fd);
    }
  }

  /** A file's name is safe only when its directory is. Windows has no such call, and needs none. */
  #syncDirectory(path: string): void {
    if (process.platform === 'win32') return;
    const fd = this.files.open(path, constants.O_RDONLY);
    try {
      this.files.sync(fd);
    } finally {
      this.files.close(fd);
    }
  }
}

export function segmentOrdinal(name: string): number | undefined {
  return ordinalOf(SEGMENT, name);
}

export function snapshotName(ordinal: number): string {
  return `${digits(ordinal)}.snapshot`;
}

export function checkFormat(head: Head, path: string): void {
  if (head.fuseline === FORMAT_VERSION) return;
  throw new FuselineError(
    'PROTOCOL_TOO_NEW',
    `${path} was written in format ${head.fuseline ?? 'unknown'}, and this version of fuseline reads format ${FORMAT_VERSION}; update fuseline in this process. Nothing was changed`,
  );
}

export function suffix(): string {
  return randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0');
}

function digits(ordinal: number): string {
  return String(ordinal).padStart(8, '0');
}

function ordinalOf(pattern: RegExp, name: string): number | undefined {
  const match = pattern.exec(name);
  return match ? Number(match[1]) : undefined;
}

/**
 * File systems on which two machines, or a machine and its guest, may append at once: appending is atomic there for
 * each kernel alone. FUSE is among them because nobody can tell what is behind it. From statfs(2).
 */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x65735546, 'FUSE'],
  [0x786f4256, 'VirtualBox shared folders'],
]);

function refuseNetwork(path: string, files: Files): void {
  if (process.platform !== 'linux') return;
  const name = SHARED_FILE_SYSTEMS.get(files.fileSystem(path) >>> 0);
  if (name === undefined) return;
  throw new FuselineError(
    'STORAGE_UNSUPPORTED',
    `${path} is on ${name}, which other machines may write at the same time without this one noticing; use a directory on a local file system`,
  );
}
