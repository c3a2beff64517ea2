import { type Family, type Figure, type Goal, meets } from './figures.ts';

const WIDTHS = [42, 18, 17, 16, 11, 8, 21, 3] as const;

export const HEADING = line(['', 'platform', 'metric', 'median', 'raw', 'ratio', 'min … max', 'n', 'goal']);

export function heading({ name, about }: Family): string {
  return `\n${name}: ${about}`;
}

export function row(figure: Figure): string {
  const { platform, workload, metric, unit, value, raw, ratio, min, max, n, goal } = figure;
  return line([
    workload,
    platform,
    metric,
    `${number(value)} ${unit}`,
    raw === undefined ? '' : number(raw),
    ratio === undefined ? '' : number(ratio),
    min === max ? '' : `${number(min)} … ${number(max)}`,
    String(n),
    goal ? `${bound(goal)} ${meets(figure) ? 'reached' : 'MISSED'}` : '',
  ]);
}

/** The figure alone; `null` where there is nothing to compare with. */
export function jsonLine({ platform, workload, metric, value, unit, raw, ratio, min, max, n }: Figure): string {
  return JSON.stringify({
    platform,
    workload,
    metric,
    value,
    unit,
    raw: raw ?? null,
    ratio: ratio ?? null,
    min,
    max,
    n,
  });
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(' ')
    .trimEnd();
}

function bound({ of, at, limit }: Goal): string {
  return `${at === 'least' ? '≥' : '≤'} ${number(limit)}${of === 'ratio' ? ' ×' : ''}`;
}

/** Three digits that mean something, or all of a whole part that has more. */
function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
