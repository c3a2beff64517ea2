import type { HistoryEvent } from 'fuseline';

/** A run as its watchers see it: one row for each step, folded from the run's history. */
export type Picture = Map<string, Row>;

export interface Row {
  readonly status: 'waits' | 'runs' | 'done' | 'failed' | 'not taken' | 'cancelled';
  /** The id of the worker that has or had it. */
  readonly worker?: string;
  /** Whose death handed it on. */
  readonly from?: string;
  readonly note?: string;
  /** Epoch milliseconds. */
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export function emptyPicture(steps: readonly string[]): Picture {
  return new Map(steps.map((step) => [step, { status: 'waits' }]));
}

/** `note`: what the event says of progress, read already. */
export function evolve(picture: Picture, event: HistoryEvent, note?: string): void {
  const change = (step: string, row: Partial<Row>) =>
    picture.set(step, { status: 'waits', ...picture.get(step), ...row });
  switch (event.type) {
    case 'claimed':
      return void change(event.step, { status: 'runs', worker: event.worker, startedAt: event.at });
    case 'progress':
    case 'checkpoint':
      return void (note && change(event.step, { note }));
    case 'succeeded':
      return void change(event.step, { status: 'done', endedAt: event.at, note: event.road ?? '' });
    case 'lost':
      return void change(event.step, { status: 'waits', ...handedOn(picture.get(event.step)) });
    case 'released':
      return void change(event.step, { status: 'waits' });
    case 'retrying':
    case 'falling-back':
      return void change(event.step, { status: 'waits', note: event.error.message });
    case 'failed':
      return void change(event.step, { status: 'failed', endedAt: event.at, note: event.error.message });
    case 'skipped':
      for (const step of event.steps) change(step, { status: 'not taken' });
      return;
    case 'cancelled':
      for (const step of event.steps) change(step, { status: 'cancelled' });
      return;
  }
}

function handedOn(row: Row | undefined): Partial<Row> {
  return row?.worker === undefined ? {} : { from: row.worker };
}

const MARKS: Readonly<Record<Row['status'], string>> = {
  waits: ' ',
  runs: '»',
  done: '✓',
  failed: '✗',
  'not taken': '-',
  cancelled: '✗',
};

/** `nameOf`: how a worker is called. */
export function draw(picture: Picture, nameOf: (worker: string) => string, now: number): readonly string[] {
  const width = Math.max(...[...picture.keys()].map(({ length }) => length));
  return [...picture].map(([step, row]) => {
    const { status, worker, from, note = '', startedAt = now, endedAt = now } = row;
    const head = `  ${MARKS[status]} ${step.padEnd(width)}`;
    if (status === 'not taken') return `${head}  road not taken`;
    if (status === 'cancelled') return `${head}  cancelled`;
    if (worker === undefined) return head;
    const took = status === 'waits' ? '' : `${seconds(endedAt - startedAt)}`;
    const news = from === undefined || from === worker ? note : `${note}${note && ', '}taken over from ${nameOf(from)}`;
    return `${head}  ${nameOf(worker).padEnd(12)}  ${took.padStart(7)}  ${news}`.trimEnd();
  });
}

/** The same for those who read lines: what an event adds, once it is in the picture. */
export function lineOf(event: HistoryEvent, picture: Picture, nameOf: (worker: string) => string): string | undefined {
  if (event.type === 'skipped') return `${event.steps.join(', ')}: road not taken`;
  if (event.type === 'ended') return `run ${event.status.toLowerCase()}`;
  if (!('step' in event)) return undefined;
  const { worker = '', from, note, startedAt = event.at } = picture.get(event.step) ?? {};
  const who = nameOf(worker);
  switch (event.type) {
    case 'claimed':
      return `${event.step}: ${who} ${from === undefined || from === worker ? 'begins' : `takes over from ${nameOf(from)}${note ? ` after ${note}` : ''}`}`;
    case 'progress':
    case 'checkpoint':
      return `${event.step}: ${who}, ${note}`;
    case 'succeeded':
      return `${event.step}: ${who}, done in ${seconds(event.at - startedAt)}${event.road ? `, road ${event.road}` : ''}`;
    case 'lost':
      return `${event.step}: ${who} is gone`;
    case 'released':
      return `${event.step}: ${who} gives it back`;
    case 'retrying':
    case 'falling-back':
    case 'failed':
      return `${event.step}: ${who}, ${event.type}: ${event.error.message}`;
    default:
      return undefined;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
