// npm start [-- FOLDER] [--slow]: a report about a folder, worked off by two processes
import { realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type HistoryEvent, RunFailedError, type RunHandle } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { draw, emptyPicture, evolve, lineOf } from './picture.ts';
import type { Summary } from './report.ts';
import { Screen } from './screen.ts';
import { startTeam } from './team.ts';
import { folderReport, type Task } from './workflow.ts';

const WORKERS = 2;
const REDRAW_MS = 200;
const PLAIN_PROGRESS_MS = 1000;
const RUNS = resolve('runs');
const REPORTS = resolve('reports');

const { values, positionals } = readArguments();
const given = positionals[0];
const folder = await folderAt(given);
const storage = new FileStorage(RUNS);
const { run, news } = await runAbout(folder, values.slow ? 'slow' : 'full');
const names = await namesOfWorkers();
const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined;
const say = (line: string) => (screen ? screen.say(line) : console.log(line));

say(`${news}, with ${WORKERS} processes: ${folder}\n`);
const team = startTeam(WORKERS, RUNS, run.id, say);
let interrupted = 0;
let invited = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    team.stop(interrupted++ === 0 ? 'SIGTERM' : 'SIGKILL');
    if (interrupted > 1) process.exit(130);
  });
}

const picture = emptyPicture(folderReport.graph().steps.map(({ name }) => name));
const redraw = () => screen?.draw([...draw(picture, nameOf, Date.now()), '', ...invitationToKill(), '']);
const ticking = setInterval(redraw, REDRAW_MS);
const following = follow();
await Promise.race([following, team.gone]);
process.exitCode = await conclude();
await storage.close();

// ---- before

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { slow: { type: 'boolean', default: false } } });
  } catch (error) {
    console.error(`${(error as Error).message.split('. ')[0]}.\n\n  npm start [-- FOLDER] [--slow]`);
    process.exit(2);
  }
}

/** Relative to where the person is, which npm hides. */
async function folderAt(path: string | undefined): Promise<string> {
  const wanted = path === undefined ? process.cwd() : resolve(process.env.INIT_CWD ?? '.', path);
  try {
    if ((await stat(wanted)).isDirectory()) return await realpath(wanted);
    console.error(`${wanted} is a file; give a folder to report about.`);
  } catch (error) {
    console.error(
      `${wanted} cannot be read (${(error as NodeJS.ErrnoException).code}); give a folder to report about.`,
    );
  }
  process.exit(1);
}

/** The run about this folder that is not finished; else a new one. */
async function runAbout(
  folder: string,
  pace: Task['pace'],
): Promise<{ readonly run: RunHandle<Summary>; readonly news: string }> {
  const name = (basename(folder) || 'root').replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64);
  const open = await storage.list({
    workflow: folderReport.name,
    labels: { folder },
    status: ['PENDING', 'RUNNING'],
    limit: 1,
  });
  if (open.runs[0])
    return { run: folderReport.get(open.runs[0].id, { storage }), news: `Going on with ${open.runs[0].id}` };
  const last = await storage.list({ workflow: folderReport.name, labels: { name }, limit: 1 });
  const id = `${name}-${1 + Number(last.runs[0]?.id.slice(name.length + 1) ?? 0)}`;
  const task: Task = { folder, report: join(REPORTS, `${id}.md`), leaveOut: [RUNS, REPORTS], pace };
  const run = await folderReport.dispatch(task, { storage, id, labels: { folder, name } });
  return { run, news: `Run ${id}` };
}

/** Grows while workers come; those of the past are remembered. */
async function namesOfWorkers(): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const look = async () => {
    for (const { id, name } of await storage.workers()) names.set(id, name);
  };
  storage.onHint(() => void look().catch(() => undefined));
  await look();
  return names;
}

function nameOf(worker: string): string {
  return names.get(worker) ?? 'one before';
}

// ---- while it runs

async function follow(): Promise<void> {
  const toldAt = new Map<string, number>();
  for await (const event of run.events()) {
    evolve(picture, event, await noteOf(event));
    if (screen) redraw();
    else if (isNews(event, toldAt)) {
      console.log(lineOf(event, picture, nameOf));
      if (event.type === 'checkpoint') invite();
    }
  }
}

async function noteOf(event: HistoryEvent): Promise<string | undefined> {
  if (event.type === 'checkpoint') return event.key;
  return event.type === 'progress' ? String(await storage.load(run.id, event.value)) : undefined;
}

/** Progress is told once a second and step. */
function isNews(event: HistoryEvent, toldAt: Map<string, number>): boolean {
  if (lineOf(event, picture, nameOf) === undefined) return false;
  if (event.type !== 'progress' && event.type !== 'checkpoint') return true;
  if (event.at - (toldAt.get(event.step) ?? 0) < PLAIN_PROGRESS_MS) return false;
  toldAt.set(event.step, event.at);
  return true;
}

/** Once, to those who read lines, when a step has recorded something that another process goes on from. */
function invite(): void {
  if (!values.slow || invited) return;
  const lines = invitationToKill();
  invited = lines.length > 0;
  for (const line of lines) console.log(line);
}

function invitationToKill(): readonly string[] {
  const pids = team.pids().map((pid) => `pid-${pid}`);
  const busy = [...picture.values()].find(
    ({ status, worker = '' }) => status === 'runs' && pids.includes(nameOf(worker)),
  );
  if (busy?.worker === undefined || pids.length < 2) return [];
  return [`Kill a process from another terminal, the other one takes over:  kill -9 ${nameOf(busy.worker).slice(4)}`];
}

// ---- after

async function conclude(): Promise<number> {
  const about = given === undefined ? [] : [quoted(given)];
  const flags = [...about, ...(values.slow ? ['--slow'] : [])];
  const again = ['npm start', ...(flags.length > 0 ? ['--', ...flags] : [])].join(' ');
  const { status } = await run.get();
  const ended = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
  if (ended) await Promise.all([following, team.gone]);
  clearInterval(ticking);
  if (!ended) {
    console.log(
      `Nobody works on ${run.id} any more. What is done is kept; the same command goes on from there:\n\n  ${again}\n`,
    );
    return interrupted > 0 ? 130 : 1;
  }
  try {
    const { report, sentence } = await run.result();
    console.log(`${sentence}\nThe report: ${relative('', report)}\n`);
    if (!values.slow)
      console.log(
        `Now slowly, to see one process take over from another. It shows you a \`kill -9\`:\n\n  npm start -- ${[...about, '--slow'].join(' ')}\n`,
      );
    return 0;
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    console.error(error.message);
    return 1;
  }
}

function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
