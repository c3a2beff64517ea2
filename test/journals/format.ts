import { FileStore } from '../../src/adapters/node-file/file-store.ts';
import type { Event } from '../../src/core/events.ts';

/** Which rows, events and fields a directory holds: the persistent format as far as it was written there. */
export async function formatOf(directory: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const store = new FileStore(directory);
  const rows = await store.scan({ from: '!', to: '~' });
  await store.close();
  const found = new Map<string, Set<string>>();
  const see = (what: string, one: object): void => {
    const fields = found.get(what) ?? new Set();
    for (const [field, value] of Object.entries(one)) fields.add(`${field}: ${shapeOf(value)}`);
    found.set(what, fields);
  };
  for (const { key, value } of rows) {
    const [kind = '', ...parts] = key.split('/');
    see(`row ${kind}`, { parts: parts.length });
    if (kind !== 'entry' && kind !== 'head' && kind !== 'session') continue;
    const { events = [], ...row } = JSON.parse(value);
    see(kind, row);
    for (const event of events as readonly Event[]) {
      see(`event ${event.type}`, event);
      if ('error' in event) see('error', event.error);
    }
  }
  const sorted = [...found].map(([what, fields]) => [what, [...fields].sort()] as const);
  return Object.fromEntries(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value !== null && typeof value === 'object' && 'row' in value ? 'row' : typeof value;
}
