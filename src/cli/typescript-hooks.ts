import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

/**
 * Loads a `.ts` or `.mts` file of the user as an ES module whose types are erased; line numbers stay. As with Node's own
 * stripping, files in `node_modules` are left alone and imports are kept as written, so that a file which runs here runs
 * on a newer Node too.
 */
export const load: LoadHook = async (url, context, nextLoad) => {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !/\.m?ts$/.test(pathname) || pathname.includes('/node_modules/')) {
    return nextLoad(url, context);
  }
  const filePath = fileURLToPath(url);
  const { code } = transform(await readFile(filePath, 'utf8'), {
    filePath,
    transforms: ['typescript'],
    disableESTransforms: true,
    keepUnusedImports: true,
  });
  return { format: 'module', source: code, shortCircuit: true };
};
