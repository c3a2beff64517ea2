// Every Node at hand: the one that runs the tests, and the machine's own.
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
const machine = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, executable))
  .find(existsSync);

export const nodes: readonly Node[] = [
  ...new Map([process.execPath, ...(machine === undefined ? [] : [machine])].map((path) => [version(path), path])),
].map(([name, path]) => ({ path, version: name, typescript: runsTypeScript(name) }));

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
