/** Builds the page as static files that any host can serve. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const STATIC = ['index.html', 'page.css', 'icon.svg', 'manifest.webmanifest'] as const;

/** Returns the directory of the files. */
export async function buildPage(): Promise<string> {
  const out = here('dist');
  await rm(out, { recursive: true, force: true });
  const terms = { bundle: true, minify: true, format: 'esm', target: 'es2023', legalComments: 'none' } as const;
  await build({
    ...terms,
    entryPoints: {
      page: here('page/main.ts'),
      engine: here('workers/engine.ts'),
      // The storage looks for it beside itself, and finds itself in the page's files.
      'clock-worker': here('../dist/adapters/indexeddb/clock-worker.js'),
    },
    outdir: out,
    splitting: true,
    chunkNames: 'shared-[hash]',
  });
  await Promise.all(STATIC.map((name) => cp(here(`page/${name}`), `${out}/${name}`)));

  const files = (await readdir(out)).sort();
  const contents = await Promise.all(files.map((name) => readFile(`${out}/${name}`)));
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content);
  await build({
    ...terms,
    entryPoints: { offline: here('workers/offline.ts') },
    outdir: out,
    define: {
      BUILD: JSON.stringify(hash.digest('hex').slice(0, 12)),
      FILES: JSON.stringify(files.map((name) => (name === 'index.html' ? './' : name))),
    },
  });
  return out;
}
