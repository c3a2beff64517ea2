import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };
import { chromiumArgs, findChromium, type IndexedDBBackend, profiles, without } from './scripts/chromium.ts';
import { Interleaved } from './scripts/sequencer.ts';

// An entry of the package means its source here; child processes of tests get the built package, as a user would.
const sources = Object.entries(manifest.exports).flatMap(([entry, target]) =>
  typeof target === 'string'
    ? []
    : {
        find: new RegExp(`^${entry.replace('.', manifest.name)}$`),
        replacement: resolve(target.default.replace('dist', 'src').replace(/js$/, 'ts')),
      },
);

/**
 * Much of what a file costs is a process for it, and to load what all of them load: here one follows the other in the
 * same. They share globals and modules: a test puts back what it replaces.
 */
const project = (
  name: string,
  options: {
    readonly include?: string[];
    readonly testTimeout?: number;
    readonly globalSetup?: string | string[];
  } = {},
) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], isolate: false, ...options },
});

/** A real browser with a profile of its own. */
const chromium = (backend: IndexedDBBackend, feature: string) => ({
  name: `IndexedDB on ${backend}`,
  provide: { backend },
  browser: 'chromium' as const,
  provider: playwright({
    persistentContext: join(profiles, backend),
    launchOptions: { executablePath: findChromium() ?? '', args: [...chromiumArgs, feature] },
  }),
});

// Tests start some six hundred processes, and a sixth of a start is to compile the same modules.
process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compiled');

export default defineConfig({
  resolve: { alias: sources },
  test: {
    // Much of what the tests of processes do is to wait for others.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: Interleaved },
    // To build a page and to launch a browser takes a second or two, and ten times that on a machine that is busy.
    hookTimeout: 60_000,
    reporters: ['default', './scripts/plain-summary.mjs'],
    projects: [
      project('unit', { testTimeout: 30_000 }),
      project('simulation', { testTimeout: 60_000 }),
      project('features', { testTimeout: 30_000 }),
      project('store', { testTimeout: 30_000 }),
      project('corpus', { testTimeout: 180_000 }),
      project('process', { testTimeout: 120_000, globalSetup: ['./scripts/chromium.ts', './scripts/build-first.mjs'] }),
      project('journals', { testTimeout: 60_000, globalSetup: './scripts/build-first.mjs' }),
      {
        extends: true,
        optimizeDeps: { include: ['devalue', 'idb'] },
        test: {
          name: 'browser',
          include: ['test/browser/page/**/*.test.ts'],
          globalSetup: ['./scripts/chromium.ts', './test/browser/provide-corpus.ts'],
          // Beside the others, pages and tabs took longer than one after the other.
          fileParallelism: false,
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [
              chromium('LevelDB', without('IdbSqliteBackingStore', 'IdbSqliteOnDiskRollout')),
              chromium('SQLite', '--enable-features=IdbSqliteBackingStore'),
            ],
          },
        },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './test/workers/wrangler.toml' } })],
        test: {
          name: 'workers',
          include: ['test/workers/**/*.test.ts'],
          globalSetup: './test/browser/provide-corpus.ts',
          testTimeout: 60_000,
          // A workerd for many files: one for each is twice the work.
          setupFiles: './test/workers/afresh.ts',
          isolate: false,
        },
      },
      project('tabs', {
        include: ['test/browser/tabs/**/*.test.ts'],
        testTimeout: 60_000,
        globalSetup: ['./scripts/chromium.ts', './scripts/build-first.mjs'],
      }),
      {
        extends: true,
        test: {
          name: 'dom',
          include: ['test/dom/**/*.test.ts'],
          environment: 'happy-dom',
          testTimeout: 30_000,
          // It has no animations.
          environmentOptions: { happyDOM: { settings: { device: { prefersReducedMotion: 'reduce' } } } },
        },
      },
      project('elements', { testTimeout: 60_000, globalSetup: './scripts/chromium.ts' }),
      project('demo', { testTimeout: 60_000, globalSetup: ['./scripts/chromium.ts', './scripts/build-first.mjs'] }),
      project('package', { testTimeout: 60_000, globalSetup: ['./scripts/chromium.ts', './test/package/install.ts'] }),
    ],
  },
});
