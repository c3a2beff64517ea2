import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MemoryStorage, type RuntimeStorage } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { type BenchOptions, type Family, repeat, spread } from './figures.ts';
import { chain, type Load, shortRuns } from './workflows.ts';

const THIS_FILE = fileURLToPath(import.meta.url);
const MEGABYTE = 1024 * 1024;
const LOADS = { long: () => chain(10_000), many: () => shortRuns(500) } as const;
const PLATFORMS = ['memory', 'file, relaxed'] as const;

type LoadName = keyof typeof LOADS;
type Platform = (typeof PLATFORMS)[number];

interface Held {
  /** Beyond what the process held before the first run, garbage collected. */
  readonly heap: number;
  /** Of the whole process. */
  readonly rss: number;
}

export const held: Family = {
  name: 'held',
  about: 'megabytes a process holds once its runs have ended and the storage is still open; each round a new process',
  async *measure({ rounds }: BenchOptions) {
    for (const platform of PLATFORMS) {
      for (const load of Object.keys(LOADS) as LoadName[]) {
        const measured = await repeat(rounds, () => inNewProcess(platform, load));
        const about = { platform, workload: LOADS[load]().name, unit: 'MB' } as const;
        yield { ...about, metric: 'heap held', ...spread(measured.map(({ heap }) => heap)) };
        yield { ...about, metric: 'RSS', ...spread(measured.map(({ rss }) => rss)) };
      }
    }
  },
};

function inNewProcess(platform: Platform, load: LoadName): Promise<Held> {
  return new Promise((resolve, reject) => {
    const child = fork(THIS_FILE, [platform, load], { execArgv: [...process.execArgv, '--expose-gc'] });
    child.once('message', (held) => resolve(held as Held));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the process that measures memory ended with ${code} and said nothing`)),
    );
  });
}

async function measureHere(platform: Platform, load: Load): Promise<Held> {
  const directory = mkdtempSync(join(tmpdir(), 'fuseline-held-'));
  const storage: RuntimeStorage =
    platform === 'memory' ? new MemoryStorage() : new FileStorage(directory, { durability: 'relaxed' });
  const before = heapUsed();
  await load.run(storage);
  const heap = (heapUsed() - before) / MEGABYTE;
  const { rss } = process.memoryUsage();
  await storage.close();
  rmSync(directory, { recursive: true });
  return { heap, rss: rss / MEGABYTE };
}

function heapUsed(): number {
  if (!globalThis.gc) throw new Error('start this process with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

if (process.argv[1] === THIS_FILE && process.send) {
  const [platform, load] = process.argv.slice(2) as [Platform, LoadName];
  process.send(await measureHere(platform, LOADS[load]()), () => process.disconnect());
}
