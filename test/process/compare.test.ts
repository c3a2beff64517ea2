import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the tables of the comparison, in its own page and in the README, are those of its results', async () => {
  const check = promisify(execFile)(process.execPath, [
    '--import',
    './scripts/typescript.mjs',
    'compare/main.ts',
    '--check',
  ]);
  await expect(check).resolves.toMatchObject({ stderr: '' });
});
