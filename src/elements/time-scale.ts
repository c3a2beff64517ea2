import { durationText } from '../core/words.ts';

/** Which moments stand where: linear, from the left border of a plot to its right one. */
export interface TimeScale {
  readonly from: number;
  readonly to: number;
  /** CSS pixels. */
  readonly width: number;
}

export function xOf({ from, to, width }: TimeScale, at: number): number {
  return ((at - from) / (to - from)) * width;
}

export function timeAt({ from, to, width }: TimeScale, x: number): number {
  return from + (x / Math.max(1, width)) * (to - from);
}

export function zoomed(
  { from, to }: TimeScale,
  factor: number,
  at: number,
): { readonly from: number; readonly to: number } {
  return { from: at - (at - from) / factor, to: at + (to - at) / factor };
}

const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 864e5],
];
const APART_PX = 80;

/** Round times to write at the axis, counted from `origin`. */
export function ticksOf(scale: TimeScale, origin: number): readonly { readonly at: number; readonly label: string }[] {
  const least = ((scale.to - scale.from) / Math.max(1, scale.width)) * APART_PX;
  const step = STEPS_MS.find((ms) => ms >= least) ?? Math.ceil(least / 864e5) * 864e5;
  const ticks: { at: number; label: string }[] = [];
  for (let n = Math.ceil((scale.from - origin) / step); origin + n * step <= scale.to; n++)
    ticks.push({ at: origin + n * step, label: n === 0 ? '0' : durationText(n * step).replace('.0 s', ' s') });
  return ticks;
}
