import { plain } from '../core/plain.ts';
import type { RunStatus } from '../core/run-state.ts';
import type { StepStatus } from '../core/views.ts';
import { clip, safeJson, widthOf } from './text.ts';

const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;

export type Style = keyof typeof SGR;
export type Paint = (style: Style, text: string) => string;

/** Colours where a person looks at a terminal that has them: `NO_COLOR`, `FORCE_COLOR` and `TERM` are heeded. */
export function painter(stream: NodeJS.WriteStream): Paint {
  if (!stream.isTTY || !stream.hasColors()) return (_, text) => text;
  return (style, text) => `\x1b[${SGR[style][0]}m${text}\x1b[${SGR[style][1]}m`;
}

/** Columns a table may take; no bound where the output goes to a program. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY;
}

const SIGNS: Readonly<Record<StepStatus | RunStatus, readonly [sign: string, style: Style]>> = {
  PENDING: ['○', 'dim'],
  RUNNING: ['●', 'cyan'],
  PAUSED: ['‖', 'yellow'],
  SUCCEEDED: ['✓', 'green'],
  FAILED: ['✗', 'red'],
  SKIPPED: ['–', 'dim'],
  CANCELLED: ['⊘', 'yellow'],
};

/** Sign and word: no state by colour alone. */
export function statusText(status: StepStatus | RunStatus): string {
  return `${SIGNS[status][0]} ${status}`;
}

export function statusStyle(status: StepStatus | RunStatus): Style {
  return SIGNS[status][1];
}

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Column {
  readonly head: string;
  /** Gives way when the table is too wide: `goes` altogether, first of all; is shortened; is shortened if all else failed. */
  readonly narrow?: 'goes' | 'shrinks' | 'shrinks-last';
}

export interface Row {
  readonly cells: readonly Cell[];
  /** Lines under the row, as wide as the table may be. */
  readonly below?: readonly Cell[];
}

const GAP = '  ';
const LEAST = 8;

/** A table of at most so many columns, heads dimmed, no rules. */
export function table(columns: readonly Column[], rows: readonly Row[], most: number, paint: Paint): string {
  const cellAt = (row: Row, at: number): Cell => row.cells[at] ?? { text: '' };
  const all = columns.map(({ head, narrow }, at) => ({
    at,
    head,
    narrow,
    width: Math.max(widthOf(head), ...rows.map((row) => widthOf(cellAt(row, at).text))),
  }));
  const total = (some: typeof all): number => some.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
  const shown = total(all) > most ? all.filter(({ narrow }) => narrow !== 'goes') : all;
  while (total(shown) > most) {
    const widest = (['shrinks', 'shrinks-last'] as const)
      .map((when) => shown.filter(({ narrow, width }) => narrow === when && width > LEAST))
      .find((some) => some.length > 0)
      ?.sort((one, other) => other.width - one.width)[0];
    if (!widest) break;
    widest.width--;
  }
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, style }, i) => {
        const { width } = shown[i] as (typeof shown)[number];
        const fitted = clip(text, width);
        const padding = i === cells.length - 1 ? '' : ' '.repeat(width - widthOf(fitted));
        return (style ? paint(style, fitted) : fitted) + padding;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(shown.map(({ head }) => ({ text: head, style: 'dim' }))),
    ...rows.flatMap((row) => [
      line(shown.map(({ at }) => cellAt(row, at))),
      ...(row.below ?? []).map(({ text, style }) => (style ? paint(style, text) : text)),
    ]),
  ].join('\n');
}

/** Local time, ISO 8601 without the zone: `2026-03-01 17:04:59`. */
export function localTime(at: number): string {
  const zone = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - zone).toISOString().slice(0, 19).replace('T', ' ');
}

/** A value as a JSON document, safe to show on a terminal. `indent` 0: in one line. */
export function json(value: unknown, indent = 0): string {
  return safeJson(JSON.stringify(plain(value) ?? null, undefined, indent));
}
