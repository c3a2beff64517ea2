import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { diskWorld } from './disk-world.ts';
import type { News } from './hunt.ts';

/** Runs in a process of its own: `worlds.ts DIRECTORY KIND COUNT`, where the directory holds the sources to judge. */
const [directory = '', kind, count] = process.argv.slice(2);

const from = <T>(file: string): Promise<T> => import(pathToFileURL(join(directory, 'src', file)).href) as Promise<T>;

const { seeded } = await from<typeof import('../../src/testing/random.ts')>('testing/random.ts');

type World = (seed: number) => Promise<{ readonly invariant: string; readonly message: string } | undefined>;

async function engineWorld(): Promise<World> {
  const { planWorld } = await from<typeof import('../../src/testing/simulation/plan.ts')>('testing/simulation/plan.ts');
  const { runWorld } =
    await from<typeof import('../../src/testing/simulation/world.ts')>('testing/simulation/world.ts');
  const { Coverage } = await from<typeof import('../../src/testing/simulation/coverage.ts')>(
    'testing/simulation/coverage.ts',
  );
  const coverage = new Coverage();
  return async (seed) => (await runWorld(planWorld(seed, seeded(seed), 0), { workflows: [] }, coverage)).violation;
}

async function brokenDisk(): Promise<World> {
  const { FileStore } = await from<typeof import('../../src/adapters/node-file/file-store.ts')>(
    'adapters/node-file/file-store.ts',
  );
  return (seed) => diskWorld(seeded(seed), (options) => new FileStore('/data', options));
}

const tell = (news: News): Promise<void> =>
  new Promise((resolve, reject) => process.send?.(news, (error: Error | null) => (error ? reject(error) : resolve())));

const world = await (kind === 'disk' ? brokenDisk() : engineWorld());
let caught: News | undefined;
for (let seed = 1; seed <= Number(count) && !caught; seed++) {
  await tell({ type: 'begins', seed });
  const violation = await world(seed);
  if (violation) caught = { type: 'caught', seed, invariant: violation.invariant, message: violation.message };
}
await tell(caught ?? { type: 'clean' });
process.disconnect();
