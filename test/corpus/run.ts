import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MemoryStorage, MemoryStore, PoolEngine } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { SqliteStorage } from 'fuseline/sqlite';
import { type CorpusCase, checkCorpus, parseCorpus } from 'fuseline/testing';
import { type Backend, dispatched } from './verdicts.ts';

export const BACKENDS: readonly Backend[] = [
  {
    name: 'pool',
    // What is handed on by reference cannot be opened twice.
    async bracket(body) {
      const storage = new MemoryStorage({ values: 'by-reference' });
      await body(() => storage);
    },
    async run(workflow, id, input, storage, concurrency) {
      // A run that fails is judged by its steps.
      await new PoolEngine({ concurrency, storage }).run(workflow, input, { id }).catch(() => undefined);
    },
  },
  {
    name: 'memory',
    async bracket(body) {
      const store = new MemoryStore();
      await body(() => new MemoryStorage({ store: store.reopen() }));
    },
    run: dispatched,
  },
  {
    name: 'file',
    async bracket(body) {
      const directory = await mkdtemp(join(tmpdir(), 'fuseline-corpus-'));
      await body(() => new FileStorage(directory));
      await rm(directory, { recursive: true });
    },
    run: dispatched,
  },
  {
    name: 'sqlite',
    async bracket(body) {
      const directory = await mkdtemp(join(tmpdir(), 'fuseline-corpus-'));
      await body(() => new SqliteStorage(join(directory, 'runs.sqlite'), { durability: 'relaxed' }));
      await rm(directory, { recursive: true });
    },
    run: dispatched,
  },
];

export const WAYS: readonly number[] = [1, 4];

/** The cases of a directory of `.jsonl` files: the one `FUSELINE_CORPUS` names, or ours. */
export async function readCorpus(
  directory: string = process.env.FUSELINE_CORPUS ?? resolve(import.meta.dirname, 'cases'),
): Promise<readonly CorpusCase[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort();
  const cases = await Promise.all(
    files.map(async (name) => parseCorpus(await readFile(join(directory, name), 'utf8'), name)),
  );
  checkCorpus(cases.flat(), directory);
  return cases.flat();
}
