import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { RunFailedError } from '../core/errors.ts';
import type { RunView, StepView } from '../core/views.ts';
import { EXIT, type Exit } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, withCommonOptions } from './options.ts';
import {
  type Cell,
  type Column,
  columnsOf,
  duration,
  json,
  localTime,
  type Paint,
  painter,
  type Row,
  statusStyle,
  statusText,
  table,
} from './output.ts';
import { print } from './streams.ts';
import { lines, oneLine, wrap } from './text.ts';

/** The last attempt of a step, as the journal tells it. */
interface Attempted {
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt?: number;
}

interface Shown extends StepView {
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly workerName?: string;
  /** What it waits for. */
  readonly explain?: string;
}

type Result = { readonly result: unknown } | { readonly error: unknown } | undefined;

export function showCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('show'))
    .summary('show a run: its steps, what they wait for, its result')
    .description('Shows a run: its steps, what they wait for, and its result.')
    .argument('<run>', "the run's id")
    .addHelpText(
      'after',
      `
With --json, one document: the run with its steps, and { explain, result } or
{ explain, error }. Times in it are epoch milliseconds.`,
    )
    .action(async (id: string, options: CommonOptions) => finish(await show(id, options)));
}

async function show(id: string, options: CommonOptions): Promise<Exit> {
  const storage = openStorage(options.storage, 'existing');
  try {
    const run = await storage.get(id);
    const explain = await storage.explain(id);
    const steps = await stepsOf(storage, run);
    const result = await resultOf(storage, run);
    if (options.json) print(json({ ...run, steps, explain, ...result }));
    else print(asText({ ...run, steps }, explain, result, options));
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}

async function stepsOf(storage: FileStorage, run: RunView): Promise<readonly Shown[]> {
  const attempts = new Map<string, Attempted>();
  for await (const event of storage.history(run.id)) {
    if (event.type === 'claimed') attempts.set(event.step, { worker: event.worker, startedAt: event.at });
    else if ('step' in event && ENDS.has(event.type)) {
      const attempt = attempts.get(event.step);
      if (attempt) attempts.set(event.step, { ...attempt, endedAt: event.at });
    }
  }
  const names = new Map((await storage.workers()).map(({ id, name }) => [id, name]));
  const shown: Shown[] = [];
  for (const step of run.steps) {
    const { startedAt, endedAt, worker } = attempts.get(step.name) ?? {};
    const begun = step.attempt > 0;
    shown.push({
      ...step,
      ...(begun && startedAt !== undefined && { startedAt }),
      ...(begun && endedAt !== undefined && { endedAt }),
      ...(begun && worker !== undefined && { worker, workerName: names.get(worker) ?? worker.slice(0, 8) }),
      ...(step.status === 'PENDING' &&
        run.endedAt === undefined && { explain: await storage.explain(run.id, step.name) }),
    });
  }
  return shown;
}

const ENDS: ReadonlySet<string> = new Set(['succeeded', 'failed', 'retrying', 'falling-back', 'lost', 'released']);

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
  const { id, workflow, version, status, labels, priority, createdAt, startedAt, endedAt, deadline } = run;
  const fact = (name: string, text: string): string => `${paint('dim', name.padEnd(9))}${oneLine(text)}`;
  const took = startedAt === undefined ? '' : `, took ${duration((endedAt ?? Date.now()) - startedAt)}`;
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [
    `${paint('bold', oneLine(id))}  ${paint(statusStyle(status), statusText(status))}`,
    fact('workflow', version === undefined ? workflow : `${workflow}, version ${version}`),
    fact('created', localTime(createdAt)),
    ...(startedAt === undefined ? [] : [fact('started', `${localTime(startedAt)}${took}`)]),
    ...(deadline === undefined ? [] : [fact('deadline', localTime(deadline))]),
    ...(priority === 0 ? [] : [fact('priority', String(priority))]),
    ...(pairs.length === 0 ? [] : [fact('labels', pairs.join(' '))]),
  ];
}

function rowOf(step: Shown, columns: number, verbose: boolean): Row {
  const { name, status, attempt, startedAt, endedAt, workerName = '' } = step;
  const took =
    startedAt === undefined ? '' : duration((status === 'RUNNING' ? Date.now() : (endedAt ?? startedAt)) - startedAt);
  return {
    cells: [
      { text: oneLine(name) },
      { text: statusText(status), style: statusStyle(status) },
      { text: attempt === 0 ? '' : String(attempt) },
      { text: took },
      { text: oneLine(workerName) },
    ],
    below: notes(step, verbose).flatMap(({ text, style }) =>
      wrap(text, columns - 2).map((line) => ({ text: `  ${line}`, ...(style && { style }) })),
    ),
  };
}

function notes({ name, status, error, explain, road, reason }: Shown, verbose: boolean): readonly Cell[] {
  const cells: Cell[] = [];
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
