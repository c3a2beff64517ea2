import { FuselineError } from './errors.ts';
import { type Created, type JournalEntry, PROTOCOL } from './events.ts';
import { type CompiledGraph, compileGraph, type Graph } from './graph.ts';
import { checkId } from './ids.ts';
import { keys } from './keys.ts';
import { headOf } from './rows.ts';
import { RunState } from './run-state.ts';
import type { Key } from './store.ts';
import { type RunExport, rowsIn } from './views.ts';

const FORMAT: RunExport['format'] = 'fuseline-run/1';

/** The rows of one run are told from those of an earlier one with its id by this; here there is only one. */
const INCARNATION = 'exported';

/**
 * What an empty store needs to show a run that was exported. By none of these rows a worker finds anything to do.
 * `valueLength`: of the store. Throws `INVALID_INPUT` for what is no export, and `PROTOCOL_TOO_NEW`.
 */
export function rowsOfExport(
  given: unknown,
  valueLength: number,
): readonly { readonly key: Key; readonly value: string }[] {
  const { id, graph, entries, values } = checkedShape(given);
  const compiled = understood(() => compileGraph(graph as Graph), 'its graph cannot be read');
  const state = understood(() => folded(compiled, entries), 'its journal cannot be read');
  const rows = entries.map((entry, seq) => ({ key: keys.entry(id, INCARNATION, seq), value: JSON.stringify(entry) }));
  for (const { row, length } of entries.flatMap(({ events }) => events.flatMap(rowsIn))) {
    const text = values[row];
    if (typeof text !== 'string' || text.length !== length)
      throw noExport(`the value ${row} is not in it, or not whole`);
    for (let at = 0; at < length; at += valueLength) {
      const piece = `${row}/${String(at / valueLength).padStart(6, '0')}`;
      rows.push({ key: keys.value(id, INCARNATION, piece), value: text.slice(at, at + valueLength) });
    }
  }
  rows.push(
    { key: keys.graph(compiled.hash), value: compiled.text },
    { key: keys.time(state.createdAt, id), value: '' },
    { key: keys.head(id), value: JSON.stringify(headOf(state, INCARNATION)) },
  );
  return rows;
}

function checkedShape(given: unknown): RunExport {
  const { format, id, entries, values } = (given ?? {}) as Partial<RunExport>;
  if (format !== FORMAT) throw noExport(`its format is ${JSON.stringify(format)}, not ${JSON.stringify(FORMAT)}`);
  if (!Array.isArray(entries) || typeof values !== 'object' || values === null)
    throw noExport('parts of it are missing');
  checkId(id as string);
  for (const entry of entries as readonly (JournalEntry | null)[]) {
    const protocol = entry?.protocol ?? 0;
    if (protocol <= PROTOCOL) continue;
    throw new FuselineError(
      'PROTOCOL_TOO_NEW',
      `run ${id} was exported by a newer version of Fuseline (protocol ${protocol}, this one knows ${PROTOCOL}); upgrade this one to open it`,
    );
  }
  return given as RunExport;
}

function folded(graph: CompiledGraph, entries: readonly JournalEntry[]): RunState {
  const [first] = entries;
  const created = first?.events[0] as Created;
  if (created.type !== 'created' || created.graph !== graph.hash)
    throw new Error('it is not the journal of this graph');
  const state = new RunState(graph, created, (first as JournalEntry).at);
  entries.forEach((entry, seq) => state.fold(entry, seq));
  return state;
}

function understood<T>(read: () => T, otherwise: string): T {
  try {
    return read();
  } catch (cause) {
    throw noExport(otherwise, cause);
  }
}

function noExport(reason: string, cause?: unknown): FuselineError {
  return new FuselineError('INVALID_INPUT', `this is no run as storage.export hands it out: ${reason}`, { cause });
}
