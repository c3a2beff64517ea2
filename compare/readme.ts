import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- compare: written by `npm run compare -- --readme` -->';
const END = '<!-- /compare -->';

/** What stands between the markers, or `undefined` where there are none. */
export function betweenMarkers(text: string): string | undefined {
  const [, rest] = text.split(BEGIN);
  return rest?.split(END)[0]?.trim();
}

export function writeBetweenMarkers(file: URL, block: string): void {
  const text = readFileSync(file, 'utf8');
  const before = betweenMarkers(text);
  if (before === undefined) {
    console.log(`${file.pathname} has no line ${BEGIN}`);
    return;
  }
  const [head] = text.split(BEGIN);
  const [, tail] = text.split(END);
  writeFileSync(file, `${head}${BEGIN}\n\n${block}\n\n${END}${tail}`);
}
