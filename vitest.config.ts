import { defineConfig } from 'vitest/config';

// 'fuseline' in a test means the sources, here as in tsc and in `node --conditions=source`.
// The others are Vite's own.
const conditions = ['source', 'module', 'node', 'development|production'];
const project = (name: string, include: string, options: { readonly testTimeout?: number } = {}) => ({
  extends: true as const,
  test: { name, include: [include], ...options },
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', './scripts/plain-summary.mjs'],
    projects: [
      project('unit', 'test/unit/**/*.test.ts'),
      project('store', 'test/store/**/*.test.ts', { testTimeout: 30_000 }),
      project('corpus', 'test/corpus/**/*.test.ts', { testTimeout: 60_000 }),
      project('process', 'test/process/**/*.test.ts', { testTimeout: 60_000 }),
      project('readme', 'test/readme/**/*.test.ts', { testTimeout: 60_000 }),
    ],
  },
});
