// Puts sucrase inside the one file that needs it: as a dependency it would bring sixteen packages to every user, most of
// them for its own command line. docs/decisions/0002-typescript-files-in-the-cli.md
import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const outfile = 'dist/cli/typescript-hooks.js';
const { metafile } = await build({
  entryPoints: ['src/cli/typescript-hooks.ts'],
  outfile,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
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
  'dist/cli/typescript-hooks.LICENSES.txt',
  `typescript-hooks.js contains code of the following packages.\n\n${licences.join('\n')}`,
);
