import { FuselineError } from '../core/errors.ts';
import type { HistoryEvent } from '../core/views.ts';
import type { HistoryPage, RunService } from './run-service.ts';

/** The place of an event: its entry in the journal, and how many of that entry come before it. */
export interface Place {
  readonly seq: number;
  readonly index: number;
}

export const EVENT_STREAM = 'text/event-stream';

/** A stream with nothing to say says so this often, so that what stands in between does not take it for dead. */
const HEARTBEAT_MS = 15_000;
const PAGE = 500;

/**
 * The events of a run behind a place, as Server-Sent Events whose ids are places, until the run has ended; an answer
 * without a body where nothing more will come, which keeps a browser's `EventSource` from asking for it again.
 *
 * Every page is a request of its own to the service, so nothing is kept open behind the app. It is asked for when
 * somebody reads on: a client that went away is asked nothing more for.
 */
export async function eventStream(
  runs: RunService,
  run: string,
  after: Place | undefined,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<Response> {
  let from = after?.seq ?? 0;
  const read = async (waitMs: number): Promise<{ readonly text: string; readonly rest: 'later' | 'none' }> => {
    const page = await runs.history(run, { from, limit: PAGE, waitMs });
    const events = page.events.filter((event) => isBehind(event, after));
    from = page.next ?? (page.events.at(-1)?.seq ?? from - 1) + 1;
    return { text: events.map(written).join(''), rest: isAllOf(page) ? 'none' : 'later' };
  };
  // What is refused is refused before there is a stream.
  let first: Awaited<ReturnType<typeof read>> | undefined = await read(0);
  if (first.rest === 'none' && first.text === '') return new Response(null, { status: 204 });
  const encoder = new TextEncoder();
  let gone = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      let page: { readonly text: string; readonly rest: 'later' | 'none' };
      try {
        page = first ?? (await read(heartbeatMs));
      } catch (error) {
        page = { text: broken(error), rest: 'none' };
      }
      first = undefined;
      if (gone) return;
      controller.enqueue(encoder.encode(page.text === '' ? ': nothing yet\n\n' : page.text));
      if (page.rest === 'none') controller.close();
    },
    cancel() {
      gone = true;
    },
  });
  return new Response(body, { headers: { 'content-type': EVENT_STREAM } });
}

/** The place a `Last-Event-ID` names. Throws `INVALID_REQUEST`. */
export function placeIn(id: string): Place {
  const [, seq, index] = /^(\d{1,15})\.(\d{1,9})$/.exec(id) ?? [];
  if (seq !== undefined && index !== undefined) return { seq: Number(seq), index: Number(index) };
  throw new FuselineError(
    'INVALID_REQUEST',
    `last-event-id is ${JSON.stringify(id)}; send the id of an event of this stream, such as 17.0`,
  );
}

function isBehind({ seq, index }: HistoryEvent, after: Place | undefined): boolean {
  return !after || seq > after.seq || (seq === after.seq && index > after.index);
}

function isAllOf({ status, next }: HistoryPage): boolean {
  return next === undefined && (status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED');
}

function written(event: HistoryEvent): string {
  return `id: ${event.seq}.${event.index}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A stream that began cannot be refused any more. */
function broken(error: unknown): string {
  if (!(error instanceof FuselineError)) console.error(error);
  const { code, message } =
    error instanceof FuselineError ? error : { code: 'INTERNAL', message: 'this service failed; its log says why' };
  return `event: error\ndata: ${JSON.stringify({ error: { code, message } })}\n\n`;
}
