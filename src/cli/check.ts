import { Command } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import { type Misfit, misfits } from '../core/compatibility.ts';
import type { RunSummary } from '../core/views.ts';
import { countText } from '../core/words.ts';
import { EXIT, type Exit } from './exits.ts';
import { type Exported, findWorkflows, openStorage } from './open.ts';
import { type CommonOptions, isAbout, withCommonOptions } from './options.ts';
import { type Column, columnsOf, json, painter, type Row, table } from './output.ts';
import { keepStdoutForJson, note, print } from './streams.ts';
import { oneLine, wrap } from './text.ts';

interface Concerned {
  readonly id: string;
  readonly workflow: string;
  readonly version?: string;
  readonly findings: readonly Misfit[];
  readonly todo: string;
}

interface Report {
  readonly runs: readonly Concerned[];
  /** Unfinished runs looked at. */
  readonly checked: number;
  /** Unfinished runs of workflows the files do not export, and those a newer version of this package has continued. */
  readonly unjudged: readonly {
    readonly id: string;
    readonly workflow: string;
    readonly why: 'no-definition' | 'newer';
  }[];
}

export function checkCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('check'))
    .summary('before a deploy: which unfinished runs would the new code not fit?')
    .description(
      'Compares what these files export with the graphs of the unfinished runs, and\nlists the runs the new code would strand or feed otherwise. Changes nothing,\nruns no step, and may be used while workers run.',
    )
    .argument('<files...>', 'TypeScript or JavaScript modules as they would be deployed')
    .addHelpText(
      'after',
      `
It knows from the graphs: which steps there are, with which parameters, from
which sources, on which roads and queues, with which conditions and fallbacks.
It cannot know the types of values, nor what the code does with them: where that
changes, give the workflow another version, and check lists its runs.

Exits with 3 if a run is listed, with 0 if none is. With --json, one document:
{ runs: [{ id, workflow, version?, findings: [{ effect, step?, why }], todo }],
checked, unjudged }; effect is stranded, other-shape or other-version.`,
    )
    .action(async (files: string[], options: CommonOptions) => finish(await check(files, options)));
}

async function check(files: readonly string[], options: CommonOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const definitions = await findWorkflows(files, undefined);
  const storage = openStorage(options.storage, 'existing');
  try {
    const report = await judge(storage, definitions);
    if (options.json) print(json(report));
    else tell(report);
    return report.runs.length > 0 ? EXIT.stranded : EXIT.ok;
  } finally {
    await storage.close();
  }
}

async function judge(storage: FileStorage, definitions: readonly Exported[]): Promise<Report> {
  const runs: Concerned[] = [];
  const unjudged: Report['unjudged'][number][] = [];
  let checked = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await storage.list({ status: UNFINISHED, ...(cursor !== undefined && { cursor }) });
    for (const { id, workflow, version } of page.runs) {
      const found = await judgeOne(storage, id, definitions);
      checked++;
      if (found === 'no-definition' || found === 'newer') unjudged.push({ id, workflow, why: found });
      else if (found.length > 0)
        runs.push({
          id,
          workflow,
          ...(version !== undefined && { version }),
          findings: found,
          todo: todoOf(workflow, version, found),
        });
    }
    cursor = page.cursor;
    if (cursor === undefined) return { runs, checked, unjudged };
  }
}

const UNFINISHED = ['PENDING', 'RUNNING', 'PAUSED'] as const satisfies readonly RunSummary['status'][];

async function judgeOne(
  storage: FileStorage,
  id: string,
  definitions: readonly Exported[],
): Promise<readonly Misfit[] | 'no-definition' | 'newer'> {
  try {
    const found = await storage.peek(id, (state) => misfits(state, definitions) ?? 'no-definition');
    // Removed since the page was read.
    return found ?? [];
  } catch (error) {
    if (isAbout(error, 'PROTOCOL_TOO_NEW')) return 'newer';
    throw error;
  }
}

function todoOf(workflow: string, version: string | undefined, found: readonly Misfit[]): string {
  const old = `the definition of ${workflow}${version === undefined ? ' they were made with' : ` version ${version}`}`;
  const queues = found.some(({ effect }) => effect === 'stranded') ? ' (and workers on its queues)' : '';
  return `keep ${old}${queues} in the deploy, exported beside the new one, until they are done; or let them finish first`;
}

const COLUMNS: readonly Column[] = [
  { head: 'RUN', narrow: 'shrinks-last' },
  { head: 'WORKFLOW', narrow: 'shrinks' },
  { head: 'VERSION', narrow: 'shrinks' },
  { head: 'STEPS', narrow: 'shrinks' },
];
/** Of those with the same findings so many are shown. */
const SHOWN = 10;

function tell({ runs, checked, unjudged }: Report): void {
  if (runs.length > 0) print(asTable(runs));
  const fits = checked - runs.length - unjudged.length;
  note(`${countText(checked, 'unfinished run')}: ${fits} would go on as before, ${runs.length} would not`);
  const others = unjudged.filter(({ why }) => why === 'no-definition');
  if (others.length > 0) {
    const names = [...new Set(others.map(({ workflow }) => JSON.stringify(workflow)))].join(', ');
    note(oneLine(`not judged: ${countText(others.length, 'run')} of workflows these files do not export: ${names}`));
  }
  const newer = unjudged.length - others.length;
  if (newer > 0) note(`not judged: ${countText(newer, 'run')} that a newer version of fuseline has continued`);
}

function asTable(runs: readonly Concerned[]): string {
  const alike = new Map<string, Concerned[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.workflow, run.version, run.findings]);
    const group = alike.get(key) ?? [];
    group.push(run);
    alike.set(key, group);
  }
  const columns = columnsOf(process.stdout);
  const groups = [...alike.values()];
  const rows = groups.flatMap((group, i) => rowsOf(group, columns, i === groups.length - 1));
  return table(COLUMNS, rows, columns, painter(process.stdout));
}

/** The runs with the same findings, and under the last of them what was found. */
function rowsOf(group: readonly Concerned[], columns: number, isLast: boolean): readonly Row[] {
  const [first] = group as readonly [Concerned];
  const line = (text: string, indent: string, style?: 'red' | 'yellow') =>
    wrap(oneLine(text), columns - INDENT).map((part, i) => ({
      text: `${i === 0 ? indent : ' '.repeat(INDENT)}${part}`,
      ...(style && { style }),
    }));
  const left = group.length - SHOWN;
  const below = [
    ...(left > 0 ? [{ text: `and ${left} more (all of them with --json)`, style: 'dim' as const }] : []),
    ...first.findings.flatMap(({ effect, step, why }) => {
      const text = step === undefined ? why : `${JSON.stringify(step)} ${EFFECTS[effect]}: ${why}`;
      return line(text, '  ! ', effect === 'stranded' ? 'red' : 'yellow');
    }),
    ...line(`to do: ${first.todo}`, '  → '),
    ...(isLast ? [] : [{ text: '' }]),
  ];
  return group.slice(0, SHOWN).map((run, i, shown) => ({
    cells: [
      { text: oneLine(run.id) },
      { text: oneLine(run.workflow) },
      { text: oneLine(run.version ?? '') },
      { text: oneLine(stepsOf(run)) },
    ],
    ...(i === shown.length - 1 && { below }),
  }));
}

const INDENT = 4;
const EFFECTS: Readonly<Record<Misfit['effect'], string>> = {
  stranded: 'would be stranded',
  'other-shape': 'would be fed otherwise',
  'other-version': 'would run as another version',
};

function stepsOf({ findings }: Concerned): string {
  const steps = new Set(findings.flatMap(({ step }) => (step === undefined ? [] : [step])));
  return steps.size === 0 ? 'all' : [...steps].join(', ');
}
