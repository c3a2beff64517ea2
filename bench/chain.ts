import { MemoryStorage } from 'fuseline';
import { type BenchOptions, clock, type Family, type Figure, type Goal, repeat, spread } from './figures.ts';
import { againstRaw, onFile } from './file-room.ts';
import { chain, type Load } from './workflows.ts';

/** In the same process, before the clock starts: what the compiler needs to know the code. */
const WARM_UP = { runs: 20, steps: 1000 } as const;
const MEMORY: Goal = { of: 'value', at: 'least', limit: 150_000 };
const FILE: Goal = { of: 'ratio', at: 'least', limit: 0.9 };

export const chains: Family = {
  name: 'chain',
  about: `one step after the other; in memory after ${WARM_UP.runs} runs of ${WARM_UP.steps} steps in the same process`,
  async *measure({ rounds, files }: BenchOptions) {
    const lengths = [1000, 10_000].map(chain);
    await repeat(WARM_UP.runs, () => chain(WARM_UP.steps).run(new MemoryStorage()));
    for (const load of lengths) yield* inMemory(load, rounds, MEMORY);
    const room = await files();
    for (const load of lengths) {
      yield* againstRaw(load, rounds, room, { speed: FILE });
      const ms = await repeat(rounds, async () => (await onFile(load, room.path(), 'relaxed')).ms);
      yield { platform: 'file, relaxed', ...speedOf(load, ms) };
    }
  },
};

/** Each round in a storage of its own. */
export async function* inMemory(load: Load, rounds: number, goal?: Goal): AsyncGenerator<Figure> {
  const ms = await repeat(rounds, () => clock(() => load.run(new MemoryStorage())));
  yield { platform: 'memory', ...speedOf(load, ms), ...(goal && { goal }) };
}

function speedOf(load: Load, rounds: readonly number[]): Omit<Figure, 'platform'> {
  return {
    workload: load.name,
    metric: 'speed',
    unit: 'steps/s',
    ...spread(rounds.map((ms) => (load.steps / ms) * 1000)),
  };
}
