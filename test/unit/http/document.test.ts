import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { routes } from '../../../src/http/app.ts';
import { openApi } from '../../../src/http/openapi.ts';
import { STATUSES } from '../../../src/http/statuses.ts';

const document = readFileSync('docs/http.md', 'utf8');

/** The rows of the table under a heading, cell by cell. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
}

test('the document of the routes is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate({ ...openApi(routes, 'http://localhost/') });
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('every route has a name of its own, and declares the parameters of its path', () => {
  expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
  for (const { at, path = {} } of routes)
    expect([at, Object.keys(path)]).toEqual([at, [...at.matchAll(/:(\w+)/g)].map(([, name]) => name)]);
});

test('docs/http.md has every route, and whom it is for', () => {
  const declared = routes.map(({ method, at, for: admitted }) => [`${method} ${at}`, [admitted].flat().join(', ')]);
  expect(
    rowsUnder('Routes')
      .map(([route, admitted]) => [route, admitted])
      .sort(),
  ).toEqual(declared.sort());
});

test('the approval in docs/edge.md is the one that is tested in workerd', () => {
  expect(readFileSync('docs/edge.md', 'utf8')).toContain(readFileSync('test/workers/approval.ts', 'utf8'));
});

test('docs/http.md has every code that refuses, and its status', () => {
  const statuses = new Map(rowsUnder('Errors').map(([code = '', status = '']) => [code, Number.parseInt(status, 10)]));
  expect(statuses).toEqual(new Map<string, number>([...STATUSES, ['INTERNAL', 500]]));
});
