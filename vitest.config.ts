import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };

// An entry of the package means its source here; child processes of tests get the built package, as a user would.
const sources = Object.entries(manifest.exports).flatMap(([entry, target]) =>
  typeof target === 'string'
    ? []
    : {
        find: new RegExp(`^${entry.replace('.', manifest.name)}$`),
        replacement: resolve(target.default.replace('dist', 'src').replace(/js$/, 'ts')),
      },
);

const project = (name: string, options: { readonly testTimeout?: number; readonly globalSetup?: string } = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  resolve: { alias: sources },
  test: {
    reporters: ['default', './scripts/plain-summary.mjs'],
    projects: [
      project('unit'),
      project('store', { testTimeout: 30_000 }),
      project('corpus', { testTimeout: 60_000 }),
      project('process', { testTimeout: 60_000, globalSetup: './scripts/build-first.mjs' }),
      project('package', { testTimeout: 60_000, globalSetup: './test/package/install.ts' }),
    ],
  },
});
