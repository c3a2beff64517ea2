// What a page pays: bundled, minified, gzipped, the codec included.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const core = await gzipped(`export { workflow, ProcessEngine, MemoryStorage } from 'fuseline';`);
const page = await gzipped(`export { workflow, ProcessEngine } from 'fuseline';
export { IndexedDBStorage } from 'fuseline/indexeddb';`);

// The goal is 14,000: docs/decisions/0004-what-the-core-weighs.md says why it is missed.
report('workflow + ProcessEngine + MemoryStorage', core, 36_000);
report('what IndexedDBStorage with idb adds to the core, instead of MemoryStorage', page - core, 6_000);

async function gzipped(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

function report(what, bytes, budgetBytes) {
  console.log(`${what}: ${bytes} B gzipped, budget ${budgetBytes} B`);
  if (bytes > budgetBytes) process.exitCode = 1;
}
