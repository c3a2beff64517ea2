import { MemoryStorage } from 'fuseline';
import { inMemory } from './chain.ts';
import { type BenchOptions, type Family, type Goal, repeat } from './figures.ts';
import { againstRaw } from './file-room.ts';
import { shortRuns } from './workflows.ts';

const RUNS = 500;
const WARM_UP_RUNS = 3;
const FILE: Goal = { of: 'ratio', at: 'least', limit: 5 };

export const manyRuns: Family = {
  name: 'runs',
  about: `${RUNS} runs of three steps, dispatched together and worked off by one engine, dispatch included`,
  async *measure({ rounds, files }: BenchOptions) {
    const load = shortRuns(RUNS);
    await repeat(WARM_UP_RUNS, () => load.run(new MemoryStorage()));
    yield* inMemory(load, rounds);
    yield* againstRaw(load, rounds, await files(), { speed: FILE });
  },
};
