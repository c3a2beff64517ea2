import { MemoryStorage } from 'fuseline';
import { inMemory } from './chain.ts';
import { type BenchOptions, type Family, type Goal, repeat } from './figures.ts';
import { againstRaw } from './file-room.ts';
import { fan } from './workflows.ts';

const WIDTH = 1000;
const CONCURRENCIES = [1, 64, Number.POSITIVE_INFINITY];
const WARM_UP_RUNS = 3;
const AT_64: Goal = { of: 'ratio', at: 'least', limit: 20 };

export const fans: Family = {
  name: 'fan',
  about: `${WIDTH} steps that wait for one, and one that waits for them, by how many may run at once`,
  async *measure({ rounds, files }: BenchOptions) {
    const room = await files();
    for (const concurrency of CONCURRENCIES) {
      const load = fan(WIDTH, concurrency);
      await repeat(WARM_UP_RUNS, () => load.run(new MemoryStorage()));
      yield* inMemory(load, rounds);
      yield* againstRaw(load, rounds, room, concurrency === 64 ? { speed: AT_64 } : {});
    }
  },
};
