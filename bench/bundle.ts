import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Family, type Goal, spread } from './figures.ts';

/** What `npm run size` prints: `…, 13999 B gzipped, …`. Its budget keeps the size from growing and is not the goal. */
const SIZE = /(\d+) B gzipped/;
const GOAL: Goal = { of: 'value', at: 'most', limit: 14_000 };

export const bundle: Family = {
  name: 'bundle',
  about: 'what a page that works off workflows in memory loads, codec included, minified and gzipped',
  async *measure() {
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/size.mjs']).catch((error) => {
      // Over its budget, it says so by its exit code as well.
      if (SIZE.test(String(error.stdout))) return { stdout: String(error.stdout) };
      throw error;
    });
    const [, bytes] = SIZE.exec(stdout) ?? [];
    if (bytes === undefined) throw new Error(`scripts/size.mjs told no size but ${JSON.stringify(stdout)}`);
    yield {
      platform: 'bundle',
      workload: 'workflow, ProcessEngine, MemoryStorage',
      metric: 'size',
      unit: 'B',
      ...spread([Number(bytes)]),
      goal: GOAL,
    };
  },
};
