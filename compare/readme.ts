import { readFileSync, writeFileSync } from 'node:fs';
import { RESULTS_FILE } from './results.ts';
import { markdown } from './table.ts';

const BEGIN = '<!-- compare: written by `npm run compare -- --readme` -->';
const END = '<!-- /compare -->';
const FILES = ['README.md', '../README.md'].map((file) => new URL(file, import.meta.url));

export function writeTables(): void {
  const table = tableOfResults();
  for (const { file, text, before, after } of FILES.flatMap(blockOf)) {
    const written = `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
    if (written !== text) writeFileSync(file, written);
  }
}

/** The files whose table is not that of results.json. */
export function staleTables(): readonly string[] {
  const table = tableOfResults();
  return FILES.flatMap(blockOf).flatMap(({ file, block }) => (block.trim() === table ? [] : [file.pathname]));
}

function tableOfResults(): string {
  return markdown(JSON.parse(readFileSync(RESULTS_FILE, 'utf8')));
}

/** None where a file has no markers. */
function blockOf(file: URL) {
  const text = readFileSync(file, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const [block, after] = rest?.split(END) ?? [];
  return before === undefined || block === undefined || after === undefined
    ? []
    : [{ file, text, before, block, after }];
}
