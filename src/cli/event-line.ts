import type { FileStorage } from '../adapters/node-file/index.ts';
import type { Stored } from '../core/events.ts';
import type { HistoryEvent } from '../core/views.ts';
import { detailOf, stepsOf } from '../core/words.ts';
import { columnsOf, json, localTime, painter, type Style } from './output.ts';
import { clip, oneLine, widthOf } from './text.ts';

/** An event whose recorded values are decoded. */
export type ReadEvent = HistoryEvent & { readonly decoded?: unknown };

/** Reads what an event refers to. */
export async function readEvent(storage: FileStorage, run: string, event: HistoryEvent): Promise<ReadEvent> {
  const stored = storedIn(event);
  return stored === undefined ? event : { ...event, decoded: await storage.load(run, stored) };
}

/** One JSON document in one line: the event, with its values instead of what stands for them in the journal. */
export function jsonOf({ decoded, ...event }: ReadEvent): string {
  if (storedIn(event as HistoryEvent) === undefined) return json(event);
  const field =
    event.type === 'created' || event.type === 'called' ? 'input' : event.type === 'signal' ? 'payload' : 'value';
  return json({ ...event, [field]: decoded });
}

const STYLES: Readonly<Partial<Record<HistoryEvent['type'], Style>>> = {
  claimed: 'cyan',
  succeeded: 'green',
  failed: 'red',
  retrying: 'yellow',
  'falling-back': 'yellow',
  refused: 'yellow',
  lost: 'yellow',
  released: 'yellow',
  cancelled: 'yellow',
  cancel: 'yellow',
  pause: 'yellow',
  skipped: 'dim',
  ready: 'dim',
  waiting: 'dim',
  called: 'dim',
  returned: 'dim',
  delivered: 'dim',
  looped: 'green',
  emitted: 'dim',
  scheduled: 'dim',
};
const TYPE_WIDTH = 'falling-back'.length;

/** When, what, which step, how: one line that fits the stream. */
export function lineOf(event: ReadEvent, stream: NodeJS.WriteStream): string {
  const paint = painter(stream);
  const columns = columnsOf(stream);
  const time = `${localTime(event.at)}.${String(Math.floor(event.at) % 1000).padStart(3, '0')}`;
  const style = event.type === 'ended' ? ENDS[event.status] : STYLES[event.type];
  const type = event.type.padEnd(TYPE_WIDTH);
  const room = columns - time.length - TYPE_WIDTH - 4;
  const about = oneLine(stepsOf(event).join(', '));
  const detail = oneLine(detailOf(event, valueIn(event), localTime));
  // A long name leaves room for what happened.
  const name = detail === '' ? about : clip(about, Math.max(Math.floor(room / 2), room - widthOf(detail) - 2));
  const words = clip([name, detail].filter((part) => part !== '').join('  '), room);
  return `${paint('dim', time)}  ${style ? paint(style, type) : type}  ${words}`.trimEnd();
}

const ENDS = { SUCCEEDED: 'green', FAILED: 'red', CANCELLED: 'yellow' } as const;

function valueIn({ decoded }: ReadEvent): string {
  return decoded === undefined ? '' : json(decoded);
}

function storedIn(event: HistoryEvent): Stored | undefined {
  switch (event.type) {
    case 'created':
    case 'called':
      return event.input;
    case 'succeeded':
    case 'looped':
    case 'checkpoint':
    case 'progress':
    case 'emitted':
      return event.value;
    case 'signal':
      return event.payload;
    default:
      return undefined;
  }
}
