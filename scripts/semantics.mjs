// Which tests prove which sentence of docs/semantics.md. A sentence ends with its id; a test names the sentences it proves
// in a comment above it. Fails where a sentence has no test, and where one of the two knows what the other does not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [root = '.'] = process.argv.slice(2);
const document = 'docs/semantics.md';
/** Tests, and what they run on every storage and in every simulated world. */
const places = ['test', 'src/testing'];

const ids = [...read(document).matchAll(/\[([a-z-]+\.[a-z-]+)\]/g)].map(([, id]) => id);
const known = new Set(ids);
const proofs = places.flatMap((place) =>
  readdirSync(join(root, place), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => proofsIn(join(place, name))),
);

const problems = [
  ...ids.filter((id, i) => ids.indexOf(id) < i).map((id) => `${document} has two sentences called ${id}`),
  ...proofs.filter(({ id }) => !known.has(id)).map(({ id, at }) => `${at} proves ${id}, which nobody promised`),
  ...proofs.filter(({ title }) => !title).map(({ id, at }) => `${at} names ${id} above no test`),
];
for (const id of known) {
  console.log(id);
  const mine = proofs.filter((proof) => proof.id === id);
  for (const { at, title } of mine) console.log(`  ${at} › ${title}`);
  if (mine.length === 0) problems.push(`${document} promises ${id}, and no test proves it`);
}
for (const problem of problems) console.error(problem);
console.log(`${known.size} sentences, ${proofs.length} proofs, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

function proofsIn(file) {
  const lines = read(file).split('\n');
  return lines.flatMap((line, i) => {
    const [, named] = /^\s*\/\/ proves: (.+)$/.exec(line) ?? [];
    const title = named && titleOf(lines.slice(i + 1));
    return named?.split(', ').map((id) => ({ id, at: `${file}:${i + 1}`, title })) ?? [];
  });
}

/** What a test, or a group of them, is called; of a row in a table, what it begins with. */
function titleOf(below) {
  const code = below.slice(below.findIndex((line) => !/^\s*\/\//.test(line)));
  const isTest = /^\s*(test|describe)\b/.test(code[0]);
  const [, , title] = isTest
    ? (/\(\s*(['"`])([^\n]+?)\1,/.exec(code.join('\n')) ?? [])
    : (/(['"`])(.+?)\1/.exec(code.slice(0, 3).join(' ')) ?? []);
  return title;
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}
