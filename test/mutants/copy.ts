import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, withFault } from './fault.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

/** A copy of the sources with at most one fault, where the packages they use are found. */
export function copySources(fault: Fault | undefined): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'fuseline-mutant-'));
  cpSync(join(REPOSITORY, 'src'), join(directory, 'src'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'), 'junction');
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  if (fault) {
    const path = join(directory, 'src', fault.file);
    writeFileSync(path, withFault(readFileSync(path, 'utf8'), fault));
  }
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}

/** The file a fault belongs to, as it is now. */
export function sourceOf({ file }: Fault): string {
  return readFileSync(join(REPOSITORY, 'src', file), 'utf8');
}
