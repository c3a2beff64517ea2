// Which Nodes try the package: the oldest there is support for, and one that runs TypeScript, as far as they are found.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface Node {
  readonly path: string;
  readonly version: string;
  /** Since 22.18 a TypeScript file runs as it is. */
  readonly typescript: boolean;
}

const executable = process.platform === 'win32' ? 'node.exe' : 'node';
const installed = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, executable))
  .filter(existsSync);

/** The one that runs the tests, and those of the machine. */
const found = [process.execPath, ...installed].map((path): Node => {
  const name = version(path);
  return { path, version: name, typescript: runsTypeScript(name) };
});

export const oldest: Node | undefined = found.find(({ version }) => version.startsWith('v20.'));
export const modern: Node | undefined = found.find(({ typescript }) => typescript);

/** Where there is neither, whatever runs the tests. */
export const nodes: readonly Node[] =
  oldest || modern ? [modern, oldest].filter((node) => node !== undefined) : found.slice(0, 1);

/** The environment of a shell in which `node` is this one. */
export const shell = (node: Node, variables: Readonly<Record<string, string>> = {}) => ({
  ...process.env,
  ...variables,
  PATH: [dirname(node.path), process.env.PATH].join(delimiter),
});

function version(path: string) {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
}

function runsTypeScript(name: string) {
  const [major = 0, minor = 0] = name.slice(1).split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}
