import type { Attempt, Attempts } from '../core/attempts.ts';
import type { Graph, GraphStep, Source } from '../core/graph.ts';
import type { RunView, StepView } from '../core/views.ts';
import { countText, durationText } from '../core/words.ts';
import { columnsOf, type Paint, painter, type Style, statusStyle, statusText } from './output.ts';
import { clip, oneLine, widthOf, wrap } from './text.ts';

export interface Watched {
  readonly run: RunView;
  readonly graph: Graph;
  readonly explain: string;
  readonly attempts: Attempts;
  /** How far steps under way say they are. */
  readonly progress: ReadonlyMap<string, string>;
  readonly now: number;
}

const ROWS = 24;
const NAME = { least: 4, most: 22 } as const;
const AFTER = { least: 5, most: 40 } as const;
/** A name is shortened to no less where a road stands behind it. */
const SHORTEST = 4;
const TOOK = 8;
const BAR = { least: 12, most: 48 } as const;

/** The run as lines that fit a terminal: how it is, and of each step its state, what it comes after, and when it ran. */
export function drawRun(
  { run, graph, explain, attempts, progress, now }: Watched,
  terminal: NodeJS.WriteStream,
): readonly string[] {
  const paint = painter(terminal);
  // The last column stays free: some terminals break the line when it is written.
  const columns = columnsOf(terminal) - 1;
  const rows = (terminal.rows ?? ROWS) - 1;
  const final = run.steps.filter(({ status }) => status !== 'PENDING' && status !== 'RUNNING').length;
  const from = run.startedAt ?? now;
  const sum = `${final} of ${countText(run.steps.length, 'step')} done, ${durationText(now - from)}`;
  const head = `${paint(statusStyle(run.status), statusText(run.status))}  ${paint('bold', clip(oneLine(run.id), Math.max(8, columns - 16 - sum.length)))}  ${sum}`;
  const sentence = atMost(2, wrap(oneLine(explain), columns), columns);
  const shown = mostTelling(run.steps, rows - 3 - sentence.length);
  const left = run.steps.length - shown.length;
  // Steps come before what they say.
  let spare = rows - 2 - sentence.length - shown.length - (left === 0 ? 0 : 1);

  const afters = new Map(graph.steps.map((step) => [step.name, step]));
  const sourceOf = (step: string, most: number): string => {
    const spec = afters.get(step);
    return spec ? fitted((longest) => oneLine(sourcesOf(spec, longest)), most) : '';
  };
  const names = shown.map(({ name }) => oneLine(name));
  const sources = shown.map(({ name }) => sourceOf(name, AFTER.most));
  const name = Math.min(NAME.most, Math.max(NAME.least, ...names.map(widthOf)));
  const room = columns - 2 - name - TOOK - 4;
  const widest = Math.max(AFTER.least, ...sources.map(widthOf));
  const after = room - BAR.least - 2 < AFTER.least ? 0 : Math.min(AFTER.most, widest, room - BAR.least - 2);
  const bar = Math.max(0, Math.min(BAR.most, room - (after === 0 ? 0 : after + 2)));

  const line = (sign: string, ...cells: readonly [string, string, string, string]): string => {
    const [step, source, timeline, took] = cells;
    return [`${sign} ${padded(step, name)}`, ...(after === 0 ? [] : [padded(source, after)]), timeline, took]
      .join('  ')
      .trimEnd();
  };
  return [
    head,
    ...sentence,
    paint('dim', line(' ', 'STEP', 'AFTER', padded('TIMELINE', bar), 'TOOK')),
    ...shown.flatMap((step, i) => {
      const all = attempts.get(step.name) ?? [];
      const style = statusStyle(step.status);
      const sign = paint(style, statusText(step.status).slice(0, 1));
      const timeline = step.waits
        ? paint('dim', padded(waitText(step.waits, afters.get(step.name), now), bar))
        : barOf(all, { from, to: Math.max(now, from + 1) }, bar, paint);
      const row = line(sign, names[i] ?? '', sourceOf(step.name, after), timeline, tookOf(step, all.at(-1), now));
      const told = progress.get(step.name);
      return told === undefined || spare-- <= 0 ? [row] : [row, paint('dim', clip(`  ${oneLine(told)}`, columns))];
    }),
    ...(left === 0 ? [] : [paint('dim', clip(`  and ${countText(left, 'step')} more`, columns))]),
  ].slice(0, Math.max(1, rows));
}

/** So many of the steps, in the order of the graph: those under way or failed before those just done, and those before the rest. */
function mostTelling(steps: readonly StepView[], most: number): readonly StepView[] {
  if (steps.length <= most + 1) return steps;
  const rank = ({ status, queued, waits, attempt }: StepView): number => {
    if (status === 'RUNNING') return 0;
    if (status === 'FAILED') return 1;
    if (status === 'PENDING') return queued !== undefined || waits ? 2 : 4;
    return attempt > 0 ? 3 : 5;
  };
  const ranked = steps
    .map((step, at) => ({ step, at, rank: rank(step) }))
    .sort((a, b) => a.rank - b.rank || (a.rank === 3 ? (b.step.since ?? 0) - (a.step.since ?? 0) : a.at - b.at));
  return ranked
    .slice(0, Math.max(0, most))
    .sort((a, b) => a.at - b.at)
    .map(({ step }) => step);
}

/** Names give way before what is said about them: on which road, for one. */
function fitted(write: (longest: number) => string, columns: number): string {
  let longest = columns;
  while (longest > SHORTEST && widthOf(write(longest)) > columns) longest--;
  return write(longest);
}

function sourcesOf({ needs = [], after = [] }: GraphStep, longest: number): string {
  const called = (step: string): string => clip(step, longest);
  const edge = ({ step, on }: { readonly step: string; readonly on?: readonly (string | null)[] }): string =>
    on === undefined ? called(step) : `${called(step)} (${on.map((road) => road ?? 'otherwise').join(' or ')})`;
  const source = (from: Source): string => {
    if (from.from === 'input') return '';
    if (from.from === 'any') return `any of ${from.of.map(edge).join(', ')}`;
    return from.from === 'settled' ? `${called(from.step)} settled` : edge(from);
  };
  const all = [
    ...needs.map(source),
    ...after.map((one) => ('any' in one ? `any of ${one.any.map(edge).join(', ')}` : edge(one))),
  ];
  return [...new Set(all)].filter((one) => one !== '').join(', ');
}

const MARKS: Readonly<Record<Attempt['outcome'], readonly [sign: string, style: Style]>> = {
  running: ['▓', 'cyan'],
  succeeded: ['█', 'green'],
  failed: ['▒', 'red'],
  offline: ['╌', 'yellow'],
  lost: ['░', 'yellow'],
  'given up': ['░', 'yellow'],
};

/** When a step was tried, over the time of the run so far. */
function barOf(
  attempts: readonly Attempt[],
  { from, to }: { readonly from: number; readonly to: number },
  width: number,
  paint: Paint,
): string {
  const cells: (Attempt['outcome'] | undefined)[] = Array.from({ length: width });
  const cellAt = (at: number): number =>
    Math.min(width - 1, Math.max(0, Math.floor(((at - from) / (to - from)) * width)));
  for (const { startedAt, endedAt = to, outcome } of attempts) {
    cells.fill(outcome, cellAt(startedAt), cellAt(endedAt) + 1);
  }
  let drawn = '';
  for (let i = 0; i < width; ) {
    const outcome = cells[i];
    let end = i + 1;
    while (end < width && cells[end] === outcome) end++;
    drawn += outcome === undefined ? ' '.repeat(end - i) : paint(MARKS[outcome][1], MARKS[outcome][0].repeat(end - i));
    i = end;
  }
  return drawn;
}

/** Where nobody holds a step there is no bar. */
function waitText({ until, signal }: NonNullable<StepView['waits']>, spec: GraphStep | undefined, now: number): string {
  const left = until === undefined ? [] : [durationText(until - now)];
  if (spec?.kind === 'run') return oneLine([`runs ${spec.workflow ?? 'a workflow'}`, ...left].join(', '));
  return signal === undefined ? ['sleeps', ...left].join(' ') : oneLine([`waits for ${signal}`, ...left].join(', '));
}

function tookOf({ status, attempt, child, since }: StepView, last: Attempt | undefined, now: number): string {
  if (last === undefined || attempt === 0) return '';
  const endedAt = child === undefined || status === 'RUNNING' ? last.endedAt : since;
  return status === 'PENDING' ? '' : durationText((endedAt ?? now) - last.startedAt);
}

function atMost(most: number, lines: readonly string[], columns: number): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), clip(lines.slice(most - 1).join(' '), columns)];
}

function padded(text: string, width: number): string {
  const fitted = clip(text, width);
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)));
}
