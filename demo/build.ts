/** Builds the page as static files that any host can serve. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type GraphLayout, type GraphShape, layoutGraph } from 'fuseline/elements';
import { compileGraph } from '../src/core/graph.ts';
import { arrowsOf } from '../src/elements/arrows.ts';
import { NODE_SIZE } from './page/places.ts';
import { photoWorkflow } from './photos/workflow.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const STATIC = ['page/index.html', 'page/edge.html', '../src/ui/page/icon.svg', 'page/manifest.webmanifest'] as const;

/** Returns the directory of the files, which is emptied first. */
export async function buildPage(out: string = here('dist')): Promise<string> {
  await rm(out, { recursive: true, force: true });
  const terms = { bundle: true, minify: true, format: 'esm', target: 'es2023', legalComments: 'none' } as const;
  await build({
    ...terms,
    entryPoints: [
      { out: 'page', in: here('page/main.ts') },
      { out: 'page', in: here('page/page.css') },
      { out: 'engine', in: here('workers/engine.ts') },
      // The storage looks for it beside itself, and finds itself in the page's files.
      { out: 'clock-worker', in: here('../dist/adapters/indexeddb/clock-worker.js') },
    ],
    external: ['icon.svg'],
    outdir: out,
    define: { PLACED: JSON.stringify(await placed()) },
    splitting: true,
    chunkNames: 'shared-[hash]',
  });
  // By itself: what it shared with the page would come to the page in more and larger pieces.
  await build({
    ...terms,
    entryPoints: [
      { out: 'edge', in: here('page/edge.ts') },
      { out: 'edge', in: here('page/edge.css') },
    ],
    external: ['icon.svg'],
    outdir: out,
    splitting: true,
    chunkNames: 'edge-[hash]',
  });
  await Promise.all(STATIC.map((name) => cp(here(name), `${out}/${basename(name)}`)));

  // The page of the edge is of no use without a network.
  const files = (await readdir(out)).filter((name) => !name.startsWith('edge')).sort();
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

/** Where the steps of the photos' graph are, as `layout` in page/places.ts asks for them. */
async function placed(): Promise<{ readonly shape: string; readonly layout: GraphLayout }> {
  const graph = compileGraph(photoWorkflow(async () => undefined).graph());
  const shape: GraphShape = {
    nodes: graph.steps.length,
    edges: arrowsOf(graph).map(({ from, to }) => [from, to]),
    size: NODE_SIZE,
    direction: 'right',
  };
  return { shape: JSON.stringify(shape), layout: await layoutGraph(shape) };
}
