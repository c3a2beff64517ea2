import type { ErrorRecord, HistoryEvent, RuntimeStorage } from '../index.ts';

/** One event of a run, without anything that differs between two runs of the same test. */
export interface JournalLine {
  /** Milliseconds of virtual time since the run was dispatched. */
  readonly after: number;
  readonly type: HistoryEvent['type'];
  readonly [field: string]: unknown;
}

/** Values that were recorded, and moments. */
const VALUES = ['input', 'value', 'payload'];
const MOMENTS = ['notBefore', 'deadline', 'until'];
/** Where it stands, and ids: of no interest, or other ones whenever anything else is changed. */
const LEFT_OUT = ['seq', 'index', 'at', 'type', 'graph', 'command'];

export async function readJournal(
  storage: RuntimeStorage,
  run: string,
  start: number,
): Promise<readonly JournalLine[]> {
  const workers = new Map<string, string>();
  const lines: JournalLine[] = [];
  for await (const event of storage.history(run)) {
    const fields: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(event)) {
      if (LEFT_OUT.includes(field) || (event.type === 'delivered' && field === 'signal')) continue;
      if (VALUES.includes(field)) fields[field] = await storage.load(run, value);
      else if (MOMENTS.includes(field)) fields[field] = value - start;
      else if (field === 'error') fields[field] = withoutStack(value);
      else if (field === 'worker') fields[field] = nameIn(workers, value);
      else fields[field] = value;
    }
    lines.push({ after: event.at - start, type: event.type, ...fields });
  }
  return lines;
}

function withoutStack({ stack: _, cause, ...error }: ErrorRecord): ErrorRecord {
  return { ...error, ...(cause && { cause: withoutStack(cause) }) };
}

function nameIn(workers: Map<string, string>, id: string): string {
  const name = workers.get(id) ?? `worker ${workers.size + 1}`;
  workers.set(id, name);
  return name;
}
