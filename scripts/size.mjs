// What a page pays, and what a deploy uploads: bundled, minified, gzipped, the codec included.
import { execSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { files } from '../dist/ui/files.js';

const core = await gzipped(`export { workflow, ProcessEngine, MemoryStorage } from 'fuseline';`);
const page = await gzipped(`export { workflow, ProcessEngine } from 'fuseline';
export { IndexedDBStorage } from 'fuseline/indexeddb';`);

// The goal is 14,000: docs/decisions/0004-what-the-core-weighs.md says why it is missed.
report('workflow + ProcessEngine + MemoryStorage', core, 45_800);
report('what IndexedDBStorage with idb adds to the core, instead of MemoryStorage', page - core, 6_200);

// The goal was 45,000: docs/decisions/0007-the-edge.md says why it is missed.
report('the Worker of wrangler.toml: engine, objects, Hono, all routes', deployed(), 74_900);

const uiBytes = Object.values(files).map(({ text }) => gzipSync(text, { level: 9 }).length);
report(
  'the page of fuseline ui, all of its files',
  uiBytes.reduce((sum, bytes) => sum + bytes, 0),
  94_700,
);

/** What `wrangler deploy` would upload. */
function deployed() {
  const out = mkdtempSync(join(tmpdir(), 'fuseline-deploy-'));
  try {
    // By npm, which brings the Node that wrangler needs, whichever this is.
    execSync(`npm exec -- wrangler deploy --dry-run --outdir ${JSON.stringify(out)}`, {
      env: { ...process.env, WRANGLER_HIDE_BANNER: 'true', WRANGLER_LOG: 'error', WRANGLER_SEND_METRICS: 'false' },
    });
    return gzipSync(readFileSync(join(out, 'worker.js')), { level: 9 }).length;
  } finally {
    rmSync(out, { recursive: true });
  }
}

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
