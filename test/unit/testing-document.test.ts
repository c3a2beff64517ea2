import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const document = readFileSync('TESTING.md', 'utf8');

/** What the table says proves a promise: a file, and the name of a test in it or of a group of them. */
function proofs(): readonly (readonly [file: string, name: string])[] {
  let last = '';
  return [...document.matchAll(/`([^`\n]+?) › ([^`\n]+)`/g)].map(([, file = '', name = '']) => {
    if (file !== '…') last = file;
    return [last, name];
  });
}

test('TESTING.md names many tests', () => {
  expect(proofs().length).toBeGreaterThan(30);
});

test.each(proofs())('TESTING.md: %s has › %s', (file, name) => {
  expect(existsSync(file), `${file} is not there`).toBe(true);
  // The first argument of whatever makes a test or a group of them.
  const titles = [...readFileSync(file, 'utf8').matchAll(/\(\s*(['"`])([^\n]+?)\1,/g)].map(([, , title = '']) => title);
  expect(titles.some((title) => isCalled(title, name))).toBe(true);
});

/** A number in the title may be a constant of the test's. */
function isCalled(title: string, name: string): boolean {
  const parts = title.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[0-9]+')}$`).test(name);
}

test('every command TESTING.md names is one of this repository', () => {
  const named = [...document.matchAll(/`npm run ([\w:]+)/g)].map(([, script = '']) => script);
  expect(named.length).toBeGreaterThan(2);
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named));
});
