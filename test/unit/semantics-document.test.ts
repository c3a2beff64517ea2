import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

function semantics(root: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/semantics.mjs', root], { encoding: 'utf8' });
  return { status, stdout, problems: stderr.split('\n').filter(Boolean) };
}

test('every sentence of docs/semantics.md has a test that says so', () => {
  expect(semantics('.')).toMatchObject({ status: 0, problems: [] });
});

test('a sentence without a test, or without an id of its own, and a test that proves what nobody said are found', () => {
  const root = mkdtempSync(join(tmpdir(), 'fuseline-semantics-'));
  const write = (file: string, ...lines: readonly string[]) => {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), lines.join('\n'));
  };
  write('docs/semantics.md', '- Proved. [a.one]', '- Not proved. [a.two]', '- Twice. [a.three]', '- Twice. [a.three]');
  write('test/a.test.ts', '// proves: a.one, a.three', "test.each([\n  ['row', 1],\n])('is proved', () => {});");
  write('test/unit/b.test.ts', '  // proves: a.four', "  ['a row', 2],", '// proves: a.one');
  write('src/testing/kinds.ts', '// proves: a.one', "  | 'an invariant'");

  const { status, stdout, problems } = semantics(root);
  expect(status).toBe(1);
  expect(problems).toEqual([
    'docs/semantics.md has two sentences called a.three',
    'test/unit/b.test.ts:1 proves a.four, which nobody promised',
    'test/unit/b.test.ts:3 names a.one above no test',
    'docs/semantics.md promises a.two, and no test proves it',
  ]);
  expect(stdout).toContain('a.one\n  test/a.test.ts:1 › is proved\n');
  expect(stdout).toContain('  src/testing/kinds.ts:1 › an invariant\n');
  rmSync(root, { recursive: true });
});
