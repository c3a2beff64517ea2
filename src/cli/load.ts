import { register } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

let ready = false;

/**
 * Imports a user's module, JavaScript or TypeScript, by its path. TypeScript runs as it is: Node's own type stripping
 * where it has it (22.18 and newer), `typescript-hooks` where it has not.
 */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  registerTypeScript();
  return import(pathToFileURL(resolve(path)).href);
}

/** From now on `import` takes TypeScript files. */
export function registerTypeScript(): void {
  if (!ready && !stripsTypes()) register('./typescript-hooks.js', import.meta.url);
  ready = true;
}

function stripsTypes(): boolean {
  return 'typescript' in process.features && Boolean(process.features.typescript);
}
