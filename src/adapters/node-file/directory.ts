import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FuselineError } from '../../core/errors.ts';
import { failed } from './failure.ts';
import {
  catalogueName,
  type FileName,
  FORMAT_FILE,
  generationAfter,
  parseName,
  segmentName,
  tableName,
  temporaryName,
} from './file-names.ts';
import { type Files, hasCode } from './files.ts';
import { FORMAT_VERSION, type Head, Lines, readLine } from './record.ts';

/**
 * An unfinished file is left alone for so many generations, as its writer may be at work on it. One that is removed all
 * the same costs its writer the work and nothing else.
 */
const PATIENCE = 64;
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND;

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

  /** The newest catalogue, or the newest snapshot where nobody has written a catalogue yet. */
  newest(): FileName | undefined {
    let newest: FileName | undefined;
    for (const file of this.#list()) {
      const isState = file.kind === 'catalogue' || file.kind === 'snapshot';
      if (isState && file.number > (newest?.number ?? 0)) newest = file;
    }
    return newest;
  }

  /** Creates the segment that may become the one after `ordinal - 1`, synced so that a seal may point to it. */
  createSegment(ordinal: number): string {
    const name = segmentName(ordinal);
    this.#create(name, { fuseline: FORMAT_VERSION });
    this.sync();
    return name;
  }

  /** A new file that nobody looks for, of a process that knows this generation. */
  createTemporary(generation: number | undefined): { readonly name: string; readonly fd: number } {
    const name = temporaryName(generationAfter(generation));
    return { name, fd: this.files.open(this.at(name), NEW_FILE) };
  }

  /** Gives a finished, synced table a name that a catalogue can hold; `undefined` if it is not there any more. */
  nameTable(temporary: string, generation: number): string | undefined {
    const name = tableName(generation);
    if (!this.#link(temporary, name)) return undefined;
    this.sync();
    return name;
  }

  /** `false`: somebody else's is of that generation. One that was removed again is not noticed. */
  publishCatalogue(generation: number, head: Head): boolean {
    return this.#publish(temporaryName(generation), catalogueName(generation), head);
  }

  removeCatalogue(generation: number): void {
    this.remove(catalogueName(generation));
  }

  /** What the only line of a file says. */
  readHead(name: string): Head {
    const { files } = this;
    const path = this.at(name);
    const fd = files.open(path, constants.O_RDONLY);
    try {
      const bytes = Buffer.alloc(files.fstat(fd).size);
      files.read(fd, bytes, bytes.length, 0);
      const end = bytes.lastIndexOf('\t') + 1;
      const line = readLine(bytes, 1, Math.max(1, end), 0, undefined);
      if (line.kind !== 'record') {
        throw new FuselineError('STORAGE_CORRUPT', `${path} is damaged; restore it from a backup of the directory`);
      }
      checkFormat(line.head, path);
      return line.head;
    } finally {
      files.close(fd);
    }
  }

  remove(name: string): void {
    try {
      this.files.unlink(this.at(name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** Removes what a catalogue makes superfluous that goes on with segment `ordinal`, whoever left it there. */
  removeBefore(generation: number, ordinal: number, tables: ReadonlySet<string>): void {
    for (const { kind, name, number } of this.#list()) {
      const isDead = {
        segment: number < ordinal,
        snapshot: true,
        catalogue: number < generation,
        table: number <= generation && !tables.has(name),
        temporary: number + PATIENCE < generation,
      };
      if (isDead[kind]) this.remove(name);
    }
  }

  sync(): void {
    this.#syncDirectory(this.path);
  }

  #list(): readonly FileName[] {
    return this.files.list(this.path).flatMap((name) => parseName(name) ?? []);
  }

  #first(): string | undefined {
    try {
      return this.readHead(FORMAT_FILE).next;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #begin(): string {
    const begun = this.#list().find(({ kind, number }) => kind !== 'temporary' && number > 1);
    if (begun !== undefined) {
      throw new FuselineError(
        'STORAGE_CORRUPT',
        `${this.path} holds ${begun.name} but no ${FORMAT_FILE}; restore that file from a backup of the directory`,
      );
    }
    const first = this.createSegment(1);
    if (this.#publish(temporaryName(0), FORMAT_FILE, { next: first })) return first;
    this.remove(first);
    const theirs = this.#first();
    if (theirs === undefined)
      throw new FuselineError('STORAGE_FAILED', `${this.path} was removed while it was being opened`);
    return theirs;
  }

  /** Writes a file of one line and gives it its name for good. `false`: somebody else was first. */
  #publish(temporary: string, name: string, head: Head): boolean {
    this.#create(temporary, { fuseline: FORMAT_VERSION, ...head });
    try {
      if (!this.#link(temporary, name)) return false;
    } finally {
      this.remove(temporary);
    }
    this.sync();
    return true;
  }

  #link(from: string, to: string): boolean {
    try {
      this.files.link(this.at(from), this.at(to));
      return true;
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
    }
  }

  #create(name: string, head: Head): void {
    const { files } = this;
    const fd = files.open(this.at(name), NEW_FILE);
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

export function checkFormat(head: Head, path: string): void {
  const { fuseline } = head;
  if (fuseline !== undefined && fuseline >= 1 && fuseline <= FORMAT_VERSION) return;
  throw new FuselineError(
    'PROTOCOL_TOO_NEW',
    `${path} was written in format ${fuseline ?? 'unknown'}, and this version of fuseline reads format ${FORMAT_VERSION} and older ones; update fuseline in this process. Nothing was changed`,
  );
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
