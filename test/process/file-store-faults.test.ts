import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessEngine, workflow } from 'fuseline';
import { FileStorage, FileStore, type FileStoreOptions } from 'fuseline/node';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Files, nodeFiles } from '../../src/adapters/node-file/files.ts';

let scratch: string;
let directory: string;
const opened: FileStore[] = [];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fuseline-faults-'));
  directory = join(scratch, 'data');
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  rmSync(scratch, { recursive: true });
});

function open(options: FileStoreOptions = {}, at = directory): FileStore {
  const store = new FileStore(at, options);
  opened.push(store);
  return store;
}

const put = (store: FileStore, key: string, value = '{"some":"value"}') =>
  store.commit({ expect: [{ key, version: undefined }], put: [{ key, value }] });

const keysOf = async (store: FileStore) => (await store.scan({ from: ' ', to: '~' })).map(({ key }) => key);

const logOf = (path: string) => {
  const name = readdirSync(path).find((file) => file.endsWith('.log'));
  return join(path, name as string);
};

const system = (code: string) => Object.assign(new Error(`${code}: injected`), { code });

describe('a damaged log', () => {
  const names = ['a', 'b', 'c'];

  beforeEach(async () => {
    const store = open();
    for (const name of names) await put(store, name);
    await store.close();
  });

  /** What a reader of a copy with that log says: its keys, or the code of its refusal. */
  async function readCopy(log: Buffer): Promise<readonly string[] | string> {
    const copy = join(scratch, 'copy');
    cpSync(directory, copy, { recursive: true });
    writeFileSync(logOf(copy), log);
    const store = new FileStore(copy);
    try {
      return await keysOf(store);
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await store.close();
      rmSync(copy, { recursive: true });
    }
  }

  test('cut off at any byte, it holds what lies before the cut, and takes commits', async () => {
    const log = readFileSync(logOf(directory));
    const ends = names.map((_, i) => nthIndexOf(log, '\t\n', i + 2) + 1);
    const header = nthIndexOf(log, '\t\n', 1) + 1;
    for (let length = header; length <= log.length; length++) {
      const whole = names.filter((_, i) => (ends[i] as number) <= length);
      expect(await readCopy(log.subarray(0, length)), `cut at ${length}`).toEqual(whole);
    }
    truncateSync(logOf(directory), log.length - 5);
    const store = open();
    expect(await put(store, 'd')).toMatchObject({ status: 'committed' });
    expect(await keysOf(open())).toEqual(['a', 'b', 'd']);
  });

  // Every single bit; one that makes a newline of a tab; all of them.
  const masks = [1, 2, 4, 8, 16, 32, 64, 128, 3, 255];

  test.each(masks)('with any byte changed by %i, it is refused or whole', async (mask) => {
    const log = readFileSync(logOf(directory));
    // Newlines, and the quote and the comma behind a checksum.
    const between = new Set(
      [...log.toString('latin1').matchAll(/\n|(?<={"crc":"[0-9a-f]{8})",/g)].flatMap(({ index, 0: text }) =>
        Array.from(text, (_, i) => index + i),
      ),
    );
    for (let at = 0; at < log.length; at++) {
      const damaged = Buffer.from(log);
      damaged[at] = (log[at] as number) ^ mask;
      const seen = await readCopy(damaged);
      // What was acknowledged is never missing. Only what stands between the parts of a line says nothing.
      if (!between.has(at)) expect(seen, `byte ${at} of ${log.length}`).toBe('STORAGE_CORRUPT');
      else if (seen !== 'STORAGE_CORRUPT') expect(seen, `byte ${at} of ${log.length}`).toEqual(names);
    }
  });

  test('with sectors of zeros, as a power cut leaves them, it holds what lies around', async () => {
    const log = readFileSync(logOf(directory));
    const from = nthIndexOf(log, '\t\n', 3) + 2;
    expect(await readCopy(Buffer.concat([log.subarray(0, from), Buffer.alloc(log.length - from)]))).toEqual(['a', 'b']);
  });

  const sectorAfter = (position: number) => (Math.floor(position / 512) + 1) * 512;

  test('with zeros from where the file ended, behind a torn piece inside a sector, it holds what lies around', async () => {
    const log = readFileSync(logOf(directory));
    const torn = Buffer.from('\n{"crc":"1a2b3c4d","by":"it');
    const from = log.length + torn.length;
    const zeros = Buffer.alloc(sectorAfter(from + 1) - from);
    const rest = Buffer.from('the rest of a record"]}\t\n');
    expect(await readCopy(Buffer.concat([log, torn, zeros, rest]))).toEqual(names);
    // Zeros that end inside a sector are nobody's doing but somebody's.
    expect(await readCopy(Buffer.concat([log, torn, zeros.subarray(1), rest]))).toBe('STORAGE_CORRUPT');

    writeFileSync(logOf(directory), Buffer.concat([log, torn, Buffer.alloc(9)]));
    const store = open();
    expect(await put(store, 'd')).toMatchObject({ status: 'committed' });
    expect(await keysOf(open())).toEqual([...names, 'd']);
  });

  test('whose record was emptied from its middle on is refused once another builds on it', async () => {
    const store = open();
    const long = await put(store, 'long', 'x'.repeat(3000));
    const version = long.status === 'committed' ? long.version : undefined;
    await store.commit({ expect: [{ key: 'long', version }], put: [{ key: 'long', value: '2' }] });
    await store.close();
    const log = readFileSync(logOf(directory));
    const from = log.indexOf('xxx') + 600;
    log.fill(0, from, sectorAfter(from + 1));
    expect(await readCopy(log)).toBe('STORAGE_CORRUPT');
  });

  test('whose record was turned into a torn one is refused once another builds on it', async () => {
    const store = open();
    const [a] = await store.read(['a']);
    await store.commit({ expect: [{ key: 'a', version: a?.version }], put: [{ key: 'a', value: '2' }] });
    await store.close();
    const log = readFileSync(logOf(directory));
    const end = nthIndexOf(log, '\t\n', 2);
    // As if only the first half of it had been written.
    const start = log.lastIndexOf('\n', end);
    const half = start + Math.floor((end - start) / 2);
    const torn = Buffer.concat([
      log.subarray(0, half),
      Buffer.from('\n'.repeat(end + 1 - half)),
      log.subarray(end + 1),
    ]);
    expect(await readCopy(torn)).toBe('STORAGE_CORRUPT');
  });
});

describe('a full disk', () => {
  test('that takes only a part of a write fails that commit, hides the part and serves on when there is room', async () => {
    let take = Number.POSITIVE_INFINITY;
    const files: Files = {
      ...nodeFiles,
      write(fd, from, length) {
        if (take === 0) throw system('ENOSPC');
        return nodeFiles.write(fd, from, Math.min(length, take));
      },
    };
    const store = open({ files });
    await put(store, 'before');
    const size = statSync(logOf(directory)).size;
    for (take = 0; ; take++) {
      const outcome = await put(store, 'now').catch((error: { code: string }) => error.code);
      if (outcome !== 'STORAGE_FULL') break;
      expect(await keysOf(store)).toEqual(['before']);
      expect(await keysOf(open())).toEqual(['before']);
    }
    expect(take).toBeGreaterThan(100);
    take = Number.POSITIVE_INFINITY;
    expect(await keysOf(store)).toEqual(['before', 'now']);
    expect(await put(store, 'after')).toMatchObject({ status: 'committed' });
    expect(await keysOf(open())).toEqual(['after', 'before', 'now']);
    expect(statSync(logOf(directory)).size).toBeGreaterThan(size);
  });

  test('that takes a part of a group commits those records it took whole', async () => {
    let take = Number.POSITIVE_INFINITY;
    const files: Files = {
      ...nodeFiles,
      write: (fd, from, length) => nodeFiles.write(fd, from, Math.min(length, take)),
    };
    const store = open({ files });
    await put(store, 'k');
    take = 300;
    const outcomes = await Promise.allSettled(['p', 'q', 'r', 's'].map((key) => put(store, key)));
    const committed = ['p', 'q', 'r', 's'].filter((_, i) => outcomes[i]?.status === 'fulfilled');
    expect(committed.length).toBeGreaterThan(0);
    expect(committed.length).toBeLessThan(4);
    take = Number.POSITIVE_INFINITY;
    expect(await keysOf(open())).toEqual(['k', ...committed]);
  });

  /** A small file system of its own, which only root may mount; `undefined` where that is not allowed. */
  function smallDisk(): string | undefined {
    const at = mkdtempSync(join(tmpdir(), 'fuseline-tmpfs-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', at], { stdio: 'pipe' });
    } catch (error) {
      rmSync(at, { recursive: true });
      console.warn(`NO DISK TO FILL: the kernel's own refusal comes from /dev/full instead. ${String(error)}`);
      return undefined;
    }
    onTestFinished(() => {
      execFileSync('umount', [at]);
      rmSync(at, { recursive: true });
    });
    return at;
  }

  test('a real one: nothing half written is seen, what was acknowledged stays, and it serves on when there is room', async () => {
    const disk = smallDisk();
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const at = join(disk ?? scratch, 'data');
    const ballast = join(disk ?? scratch, 'ballast');
    writeFileSync(ballast, Buffer.alloc(64 * 1024));
    // A small disk fills up by itself.
    let hasRoom = true;
    const files: Files = {
      ...nodeFiles,
      write: (fd, from, length) => nodeFiles.write(hasRoom ? fd : full, from, length),
    };
    const store = open({ files }, at);
    const kept: string[] = [];
    let refusal: unknown;
    for (let i = 0; refusal === undefined; i++) {
      hasRoom = disk !== undefined || i < 100;
      const key = `key/${String(i).padStart(4, '0')}`;
      await put(store, key, JSON.stringify('x'.repeat(900))).then(
        () => kept.push(key),
        (error) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toMatchObject({ code: 'STORAGE_FULL' });
    expect(kept.length).toBeGreaterThan(50);
    expect(await keysOf(store)).toEqual(kept);
    unlinkSync(ballast);
    hasRoom = true;
    expect(await put(store, 'room')).toMatchObject({ status: 'committed' });
    await store.close();
    const again = open({}, at);
    expect(await keysOf(again)).toEqual([...kept, 'room']);
    await again.close();
  });
});

test('a run that finds the disk full waits for room, and no body runs twice for it', async () => {
  let isFull = false;
  const files: Files = {
    ...nodeFiles,
    write(fd, from, length) {
      if (isFull) throw system('ENOSPC');
      return nodeFiles.write(fd, from, length);
    },
  };
  const bodies: string[] = [];
  const wf = workflow('w', ($) => {
    const first = $.step('first', {}, () => {
      bodies.push('first');
      isFull = true;
      return 1;
    });
    return $.step('second', { first }, ({ first }) => {
      bodies.push('second');
      return first + 1;
    });
  });
  const storage = new FileStorage(directory, { files });
  onTestFinished(() => storage.close());
  const run = await wf.dispatch(undefined, { storage });
  const engine = new ProcessEngine(wf, storage);
  const told: unknown[] = [];
  engine.on('error', ({ error }) => {
    told.push(error);
    // The second refusal comes after a wait.
    if (told.length === 2) isFull = false;
  });
  await engine.work(run.id);
  expect(await run.result()).toBe(2);
  expect(bodies).toEqual(['first', 'second']);
  expect(told).toMatchObject([{ code: 'STORAGE_FULL' }, { code: 'STORAGE_FULL' }]);
});

describe('a disk that fails', () => {
  test.each(['in place', 'in the thread pool'])(
    'to sync %s ends this process’s storage: every later call is refused',
    async (where) => {
      let broken = false;
      const files: Files = {
        ...nodeFiles,
        datasync: (fd, done) => (broken ? setImmediate(done, system('EIO')) : nodeFiles.datasync(fd, done)),
        datasyncNow:
          where === 'in place'
            ? (fd) => {
                if (broken) throw system('EIO');
                nodeFiles.datasyncNow?.(fd);
              }
            : undefined,
      };
      const store = open({ files });
      await put(store, 'a');
      broken = true;
      await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      broken = false;
      await expect(put(store, 'c')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(store.read(['a'])).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: /check the disk/ });
      expect(await keysOf(open())).toContain('a');
    },
  );

  test('to write reports it, and what was not written did not happen', async () => {
    let broken = false;
    const files: Files = {
      ...nodeFiles,
      write(fd, from, length) {
        if (broken) throw system('EIO');
        return nodeFiles.write(fd, from, length);
      },
    };
    const store = open({ files });
    await put(store, 'a');
    broken = true;
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    broken = false;
    expect(await keysOf(store)).toEqual(['a']);
  });

  test('after it wrote everything commits nevertheless', async () => {
    let broken = false;
    const files: Files = {
      ...nodeFiles,
      write(fd, from, length) {
        const written = nodeFiles.write(fd, from, length);
        if (broken) throw system('EIO');
        return written;
      },
    };
    const store = open({ files });
    await put(store, 'a');
    broken = true;
    expect(await put(store, 'b')).toMatchObject({ status: 'committed' });
    expect(await keysOf(open())).toEqual(['a', 'b']);
  });
});

describe('nothing is answered before it is on disk:', () => {
  /** Syncs wait until they are let go. */
  function heldSyncs() {
    const held: (() => void)[] = [];
    let hold = false;
    const files: Files = {
      ...nodeFiles,
      datasync: (fd, done) =>
        hold ? void held.push(() => nodeFiles.datasync(fd, done)) : nodeFiles.datasync(fd, done),
      datasyncNow: undefined,
    };
    return {
      files,
      hold: () => {
        hold = true;
      },
      letGo: () => {
        hold = false;
        for (const go of held.splice(0)) go();
      },
    };
  }
  const settled = async (promise: Promise<unknown>) => {
    let isSettled = false;
    promise.then(() => {
      isSettled = true;
    });
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    return isSettled;
  };

  test('a commit, a read of it, a conflict with it, here and from another process’s view', async () => {
    const disk = heldSyncs();
    const [writer, reader] = [open({ files: disk.files }), open({ files: disk.files })];
    await put(writer, 'old');
    await reader.read(['old']);
    disk.hold();
    const commit = put(writer, 'a');
    expect(await settled(commit)).toBe(false);
    const waiting = [commit, writer.read(['a']), put(writer, 'a'), reader.read(['a']), put(reader, 'a')];
    for (const answer of waiting) expect(await settled(answer)).toBe(false);
    // What was on disk before is answered at once.
    expect(await writer.read(['old'])).toMatchObject([{ key: 'old' }]);
    disk.letGo();
    const [committed, , lost, , foreign] = await Promise.all(waiting);
    expect(committed).toMatchObject({ status: 'committed' });
    expect([lost, foreign]).toEqual([{ status: 'conflict' }, { status: 'conflict' }]);
  });

  test('one write and one sync carry what arrives in one tick, and what arrives during a sync', async () => {
    const store = open();
    await put(store, 'first');
    const before = store.stats();
    await Promise.all(Array.from({ length: 64 }, (_, i) => put(store, `key/${i}`)));
    const after = store.stats();
    expect((after?.groups ?? 0) - (before?.groups ?? 0)).toBe(1);
    expect((after?.syncs ?? 0) - (before?.syncs ?? 0)).toBe(1);
    expect((after?.commits ?? 0) - (before?.commits ?? 0)).toBe(64);
  });

  test('never fewer syncs than groups', async () => {
    const store = open();
    for (let i = 0; i < 20; i++) await put(store, `key/${i}`);
    const { groups, syncs, commits } = store.stats() as NonNullable<ReturnType<FileStore['stats']>>;
    expect({ groups, commits }).toEqual({ groups: 20, commits: 20 });
    expect(syncs).toBeGreaterThanOrEqual(groups);
  });
});

describe('a log taken away while in use', () => {
  test('by deleting its directory is noticed by the next commit', async () => {
    const store = open();
    await put(store, 'a');
    rmSync(directory, { recursive: true });
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: /removed/ });
    await expect(store.read(['a'])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  test('by moving it and putting another in its place is noticed soon', async () => {
    const store = open();
    await put(store, 'a');
    renameSync(directory, join(scratch, 'moved'));
    await put(open(), 'other');
    await expect
      .poll(() => put(store, `b${Math.random()}`).catch((error: { message: string }) => error.message), {
        timeout: 20_000,
      })
      .toMatch(/moved or replaced/);
    await expect(store.read(['a'])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  test('by putting a copy of it in its place is noticed', async () => {
    const store = open();
    await put(store, 'a');
    copyFileSync(logOf(directory), join(scratch, 'copy'));
    renameSync(join(scratch, 'copy'), logOf(directory));
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: /removed/ });
    expect(await keysOf(open())).toEqual(['a']);
  });

  test('by cutting it is noticed', async () => {
    const store = open();
    await put(store, 'a');
    await put(store, 'b');
    truncateSync(logOf(directory), 60);
    await expect(put(store, 'c')).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: /shortened/ });
  });

  test('in part, when it is opened again, is refused and named', async () => {
    const store = open();
    await put(store, 'a');
    await store.close();
    unlinkSync(logOf(directory));
    await expect(open().read(['a'])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', message: /\.log/ });
    expect(readdirSync(directory)).toEqual(['format.json']);
  });
});

describe('refused at opening', () => {
  test.each([
    [0x6969, 'NFS'],
    [0x517b, 'SMB'],
    [0xfe534d42, 'SMB2'],
    [0xff534d42 | 0, 'CIFS'],
    [0x65735546, 'FUSE'],
  ])('a file system that other machines may write to: %i, %s', async (type, name) => {
    const store = open({ files: { ...nodeFiles, fileSystem: () => type } });
    await expect(put(store, 'a')).rejects.toMatchObject({ code: 'STORAGE_UNSUPPORTED', message: new RegExp(name) });
  });

  test('a file system without hard links', async () => {
    const files: Files = {
      ...nodeFiles,
      link() {
        throw system('EPERM');
      },
    };
    await expect(put(open({ files }), 'a')).rejects.toMatchObject({
      code: 'STORAGE_UNSUPPORTED',
      message: /hard links/,
    });
    expect(await put(open(), 'a')).toMatchObject({ status: 'committed' });
  });

  test('a newer format, without changing anything', async () => {
    await put(open(), 'a');
    const before = readFileSync(logOf(directory));
    // As a later version would write it.
    const { Lines } = await import('../../src/adapters/node-file/record.ts');
    const lines = new Lines();
    lines.say({ fuseline: 99, next: '00000001-later.log' });
    const bytes = Buffer.from(lines.buffer.subarray(0, lines.length));
    const path = join(directory, 'format.json');
    copyFileSync(path, join(scratch, 'format.json'));
    writeFileSync(path, bytes);
    await expect(open().read(['a'])).rejects.toMatchObject({ code: 'PROTOCOL_TOO_NEW', message: /update fuseline/ });
    expect(readFileSync(path)).toEqual(bytes);
    expect(readFileSync(logOf(directory))).toEqual(before);
    copyFileSync(join(scratch, 'format.json'), path);
    expect(await keysOf(open())).toEqual(['a']);
  });
});

test('nobody but the owner can read a storage', async () => {
  await put(open(), 'a');
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
});

function nthIndexOf(bytes: Buffer, text: string, n: number): number {
  let at = -1;
  for (let i = 0; i < n; i++) at = bytes.indexOf(text, at + 1);
  return at;
}
