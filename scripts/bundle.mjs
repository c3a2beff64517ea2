// Puts a package inside the one file that needs it, where as a dependency it would cost every user more than it gives:
// sucrase brings sixteen packages, most of them for its own command line
// (docs/decisions/0002-typescript-files-in-the-cli.md); dagre, without its source maps, is a fiftieth of its size.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { build } from 'esbuild';

const inside = [
  { file: 'cli/typescript-hooks', platform: 'node', target: 'node20.19' },
  { file: 'elements/dagre', platform: 'neutral', target: 'es2023' },
];

for (const { file, platform, target } of inside) {
  const { metafile } = await build({
    entryPoints: [`src/${file}.ts`],
    outfile: `dist/${file}.js`,
    bundle: true,
    minify: true,
    format: 'esm',
    platform,
    target,
    mainFields: ['module', 'main'],
    metafile: true,
    logLevel: 'warning',
  });
  await tellLicences(file, metafile);
}

// The page of fuseline/ui, as texts: they are served where there are no files, too.
const page = await build({
  entryPoints: [
    { out: 'page', in: 'dist/ui/page/main.js' },
    { out: 'page', in: 'src/ui/page/page.css' },
  ],
  external: ['icon.svg'],
  outdir: 'dist/ui',
  bundle: true,
  minify: true,
  splitting: true,
  chunkNames: 'shared-[hash]',
  format: 'esm',
  target: 'es2023',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});
const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const texts = page.outputFiles.map(({ path, text }) => [basename(path), text]);
for (const name of ['index.html', 'icon.svg']) texts.push([name, await readFile(`src/ui/page/${name}`, 'utf8')]);
const files = Object.fromEntries(texts.map(([name, text]) => [name, { type: types[extname(name)], text }]));
await writeFile('dist/ui/files.js', `export const files = ${JSON.stringify(files)};\n`);
await tellLicences('ui/files', page.metafile);

async function tellLicences(file, metafile) {
  const packages = new Set(
    Object.keys(metafile.inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]),
  );
  packages.delete(undefined);
  const licences = [];
  for (const name of [...packages].sort()) {
    licences.push(`${name}\n\n${(await readFile(`node_modules/${name}/LICENSE`, 'utf8')).trim()}\n`);
  }
  await writeFile(
    `dist/${file}.LICENSES.txt`,
    `${basename(file)}.js contains code of the following packages.\n\n${licences.join('\n')}`,
  );
}
