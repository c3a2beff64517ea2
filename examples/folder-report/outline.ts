import { bar, number, percent, size } from './format.ts';
import { code, table } from './markdown.ts';
import type { Listing } from './scan.ts';

/** What a folder looks like from above: one chapter of the report. */
export interface Outline {
  readonly title: string;
  readonly text: string;
}

const ROWS = 15;

/** For a small folder: every file. */
export function treeOf({ files: { folders } }: { readonly files: Listing }): Outline {
  const lines: (readonly [name: string, size: string])[] = [];
  const shown = new Set(['']);
  for (const { path, files } of folders) {
    const steps = path === '' ? [] : path.split('/');
    for (const [depth, name] of steps.entries()) {
      const folder = steps.slice(0, depth + 1).join('/');
      if (!shown.has(folder)) lines.push([`${'  '.repeat(depth)}${name}/`, '']);
      shown.add(folder);
    }
    for (const [name, bytes] of files) lines.push([`${'  '.repeat(steps.length)}${name}`, size(bytes)]);
  }
  const width = Math.max(0, ...lines.map(([name]) => name.length));
  const tree = lines.map(([name, bytes]) =>
    `    ${name.replace(/\p{Cc}/gu, '\uFFFD').padEnd(width)}  ${bytes.padStart(9)}`.trimEnd(),
  );
  return { title: 'Every file', text: tree.join('\n') };
}

/** For a large one: where the weight lies. */
export function folderTable({ files: { folders, bytes: all } }: { readonly files: Listing }): Outline {
  const sums = new Map<string, { files: number; bytes: number }>();
  for (const { path, files } of folders) {
    const top = path === '' ? '.' : `${path.split('/', 1)[0]}/`;
    const sum = sums.get(top) ?? { files: 0, bytes: 0 };
    for (const [, bytes] of files) sum.bytes += bytes;
    sum.files += files.length;
    sums.set(top, sum);
  }
  const sorted = [...sums].sort(([, a], [, b]) => b.bytes - a.bytes);
  const heaviest = sorted[0]?.[1].bytes ?? 0;
  const rows = sorted
    .slice(0, ROWS)
    .map(([name, { files, bytes }]) => [
      code(name),
      number(files),
      size(bytes),
      percent(bytes, all),
      bar(bytes, heaviest),
    ]);
  const text = table(
    [
      { title: 'Folder', align: 'left' },
      { title: 'Files', align: 'right' },
      { title: 'Size', align: 'right' },
      { title: 'Share', align: 'right' },
      { title: '', align: 'left' },
    ],
    rows,
  );
  const more = sorted.length - ROWS;
  return { title: 'Where the weight lies', text: more > 0 ? `${text}\n\nand ${number(more)} lighter ones.` : text };
}
