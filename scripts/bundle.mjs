// Puts a package inside the one file that needs it, where as a dependency it would cost every user more than it gives:
// sucrase brings sixteen packages, most of them for its own command line
// (docs/decisions/0002-typescript-files-in-the-cli.md); dagre, without its source maps, is a fiftieth of its size.
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
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
