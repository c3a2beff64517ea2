import type { Attempt } from '../core/attempts.ts';
import type { Bar, Lane } from './lanes.ts';
import { type TimeScale, ticksOf, xOf } from './time-scale.ts';

/** CSS pixels. */
export const AXIS_HEIGHT = 26;
export const ROW_HEIGHT = 20;
export const LANE_GAP = 8;
const BAR_HEIGHT = 16;
const LEAST_WIDTH = 3;
const TOOTH = 4;

export type Ink = 'text' | 'muted' | 'line' | 'surface' | 'accent' | Attempt['outcome'];
export type Inks = Readonly<Record<Ink, string>>;

export interface Picture {
  readonly lanes: readonly Lane[];
  readonly scale: TimeScale;
  readonly height: number;
  readonly now: number;
  /** Where the axis counts from. */
  readonly origin: number;
  /** When something was committed, by run. */
  readonly commits: readonly Commits[];
  /** The moment that is shown, if it is not now. */
  readonly cursor: number | undefined;
  readonly marked: string | undefined;
  readonly selected: string | undefined;
  readonly font: string;
}

/** The lists grow in place: `length` is how far one had come when the picture was made. */
export interface Commits {
  readonly events: readonly { readonly at: number }[];
  readonly length: number;
}

export function laneTops(lanes: readonly Lane[]): readonly number[] {
  let top = AXIS_HEIGHT + LANE_GAP / 2;
  return lanes.map(({ rows }) => {
    const here = top;
    top += rows * ROW_HEIGHT + LANE_GAP;
    return here;
  });
}

export function heightOf(lanes: readonly Lane[]): number {
  return lanes.reduce((sum, { rows }) => sum + rows * ROW_HEIGHT + LANE_GAP, AXIS_HEIGHT + LANE_GAP / 2);
}

export function paint(to: CanvasRenderingContext2D, picture: Picture, inks: Inks): void {
  const { scale, height, lanes } = picture;
  to.clearRect(0, 0, scale.width, height);
  to.font = picture.font;
  to.textBaseline = 'middle';
  paintAxis(to, picture, inks);
  for (const list of picture.commits) paintCommits(to, scale, list, 0, inks);
  const tops = laneTops(lanes);
  lanes.forEach(({ bars, rows }, i) => {
    const top = tops[i] as number;
    to.fillStyle = inks.line;
    to.fillRect(0, top + rows * ROW_HEIGHT + LANE_GAP / 2 - 1, scale.width, 1);
    for (const bar of bars) paintBar(to, picture, inks, bar, top + bar.row * ROW_HEIGHT + 2);
  });
  paintCursor(to, picture, inks);
}

/** Paints what differs from what is there; without bars that changed or run, nothing. The ground must be the same. */
export function paintChanges(to: CanvasRenderingContext2D, before: Picture, picture: Picture, inks: Inks): void {
  const { scale, lanes } = picture;
  picture.commits.forEach((list, i) => void paintCommits(to, scale, list, before.commits[i]?.length ?? 0, inks));
  const tops = laneTops(lanes);
  lanes.forEach((lane, i) => {
    const old = before.lanes[i] as Lane;
    for (const [row, [from, end]] of changesIn(old, before, lane, picture)) {
      const top = (tops[i] as number) + row * ROW_HEIGHT;
      const left = Math.max(0, Math.floor(from) - 2);
      const right = Math.min(scale.width, Math.ceil(end) + 2);
      if (right <= left) continue;
      to.save();
      to.beginPath();
      to.rect(left, top, right - left, ROW_HEIGHT);
      to.clip();
      to.clearRect(left, top, right - left, ROW_HEIGHT);
      paintTicks(to, picture, inks);
      for (const bar of lane.bars) {
        if (bar.row !== row || endOf(bar, picture) < left || xOf(scale, bar.attempt.startedAt) > right) continue;
        paintBar(to, picture, inks, bar, top + 2);
      }
      paintCursor(to, picture, inks);
      to.restore();
    }
  });
}

/** Whether all but bars and commits is where it was. */
export function hasSameGround(one: Picture, other: Picture): boolean {
  return (
    one.scale.from === other.scale.from &&
    one.scale.to === other.scale.to &&
    one.scale.width === other.scale.width &&
    one.height === other.height &&
    one.origin === other.origin &&
    one.cursor === other.cursor &&
    one.marked === other.marked &&
    one.selected === other.selected &&
    one.font === other.font &&
    one.commits.length === other.commits.length &&
    one.commits.every(({ events }, i) => events === other.commits[i]?.events) &&
    one.lanes.length === other.lanes.length &&
    one.lanes.every(({ worker, rows }, i) => worker === other.lanes[i]?.worker && rows === other.lanes[i]?.rows)
  );
}

/** From where to where each row has changed. */
function changesIn(
  old: Lane,
  before: Picture,
  lane: Lane,
  now: Picture,
): ReadonlyMap<number, readonly [from: number, to: number]> {
  const changed = new Map<number, readonly [number, number]>();
  const note = (bar: Bar | undefined, picture: Picture): void => {
    if (!bar) return;
    const [from, to] = changed.get(bar.row) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const left = xOf(picture.scale, bar.attempt.startedAt);
    changed.set(bar.row, [Math.min(from, left), Math.max(to, endOf(bar, picture))]);
  };
  for (let i = 0; i < Math.max(old.bars.length, lane.bars.length); i++) {
    const [was, is] = [old.bars[i], lane.bars[i]];
    const isSame = was?.attempt === is?.attempt && was?.row === is?.row;
    if (isSame && (is?.attempt.outcome !== 'running' || before.now === now.now)) continue;
    note(was, before);
    note(is, now);
  }
  return changed;
}

function endOf({ attempt: { startedAt, endedAt } }: Bar, { scale, now }: Picture): number {
  return Math.max(xOf(scale, startedAt) + LEAST_WIDTH, xOf(scale, endedAt ?? now));
}

function paintCursor(to: CanvasRenderingContext2D, { scale, cursor, height }: Picture, inks: Inks): void {
  if (cursor === undefined) return;
  const x = xOf(scale, cursor);
  to.globalAlpha = 0.7;
  to.fillStyle = inks.surface;
  to.fillRect(x, AXIS_HEIGHT, scale.width - x, height);
  to.globalAlpha = 1;
  to.fillStyle = inks.accent;
  to.fillRect(x - 0.75, 0, 1.5, height);
}

function paintAxis(to: CanvasRenderingContext2D, picture: Picture, inks: Inks): void {
  const { scale, origin } = picture;
  paintTicks(to, picture, inks);
  to.textAlign = 'left';
  to.fillStyle = inks.muted;
  for (const { at, label } of ticksOf(scale, origin)) to.fillText(label, Math.round(xOf(scale, at)) + 4, 9);
  to.fillStyle = inks.line;
  to.fillRect(0, AXIS_HEIGHT - 1, scale.width, 1);
}

function paintTicks(to: CanvasRenderingContext2D, { scale, origin, height }: Picture, inks: Inks): void {
  to.fillStyle = inks.line;
  for (const { at } of ticksOf(scale, origin)) to.fillRect(Math.round(xOf(scale, at)), 0, 1, height);
}

/** One mark for each commit from a position of the list on; those that fall together are one. */
function paintCommits(
  to: CanvasRenderingContext2D,
  scale: TimeScale,
  { events, length }: Commits,
  first: number,
  inks: Inks,
): void {
  to.fillStyle = inks.muted;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = first; i < length; i++) {
    const x = Math.round(xOf(scale, (events[i] as { readonly at: number }).at));
    if (x === last || x < 0 || x > scale.width) continue;
    to.fillRect(x, AXIS_HEIGHT - 7, 1, 6);
    last = x;
  }
}

function paintBar(to: CanvasRenderingContext2D, picture: Picture, inks: Inks, bar: Bar, top: number): void {
  const { scale, marked, selected } = picture;
  const { attempt } = bar;
  const { outcome, step } = attempt;
  const left = xOf(scale, attempt.startedAt);
  const right = endOf(bar, picture);
  if (right < 0 || left > scale.width) return;
  const from = Math.max(-8, left);
  const end = Math.min(scale.width + 8, right);
  const shape = outlineOf(from, top, end, outcome);
  to.globalAlpha = 0.22;
  to.fillStyle = inks[outcome];
  to.fill(shape);
  to.globalAlpha = 1;
  if (outcome === 'failed' || outcome === 'lost') hatch(to, shape, from, top, end, inks[outcome]);
  const isLit = step === marked || step === selected;
  to.strokeStyle = isLit ? inks.accent : inks[outcome];
  to.lineWidth = isLit ? 2 : 1;
  to.setLineDash(outcome === 'given up' ? [3, 2] : []);
  to.stroke(shape);
  to.setLineDash([]);
  to.fillStyle = inks[outcome];
  to.fillRect(from, top, Math.min(3, end - from), BAR_HEIGHT);
  if (end - from > 28) label(to, labelOf(attempt), from, top, end, inks.text);
}

/** The end of an attempt that was lost is torn off; one that runs is open. */
function outlineOf(left: number, top: number, right: number, outcome: Attempt['outcome']): Path2D {
  const path = new Path2D();
  const bottom = top + BAR_HEIGHT;
  if (outcome === 'running') {
    path.moveTo(right, top);
    path.lineTo(left, top);
    path.lineTo(left, bottom);
    path.lineTo(right, bottom);
    return path;
  }
  path.moveTo(left, top);
  if (outcome === 'lost') {
    const teeth = BAR_HEIGHT / TOOTH;
    path.lineTo(right, top);
    for (let i = 1; i <= teeth; i++) path.lineTo(i % 2 === 1 ? right - TOOTH * 1.5 : right, top + i * TOOTH);
    if (teeth % 2 === 1) path.lineTo(right, bottom);
  } else {
    path.lineTo(right, top);
    path.lineTo(right, bottom);
  }
  path.lineTo(left, bottom);
  path.closePath();
  return path;
}

function hatch(
  to: CanvasRenderingContext2D,
  shape: Path2D,
  left: number,
  top: number,
  right: number,
  ink: string,
): void {
  to.save();
  to.clip(shape);
  to.strokeStyle = ink;
  to.globalAlpha = 0.45;
  to.lineWidth = 1;
  to.beginPath();
  for (let x = left - BAR_HEIGHT; x < right; x += 6) {
    to.moveTo(x, top + BAR_HEIGHT);
    to.lineTo(x + BAR_HEIGHT, top);
  }
  to.stroke();
  to.restore();
}

const WORDS: Readonly<Record<Attempt['outcome'], string>> = {
  running: '',
  succeeded: '',
  failed: '✕ ',
  lost: '⚡ ',
  offline: '⌁ ',
  'given up': '⊘ ',
};

function labelOf({ step, attempt, outcome }: Attempt): string {
  return `${WORDS[outcome]}${step}${attempt > 1 ? ` · ${attempt}` : ''}`;
}

function label(
  to: CanvasRenderingContext2D,
  text: string,
  left: number,
  top: number,
  right: number,
  ink: string,
): void {
  to.save();
  to.beginPath();
  to.rect(left + 3, top, right - left - 6, BAR_HEIGHT);
  to.clip();
  to.fillStyle = ink;
  to.textAlign = 'left';
  to.fillText(text, Math.max(left, 0) + 7, top + BAR_HEIGHT / 2 + 0.5);
  to.restore();
}
