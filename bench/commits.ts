import { type Batch, type CommitResult, MemoryStorage, MemoryStore } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { type BenchOptions, type Family, type Figure, spread } from './figures.ts';
import { chain } from './workflows.ts';

const LENGTHS = [10, 1000];
/** Beyond one for each step: the dispatch, the worker that joins and leaves, its first claim. */
const BESIDE_STEPS = 4;

export const commits: Family = {
  name: 'commits',
  about: 'durable commits for a chain of n steps, from the dispatch until the worker has left',
  async *measure({ files }: BenchOptions) {
    const room = await files();
    for (const length of LENGTHS) {
      const load = chain(length);
      const store = new CountingStore();
      await load.run(new MemoryStorage({ store }));
      yield { platform: 'memory', ...figure(load.name, length, store.commits) };
      const storage = new FileStorage(room.path());
      await load.run(storage);
      yield { platform: 'file, strict', ...figure(load.name, length, storage.stats()?.commits ?? Number.NaN) };
      await storage.close();
    }
  },
};

function figure(workload: string, length: number, counted: number): Omit<Figure, 'platform'> {
  return {
    workload,
    metric: 'commits',
    unit: 'commits',
    ...spread([counted]),
    goal: { of: 'value', at: 'most', limit: length + BESIDE_STEPS },
  };
}

class CountingStore extends MemoryStore {
  commits = 0;

  override async commit(batch: Batch): Promise<CommitResult> {
    const result = await super.commit(batch);
    if (result.status === 'committed') this.commits++;
    return result;
  }
}
