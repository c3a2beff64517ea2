import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Context, Outcome } from 'fuseline';
import type { LineCount } from './count.ts';
import type { Duplicates } from './duplicates.ts';
import { amount, bar, number, percent, size } from './format.ts';
import { code, table } from './markdown.ts';
import type { Outline } from './outline.ts';
import type { File, Listing, Unreadable } from './scan.ts';
import type { Task } from './workflow.ts';

/** What the hashing came to; a report is written even where it failed. */
export type Audit =
  | { readonly status: 'compared'; readonly found: Duplicates }
  | { readonly status: 'not compared'; readonly reason: string };

export interface Findings {
  readonly task: Task;
  readonly files: Listing;
  readonly lines: LineCount;
  readonly largest: readonly File[];
  readonly audit: Audit;
  readonly outline: Outline;
}

/** What a terminal says of it. */
export interface Summary {
  readonly report: string;
  readonly sentence: string;
}

const LANGUAGES = 15;
const NAMED = 10;

export function auditOf({ copies }: { readonly copies: Outcome<Duplicates> }): Audit {
  if (copies.status === 'SUCCEEDED') return { status: 'compared', found: copies.value };
  return {
    status: 'not compared',
    reason: copies.status === 'FAILED' ? copies.error.message : `the step was ${copies.status.toLowerCase()}`,
  };
}

/** Writes the whole file or nothing, so it may be done again after any crash. */
export async function writeReport(findings: Findings, { runId }: Context): Promise<Summary> {
  const { report } = findings.task;
  await mkdir(dirname(report), { recursive: true });
  await writeFile(`${report}.part`, render(findings, runId));
  await rename(`${report}.part`, report);
  return { report, sentence: headline(findings) };
}

export function render(findings: Findings, runId: string): string {
  const { task, outline, files } = findings;
  const chapters = [
    `# ${code(basename(task.folder) || task.folder)}`,
    `**${headline(findings)}**`,
    highlights(findings),
    ...(files.count === 0
      ? []
      : [languages(findings), `## ${outline.title}\n\n${outline.text}`, heaviest(findings), duplicates(findings)]),
    leftOut(findings),
    `---\n\nWritten by run \`${runId}\` of the workflow \`folder-report\` about ${code(task.folder)}.`,
  ];
  return `${chapters.filter((chapter) => chapter !== '').join('\n\n')}\n`;
}

function headline({ files, lines }: Pick<Findings, 'files' | 'lines'>): string {
  if (files.count === 0) return 'There are no files in it.';
  return `${amount(files.count, 'file')}, ${amount(lines.lines, 'line')} of text, ${size(files.bytes)}.`;
}

function highlights({ files, lines, largest, audit }: Findings): string {
  const [language] = lines.languages;
  const [largestFile] = largest;
  return [
    language && `Most of it is ${language.name}: ${percent(language.lines, lines.lines)} of the lines.`,
    largestFile &&
      `The largest file, ${code(largestFile.path)}, makes up ${percent(largestFile.bytes, files.bytes)} of the bytes.`,
    audit.status === 'compared' &&
      audit.found.spare > 0 &&
      `${amount(audit.found.spare, 'file')} could go: ${size(audit.found.wasted)} lie here more than once.`,
  ]
    .filter(Boolean)
    .join(' ');
}

function languages({ lines }: Findings): string {
  if (lines.languages.length === 0) return '';
  const most = lines.languages[0]?.lines ?? 0;
  const rows = lines.languages
    .slice(0, LANGUAGES)
    .map((one) => [
      one.name,
      number(one.files),
      number(one.lines),
      percent(one.lines, lines.lines),
      bar(one.lines, most),
    ]);
  const text = table(
    [
      { title: 'Language', align: 'left' },
      { title: 'Files', align: 'right' },
      { title: 'Lines', align: 'right' },
      { title: 'Share', align: 'right' },
      { title: '', align: 'left' },
    ],
    rows,
  );
  const more = lines.languages.length - LANGUAGES;
  return `## Lines by language\n\n${text}${more > 0 ? `\n\nand ${number(more)} more.` : ''}`;
}

function heaviest({ largest, lines }: Findings): string {
  const bySize = table(
    [
      { title: 'Largest files', align: 'left' },
      { title: 'Size', align: 'right' },
    ],
    largest.map(({ path, bytes }) => [code(path), size(bytes)]),
  );
  const byLines = table(
    [
      { title: 'Longest files', align: 'left' },
      { title: 'Lines', align: 'right' },
    ],
    lines.longest.map(({ path, lines }) => [code(path), number(lines)]),
  );
  return `## The heavy ones\n\n${bySize}${lines.longest.length > 0 ? `\n\n${byLines}` : ''}`;
}

function duplicates({ audit }: Findings): string {
  const title = '## The same content more than once';
  if (audit.status === 'not compared') return `${title}\n\nThis could not be found out: ${audit.reason}`;
  const { groups, spare, hashed } = audit.found;
  if (spare === 0)
    return `${title}\n\nNone: ${hashed === 0 ? 'no two files have the same size' : `${amount(hashed, 'file')} of equal sizes were compared`}.`;
  const rows = groups.map(({ bytes, copies, paths }) => {
    const hidden = copies - paths.length;
    return [
      String(copies),
      size(bytes),
      `${paths.map(code).join(', ')}${hidden > 0 ? ` and ${number(hidden)} more` : ''}`,
    ];
  });
  const text = table(
    [
      { title: 'Copies', align: 'right' },
      { title: 'Size of each', align: 'right' },
      { title: 'Where', align: 'left' },
    ],
    rows,
  );
  return `${title}\n\n${text}`;
}

function leftOut({ files: { leftOut }, lines }: Findings): string {
  const unreadable = [...leftOut.unreadable, ...lines.unreadable];
  const items = [
    lines.binary.files > 0 &&
      `${amount(lines.binary.files, 'binary file')} (${size(lines.binary.bytes)}): no lines to count`,
    leftOut.junk.length > 0 &&
      `${leftOut.junk.slice(0, NAMED).map(code).join(', ')}${leftOut.junk.length > NAMED ? ` and ${number(leftOut.junk.length - NAMED)} more like them` : ''}: not looked into`,
    leftOut.links > 0 && `${amount(leftOut.links, 'symbolic link')}: not followed`,
    leftOut.others > 0 && `${amount(leftOut.others, 'special file')}: sockets, pipes, devices`,
    unreadable.length > 0 &&
      `could not be read: ${unreadable.slice(0, NAMED).map(reasoned).join(', ')}${unreadable.length > NAMED ? ` and ${number(unreadable.length - NAMED)} more` : ''}`,
    lines.vanished > 0 && `${amount(lines.vanished, 'file')} vanished between the scan and the count`,
    leftOut.beyond > 0 && `${amount(leftOut.beyond, 'folder')} and what is below: the listing was full`,
  ].filter((item) => item !== false);
  return items.length === 0 ? '' : `## Not counted\n\n${items.map((item) => `- ${item}`).join('\n')}`;
}

function reasoned({ path, reason }: Unreadable): string {
  return `${code(path)} (${reason})`;
}
