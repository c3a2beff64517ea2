import { Command, Option } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import type { RunPage } from '../core/run-reader.ts';
import type { RunStatus } from '../core/run-state.ts';
import type { RunSummary } from '../core/views.ts';
import { countText, durationText } from '../core/words.ts';
import { EXIT, type Exit } from './exits.ts';
import { openStorage } from './open.ts';
import { type CommonOptions, label, wholeNumber, withCommonOptions } from './options.ts';
import {
  type Column,
  columnsOf,
  json,
  localTime,
  painter,
  type Row,
  statusStyle,
  statusText,
  table,
} from './output.ts';
import { note, print } from './streams.ts';
import { clip, oneLine } from './text.ts';

interface LsOptions extends CommonOptions {
  readonly workflow?: string;
  readonly status?: readonly RunStatus[];
  readonly label?: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cursor?: string;
}

const STATUSES = ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
const LIMIT = 20;

export function lsCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('ls'))
    .summary('list runs, newest first')
    .description('Lists runs, newest first.')
    .option('--workflow <name>', 'runs of this workflow')
    .addOption(new Option('--status <status...>', 'runs in one of these states').choices(STATUSES))
    .option('--label <key=value>', 'runs with this label; may be repeated', label)
    .option('--limit <n>', 'so many runs', wholeNumber, LIMIT)
    .option('--cursor <cursor>', 'go on where the last page ended')
    .addHelpText('after', '\nWith --json, one document: { runs, cursor? }; times are epoch milliseconds.')
    .action(async (options: LsOptions) => finish(await ls(options)));
}

async function ls(options: LsOptions): Promise<Exit> {
  const { workflow, status, label: labels, limit, cursor } = options;
  const storage = openStorage(options.storage, 'existing');
  try {
    const page = await storage.list({
      limit,
      ...(workflow !== undefined && { workflow }),
      ...(status && { status }),
      ...(labels && { labels }),
      ...(cursor !== undefined && { cursor }),
    });
    if (options.json) print(json(page));
    else if (page.runs.length === 0) note('no runs');
    else print(asTable(page, await waitsIn(storage, page)));
    if (!options.json && page.cursor !== undefined)
      note(
        `There are more than these ${countText(page.runs.length, 'run')}; see them with --limit or --cursor '${page.cursor}'`,
      );
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}

/** For which step a run was made is said where some run was made for one. */
const columnsFor = (hasChildren: boolean): readonly Column[] => [
  { head: 'ID', narrow: 'shrinks-last' },
  { head: 'WORKFLOW', narrow: 'shrinks' },
  ...(hasChildren ? [{ head: 'FOR STEP', narrow: 'goes' } as const] : []),
  { head: 'STATUS' },
  { head: 'CREATED' },
  { head: 'TOOK', narrow: 'goes' },
];

/** What runs wait for that are running, though nobody holds a step of them. */
async function waitsIn(storage: FileStorage, { runs }: RunPage): Promise<ReadonlyMap<string, string>> {
  const waits = new Map<string, string>();
  for (const { id, status } of runs) {
    if (status !== 'RUNNING') continue;
    const { steps } = await storage.get(id);
    const isHeld = steps.some(({ status, queued }) => status === 'RUNNING' || queued === 'ready');
    const waiting = steps.filter(({ waits }) => waits);
    // A signal is what somebody can do something about.
    const step = waiting.find(({ waits }) => waits?.signal !== undefined) ?? waiting[0];
    if (!isHeld && step) waits.set(id, await storage.explain(id, step.name));
  }
  return waits;
}

function asTable({ runs }: RunPage, waits: ReadonlyMap<string, string>): string {
  const columns = columnsOf(process.stdout);
  const hasChildren = runs.some(({ parent }) => parent);
  const rows = runs.map((run) => rowOf(run, waits.get(run.id), hasChildren, columns));
  return table(columnsFor(hasChildren), rows, columns, painter(process.stdout));
}

function rowOf(run: RunSummary, waits: string | undefined, hasChildren: boolean, columns: number): Row {
  const { id, workflow, status, createdAt, startedAt, endedAt, stranded, parent } = run;
  return {
    cells: [
      { text: oneLine(id) },
      { text: oneLine(workflow) },
      ...(hasChildren ? [{ text: oneLine(parent?.step ?? '') }] : []),
      { text: statusText(status), style: statusStyle(status) },
      { text: localTime(createdAt) },
      { text: startedAt === undefined ? '' : durationText((endedAt ?? Date.now()) - startedAt) },
    ],
    below: [
      ...stranded.slice(0, 1).map(({ step, workers }) => ({
        style: 'yellow' as const,
        text: `  ! step ${oneLine(JSON.stringify(step))} ${workers.length === 0 ? 'waits for a worker; none is running' : 'is stranded: no live worker can handle it'}`,
      })),
      ...(waits === undefined ? [] : [{ style: 'dim' as const, text: clip(`  ${oneLine(waits)}`, columns) }]),
    ],
  };
}
