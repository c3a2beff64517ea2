import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type ApiReport, type Entry, entries, report, reports } from './api-report.ts';

const project = inject('project');
const tarball = inject('tarball');
const installed = join(project, 'node_modules/fuseline');

// Beside node_modules: what lies inside is foreign to API Extractor, and it leaves that out of a report.
const unpacked = join(project, 'unpacked');

let scratch: string;
beforeAll(async () => {
  await cp(installed, unpacked, { recursive: true });
  scratch = await mkdtemp(join(tmpdir(), 'fuseline-api-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('publint has nothing to say about the tarball', async () => {
  const file = await readFile(tarball);
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  const { messages } = await publint({ pack: { tarball: new Uint8Array(file).buffer }, strict: true });
  expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
});

test('the types resolve from every kind of ESM project, and from a bundler', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
  if (!analysis.types) throw new Error('The tarball carries no types.');
  expect(Object.keys(analysis.entrypoints).sort()).toEqual([
    '.',
    './durable-object',
    './elements',
    './http',
    './indexeddb',
    './node',
    './package.json',
    './sqlite',
    './testing',
    './typescript',
    './ui',
  ]);
  // The two ways that know no ESM package: resolution of before 2020, and require() from CommonJS.
  const concernsEsm = (problem: (typeof analysis.problems)[number]) =>
    !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind));
  expect(analysis.problems.filter(concernsEsm)).toEqual([]);
});

/** Of each entry once. */
const known = new Map<Entry, ApiReport>();
function reportOf(entry: Entry): ApiReport {
  const found = known.get(entry) ?? report('verify', entry, unpacked, scratch);
  known.set(entry, found);
  return found;
}

test.each(entries)('the public surface of $name is the one in docs/api', (entry) => {
  expect(
    reportOf(entry).changed,
    `The public surface of ${entry.name} is no longer what docs/api/${entry.report} says. If users shall get this change, run \`npm run api\`, commit the file, and tell them in CHANGELOG.md.`,
  ).toBe(false);
});

// Parts of a shape, and the workings of inference: nobody writes them down.
const workings = new Map([
  ['fuseline/node', ['FileStatus', 'LogStats']],
  [
    'fuseline/testing',
    [
      'AnyFake',
      'CorpusAct',
      'CorpusCondition',
      'FakeOf',
      'GivenTo',
      'Moment',
      'StepCalled',
      'WorldPlan',
      'WorldReport',
    ],
  ],
]);

test.each(entries.slice(1))('every type of $name that a user may have to name can be imported', async (entry) => {
  // What `fuseline` itself exports is imported from there.
  const [main] = entries;
  const declared = await readFile(resolve(reports, main?.report ?? ''), 'utf8');
  const missing = reportOf(entry).unexported.filter(
    (name) => !new RegExp(`^export (abstract )?(class|interface|type) ${name}\\b`, 'm').test(declared),
  );
  expect(missing.sort(), `Export the types that are new here from ${entry.name}, or from fuseline.`).toEqual(
    workings.get(entry.name) ?? [],
  );
});
