// What the core costs a page: bundled, minified, gzipped, the codec included.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

// The goal is 14,000: docs/decisions/0004-what-the-core-weighs.md says why it is missed.
const budgetBytes = 35_500;

const { outputFiles } = await build({
  stdin: {
    contents: `export { workflow, ProcessEngine, MemoryStorage } from 'fuseline';`,
    resolveDir: '.',
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2023',
  write: false,
});
const code = outputFiles[0].contents;
const bytes = gzipSync(code, { level: 9 }).length;
console.log(
  `workflow + ProcessEngine + MemoryStorage: ${code.length} B minified, ${bytes} B gzipped, budget ${budgetBytes} B`,
);
if (bytes > budgetBytes) process.exitCode = 1;
