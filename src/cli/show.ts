import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { type Attempts, evolveAttempts } from '../core/attempts.ts';
import { RunFailedError } from '../core/errors.ts';
import { workerName } from '../core/ids.ts';
import type { RunView, StepView } from '../core/views.ts';
import { countText, durationText } from '../core/words.ts';
import { EXIT, type Exit } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, runLine, withCommonOptions } from './options.ts';
import {
  type Cell,
  type Column,
  columnsOf,
  json,
  localTime,
  type Paint,
  painter,
  type Row,
  statusStyle,
  statusText,
  table,
} from './output.ts';
import { note, print } from './streams.ts';
import { clip, lines, oneLine, wrap } from './text.ts';
import { evolveTold, type Told } from './told.ts';
import { watch } from './watch.ts';

interface ShowOptions extends CommonOptions {
  readonly watch?: true;
}

interface Shown extends StepView {
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly workerName?: string;
  /** What it waits for. */
  readonly explain?: string;
  /** Parts it has emitted. */
  readonly parts?: number;
  /** How far its last attempt said it was. */
  readonly progress?: unknown;
}

type Result = { readonly result: unknown } | { readonly error: unknown } | undefined;

export function showCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('show'))
    .summary('show a run: its steps, what they wait for, its result')
    .description('Shows a run: its steps, what they wait for, and its result.')
    .argument('<run>', "the run's id")
    .option('--watch', 'stay until the run has ended, and show it live')
    .addHelpText(
      'after',
      `
With --json, one document: the run with its steps, and { explain, result } or
{ explain, error }. Times in it are epoch milliseconds.
With --watch, a terminal shows the run and its timeline live, anything else gets
one line per event, as from "history"; it ends as the run does, with 0 or 1, or
with 130 on Ctrl-C, which leaves the run alone.`,
    )
    .action(async (id: string, options: ShowOptions) => finish(await show(id, options)));
}

async function show(id: string, options: ShowOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  try {
    const exit = options.watch ? await watch(storage, id, options) : EXIT.ok;
    if (options.watch && (options.json || !process.stdout.isTTY)) return exit;
    const run = await storage.get(id);
    const explain = await storage.explain(id);
    const steps = await stepsOf(storage, run);
    const result = await resultOf(storage, run);
    if (options.json) print(json({ ...run, steps, explain, ...result }));
    else {
      print(asText({ ...run, steps }, explain, result, options));
      if (run.status === 'FAILED') note(`To take it up again: ${runLine('retry', options, id)}`);
    }
    return exit;
  } finally {
    await storage.close();
  }
}

async function stepsOf(storage: FileStorage, run: RunView): Promise<readonly Shown[]> {
  const attempts: Attempts = new Map();
  const parts = new Map<string, number>();
  const told: Told = new Map();
  for await (const event of storage.history(run.id)) {
    evolveAttempts(attempts, event);
    evolveTold(told, event);
    if (event.type === 'emitted') parts.set(event.step, (parts.get(event.step) ?? 0) + 1);
  }
  const shown: Shown[] = [];
  for (const step of run.steps) {
    const { startedAt, endedAt: attemptEndedAt, worker } = attempts.get(step.name)?.at(-1) ?? {};
    // With its last item a list ends, or with its child a step, not with the attempt that said which.
    const outlives = step.items !== undefined || step.child !== undefined;
    const endedAt = !outlives ? attemptEndedAt : isUnderWay(step) ? undefined : step.since;
    const begun = step.attempt > 0;
    const progress = told.get(step.name);
    shown.push({
      ...step,
      ...(progress !== undefined && { progress: await storage.load(run.id, progress) }),
      ...(parts.has(step.name) && { parts: parts.get(step.name) as number }),
      ...(begun && startedAt !== undefined && { startedAt }),
      ...(begun && endedAt !== undefined && { endedAt }),
      ...(begun && worker !== undefined && { worker, workerName: workerName(worker) }),
      ...(step.status === 'PENDING' &&
        run.endedAt === undefined && { explain: await storage.explain(run.id, step.name) }),
    });
  }
  return shown;
}

/** With a worker, or as a run of its own. */
function isUnderWay({ status, waits, child }: StepView): boolean {
  return status === 'RUNNING' || (waits !== undefined && child !== undefined);
}

async function resultOf(storage: FileStorage, { id, endedAt }: RunView): Promise<Result> {
  if (endedAt === undefined) return undefined;
  try {
    return { result: await storage.result(id) };
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    const { code, message, failures } = error;
    return { error: { code, message, failures } };
  }
}

const COLUMNS: readonly Column[] = [
  { head: 'STEP', narrow: 'shrinks' },
  { head: 'STATUS' },
  { head: 'ATTEMPT' },
  { head: 'TOOK' },
  { head: 'WORKER', narrow: 'goes' },
];

function asText(
  run: RunView & { readonly steps: readonly Shown[] },
  explain: string,
  result: Result,
  { verbose }: CommonOptions,
): string {
  const paint = painter(process.stdout);
  const columns = columnsOf(process.stdout);
  const rows = run.steps.map((step) => rowOf(step, columns, verbose === true));
  return [
    ...heading(run, paint),
    ...wrap(oneLine(explain), columns),
    '',
    table(COLUMNS, rows, columns, paint),
    ...(result && 'result' in result ? ['', paint('dim', 'RESULT'), json(result.result, 2)] : []),
  ].join('\n');
}

function heading(run: RunView, paint: Paint): readonly string[] {
  const { id, workflow, version, status, labels, priority, createdAt, startedAt, endedAt, deadline, parent } = run;
  const fact = (name: string, text: string): string => `${paint('dim', name.padEnd(9))}${oneLine(text)}`;
  const timing =
    endedAt === undefined
      ? `, ${durationText(Date.now() - (startedAt ?? 0))} ago`
      : `, took ${durationText(endedAt - (startedAt ?? 0))}`;
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [
    `${paint('bold', oneLine(id))}  ${paint(statusStyle(status), statusText(status))}`,
    fact('workflow', version === undefined ? workflow : `${workflow}, version ${version}`),
    ...(parent ? [fact('parent', `step ${parent.step} of run ${parent.run}`)] : []),
    fact('created', localTime(createdAt)),
    ...(startedAt === undefined ? [] : [fact('started', `${localTime(startedAt)}${timing}`)]),
    ...(deadline === undefined ? [] : [fact('deadline', localTime(deadline))]),
    ...(priority === 0 ? [] : [fact('priority', String(priority))]),
    ...(pairs.length === 0 ? [] : [fact('labels', pairs.join(' '))]),
  ];
}

function rowOf(step: Shown, columns: number, verbose: boolean): Row {
  const { name, status, attempt, startedAt, endedAt, workerName = '' } = step;
  const took =
    startedAt === undefined ? '' : durationText((isUnderWay(step) ? Date.now() : (endedAt ?? startedAt)) - startedAt);
  return {
    cells: [
      { text: oneLine(name) },
      { text: statusText(status), style: statusStyle(status) },
      { text: attempt === 0 ? '' : String(attempt) },
      { text: took },
      { text: oneLine(workerName) },
    ],
    below: notes(step, columns, verbose).flatMap(({ text, style }) =>
      wrap(text, columns - 2).map((line) => ({ text: `  ${line}`, ...(style && { style }) })),
    ),
  };
}

function notes(step: Shown, columns: number, verbose: boolean): readonly Cell[] {
  const { name, status, error, explain, road, reason, rounds, parts, items, progress, child, waits } = step;
  const cells: Cell[] = [];
  const counts = [
    ...(rounds === undefined
      ? []
      : [status === 'SUCCEEDED' ? countText(rounds + 1, 'round') : `${countText(rounds, 'round')} ended`]),
    ...(items === undefined
      ? []
      : [
          `${items.ended} of ${countText(items.count, 'item')} ended${items.failed === 0 ? '' : `, ${items.failed} failed`}`,
        ]),
    ...(parts === undefined ? [] : [`${countText(parts, 'part')} emitted; "stream" prints them`]),
  ];
  if (counts.length > 0) cells.push({ text: counts.join(', '), style: 'dim' });
  // While it waits, the sentence on it says for which run.
  if (child !== undefined && !waits) cells.push({ text: oneLine(`ran as ${child}`), style: 'dim' });
  if (progress !== undefined)
    cells.push({ text: clip(oneLine(`progress ${json(progress)}`), columns - 2), style: 'dim' });
  if (road !== undefined) cells.push({ text: oneLine(`chose ${String(road)}`), style: 'dim' });
  if (reason !== undefined)
    cells.push({ text: reason === 'condition' ? 'its own condition was false' : 'on a road not taken', style: 'dim' });
  const style = status === 'FAILED' ? 'red' : 'yellow';
  // The sentence on a step that will be tried again quotes the error already.
  if (error && (status !== 'PENDING' || verbose)) {
    const text =
      verbose && error.stack !== undefined
        ? error.stack
        : `${status === 'FAILED' ? '' : 'an earlier attempt failed: '}${error.name}: ${error.message}`;
    cells.push(...lines(text).map((line) => ({ text: line, style }) as const));
  }
  const named = `Step ${JSON.stringify(name)} `;
  if (explain !== undefined)
    cells.push({
      text: oneLine(explain.startsWith(named) ? explain.slice(named.length) : explain),
      style: error ? style : 'dim',
    });
  return cells;
}
