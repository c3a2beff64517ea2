import { join } from 'node:path';
import type { Context } from 'fuseline';
import { languageOf } from './languages.ts';
import { inParts } from './parts.ts';
import { forEachOf, readFile } from './read.ts';
import { type File, filesOf, type Listing, type Unreadable } from './scan.ts';
import type { Task } from './workflow.ts';

export interface LineCount {
  /** Most lines first. */
  readonly languages: readonly Language[];
  readonly lines: number;
  readonly longest: readonly Lines[];
  /** Files that are not text. */
  readonly binary: Amount;
  readonly vanished: number;
  readonly unreadable: readonly Unreadable[];
}

export interface Language extends Amount {
  readonly name: string;
  readonly lines: number;
}

interface Amount {
  readonly files: number;
  readonly bytes: number;
}

interface Lines {
  readonly path: string;
  readonly lines: number;
}

const OTHER = 'Other text';
const TOP = 10;
/** Where git looks for a zero byte, and for the same reason. */
const PROBE_BYTES = 8000;
const NEWLINE = 0x0a;

export async function countLines(
  { task, files }: { readonly task: Task; readonly files: Listing },
  context: Context,
): Promise<LineCount> {
  const parts = await inParts(filesOf(files), task, context, (part) => countPart(task.folder, part, context.signal));
  return sum(parts);
}

async function countPart(folder: string, files: readonly File[], signal: AbortSignal): Promise<LineCount> {
  return sum(
    await forEachOf(files, async ({ path, bytes }) => {
      const reading = await readFile(join(folder, path), signal, linesIn);
      if (reading.status === 'vanished') return { ...NOTHING, vanished: 1 };
      if (reading.status === 'unreadable') return { ...NOTHING, unreadable: [{ path, reason: reading.reason }] };
      if (reading.value === 'binary') return { ...NOTHING, binary: { files: 1, bytes } };
      const lines = reading.value;
      const languages = [{ name: languageOf(path) ?? OTHER, files: 1, bytes, lines }];
      return { ...NOTHING, languages, lines, longest: [{ path, lines }] };
    }),
  );
}

const NOTHING: LineCount = {
  languages: [],
  lines: 0,
  longest: [],
  binary: { files: 0, bytes: 0 },
  vanished: 0,
  unreadable: [],
};

async function linesIn(pieces: AsyncIterable<Buffer>): Promise<number | 'binary'> {
  let lines = 0;
  let seen = 0;
  let last = NEWLINE;
  for await (const piece of pieces) {
    if (seen < PROBE_BYTES && piece.subarray(0, PROBE_BYTES - seen).includes(0)) return 'binary';
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) lines++;
    seen += piece.length;
    last = piece.at(-1) ?? last;
  }
  return last === NEWLINE ? lines : lines + 1;
}

function sum(counts: readonly LineCount[]): LineCount {
  const languages = new Map<string, Language>();
  for (const one of counts.flatMap(({ languages }) => languages)) {
    const { files, bytes, lines } = languages.get(one.name) ?? { files: 0, bytes: 0, lines: 0 };
    languages.set(one.name, {
      name: one.name,
      files: files + one.files,
      bytes: bytes + one.bytes,
      lines: lines + one.lines,
    });
  }
  const total = (of: (count: LineCount) => number) => counts.reduce((sum, count) => sum + of(count), 0);
  return {
    languages: [...languages.values()].sort((a, b) => b.lines - a.lines || (a.name < b.name ? -1 : 1)),
    lines: total(({ lines }) => lines),
    longest: counts
      .flatMap(({ longest }) => longest)
      .sort((a, b) => b.lines - a.lines)
      .slice(0, TOP),
    binary: { files: total(({ binary }) => binary.files), bytes: total(({ binary }) => binary.bytes) },
    vanished: total(({ vanished }) => vanished),
    unreadable: counts.flatMap(({ unreadable }) => unreadable),
  };
}
