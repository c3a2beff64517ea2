import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const installed = resolve(import.meta.dirname, '../../node_modules');

/** What a reader of the README installs beside the package: the repository has it, and the folder is given it. */
export async function bring(name: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(installed, name), join(folder, 'node_modules', name), 'junction');
}
