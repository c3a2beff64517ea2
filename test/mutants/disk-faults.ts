import type { Fault } from './fault.ts';

/** Mistakes in the file store, which a disk that loses its power has to show. */
export const diskFaults: readonly Fault[] = [
  {
    name: 'acknowledge before sync',
    file: 'adapters/node-file/committer.ts',
    find: 'if (answer.needs <= durable) answer.give();',
    replace: 'if (answer.needs <= Math.max(durable, this.#log.position)) answer.give();',
    breaks: 'what was acknowledged is on disk',
  },
  {
    name: 'a segment is not synced before the next',
    file: 'adapters/node-file/syncs.ts',
    find: 'const sealed = [...this.#sealed.keys()];',
    replace: 'const sealed: LogFile[] = [];',
    breaks: 'what was acknowledged is on disk',
  },
  {
    name: 'a new name is not synced',
    file: 'adapters/node-file/directory.ts',
    find: 'this.#syncDirectory(this.path);',
    replace: '',
    breaks: 'a disk that lost its power opens',
  },
  {
    name: 'a table is not synced before it is listed',
    file: 'adapters/node-file/table-work.ts',
    find: 'files.datasync(fd, (error) => (error ? fail(error) : done()))',
    replace: 'setImmediate(done)',
    breaks: 'a disk that lost its power opens',
  },
  {
    name: 'a checksum is not verified',
    file: 'adapters/node-file/record.ts',
    find: 'if (line[OPENING.length + i] !== digit) return false;',
    replace: 'if (line[OPENING.length + i] !== digit) return true;',
    breaks: 'a disk that lost its power opens',
  },
  {
    name: 'a torn tail is taken for damage',
    file: 'adapters/node-file/record.ts',
    find: "return { kind: 'torn' };",
    replace: "return { kind: 'damaged' };",
    breaks: 'a disk that lost its power opens',
  },
].map((fault) => ({ ...fault, worlds: 'disk' as const }));
