import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { FileStorage } from '../adapters/node-file/index.ts';
import type { RunHandle } from '../core/handle.ts';
import type { DispatchOptions } from '../core/workflow.ts';
import type { AnyWorkflow } from '../http/any-workflow.ts';
import type { Simulated } from '../testing/simulation/simulated.ts';
import { UsageError } from './exits.ts';
import { loadModule } from './load.ts';

/** A workflow as a module of the user exports it. */
export interface Exported extends AnyWorkflow {
  dispatch(input: unknown, options: DispatchOptions): Promise<RunHandle<unknown>>;
}

/** `existing`: whoever only looks makes no directory. */
export function openStorage(directory: string, mode: 'existing' | 'made'): FileStorage {
  if (mode === 'existing' && !existsSync(directory)) {
    throw new UsageError(
      `there is no storage at ${JSON.stringify(directory)}; dispatch a run into it, or name another with --storage`,
    );
  }
  return new FileStorage(directory);
}

/** What a worker of this process is called: what `kill` takes. */
export function workerNameHere(): string {
  return `pid-${process.pid}`;
}

/** Every workflow these files export, or those called `name`. */
export async function findWorkflows(files: readonly string[], name: string | undefined): Promise<readonly Exported[]> {
  return called(name, files, (await exportsOf(files)).filter(isWorkflow), (workflow) => workflow.name);
}

/** The same to be simulated, with what a file says stands in for its steps. */
export async function findSimulated(files: readonly string[], name: string | undefined): Promise<readonly Simulated[]> {
  const found = await exportsOf(files);
  const prepared = found.filter(isSimulated);
  const plain = found.filter(isWorkflow).filter((one) => prepared.every(({ workflow }) => workflow !== one));
  const all = [...prepared, ...plain.map((workflow): Simulated => ({ workflow }))];
  return called(name, files, all, ({ workflow }) => workflow.name);
}

function called<T>(
  name: string | undefined,
  files: readonly string[],
  found: readonly T[],
  nameOf: (one: T) => string,
) {
  const wanted = found.filter((one) => name === undefined || nameOf(one) === name);
  if (wanted.length > 0) return wanted;
  if (found.length === 0) throw new UsageError(`${list(files)} exports no workflow; export what workflow(…) returns`);
  throw new UsageError(`${list(files)} exports no workflow ${JSON.stringify(name)}, but ${list(found.map(nameOf))}`);
}

/** The one workflow a file exports, or the one of them called `name`. */
export async function findWorkflow(file: string, name: string | undefined): Promise<Exported> {
  const [workflow, ...others] = await findWorkflows([file], name);
  if (workflow && others.length === 0) return workflow;
  throw new UsageError(
    `${JSON.stringify(file)} exports several workflows (${list([workflow, ...others].map((one) => one?.name ?? ''))}); choose one with --workflow`,
  );
}

async function exportsOf(files: readonly string[]): Promise<readonly unknown[]> {
  const found = new Set<unknown>();
  for (const file of files) for (const one of Object.values(await moduleOf(file))) found.add(one);
  return [...found];
}

function moduleOf(file: string): Promise<object> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${JSON.stringify(file)}`);
  return loadModule(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new UsageError(`${JSON.stringify(file)} cannot be loaded: ${reason}`, { cause });
  });
}

/** What `simulated` makes, whichever copy of the package made it. */
function isSimulated(value: unknown): value is Simulated {
  return typeof value === 'object' && value !== null && 'workflow' in value && isWorkflow(value.workflow);
}

function isWorkflow(value: unknown): value is Exported {
  return (
    typeof value === 'object' &&
    value !== null &&
    'compiled' in value &&
    'handlers' in value &&
    'dispatch' in value &&
    typeof value.dispatch === 'function'
  );
}

/** JSON as it stands, from a file (`@order.json`), or from stdin (`-`). */
export async function readInput(source: string | undefined, what = '--input'): Promise<unknown> {
  if (source === undefined) return undefined;
  const [json, where] = await readSource(source, what);
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new UsageError(`${where} is not JSON (${(cause as Error).message}); quote it for the shell: '{"id":17}'`, {
      cause,
    });
  }
}

async function readSource(source: string, what: string): Promise<readonly [json: string, where: string]> {
  if (source === '-') return [await text(process.stdin), `${what} from stdin`];
  if (!source.startsWith('@')) return [source, what];
  const file = source.slice(1);
  return [
    await readFile(file, 'utf8').catch((cause: Error) => {
      throw new UsageError(`${what} cannot be read: ${cause.message}`, { cause });
    }),
    JSON.stringify(file),
  ];
}

function list(items: readonly string[]): string {
  return items.map((item) => JSON.stringify(item)).join(', ');
}
