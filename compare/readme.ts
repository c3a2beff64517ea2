import { readFileSync, writeFileSync } from 'node:fs';
import { EDGE_FILE, RESULTS_FILE, type Results } from './results.ts';
import { edgeMarkdown, markdown } from './table.ts';

/** What stands between the markers of that name. */
const TABLES = [
  { name: 'compare', from: RESULTS_FILE, markdown },
  { name: 'compare edge', from: EDGE_FILE, markdown: edgeMarkdown },
] as const;
const FILES = ['README.md', '../README.md'].map((file) => new URL(file, import.meta.url));

export function writeTables(): void {
  for (const file of FILES) {
    const text = readFileSync(file, 'utf8');
    const written = withTables(text);
    if (written !== text) writeFileSync(file, written);
  }
}

/** The files with a table that is not that of its results. */
export function staleTables(): readonly string[] {
  return FILES.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return text === withTables(text) ? [] : [file.pathname];
  });
}

/** As it is where it has no markers. */
function withTables(text: string): string {
  return TABLES.reduce((text, { name, from, markdown }) => {
    const begin = `<!-- ${name}: written by \`npm run compare -- --readme\` -->`;
    const end = `<!-- /${name} -->`;
    const [before, rest] = text.split(begin);
    const [block, after] = rest?.split(end) ?? [];
    if (block === undefined || after === undefined) return text;
    const results: Results = JSON.parse(readFileSync(from, 'utf8'));
    return `${before}${begin}\n\n${markdown(results)}\n\n${end}${after}`;
  }, text);
}
