import { contentHash } from './ids.ts';
import type { Key, Range } from './store.ts';

/**
 * The layout of the store. One module owns it; nobody else builds a key.
 *
 * ```
 * entry/run/incarnation/seq                        one journal entry
 * value/run/incarnation/id                         a value too large to stand in its entry
 * head/run                                         status, labels, times: what a list shows
 * time/createdAt/run                               the order of a list
 * ready/queue/workflow/urgency/readyAt/run         a run has claimable steps for this queue and priority
 * timer/dueAt/run                                  a run has something to do at that time
 * timer/dueAt/run/errand                           something is to be done between a run and another (errands.ts)
 * claim/worker/run                                 a worker holds claims in a run
 * session/worker                                   a worker lives
 * graph/hash                                       the graph of any number of runs
 * removed/at/run                                   a run whose rows are being swept
 * secret/claims                                    what claims of workers from afar are signed with
 * ```
 */
export const keys = {
  entry: (run: string, incarnation: string, seq: number): Key => `entry/${run}/${incarnation}/${ordered(seq)}`,
  value: (run: string, incarnation: string, id: string): Key => `value/${run}/${incarnation}/${id}`,
  head: (run: string): Key => `head/${run}`,
  time: (createdAt: number, run: string): Key => `time/${ordered(createdAt)}/${run}`,
  ready: (queue: string, workflow: string, priority: number, readyAt: number, run: string): Key =>
    `${keys.readyFor(queue, workflow)}${ordered(URGENCY - priority)}/${ordered(readyAt)}/${run}`,
  readyFor: (queue: string, workflow: string): Key => `ready/${name(queue)}/${name(workflow)}/`,
  timer: (dueAt: number, run: string): Key => `timer/${ordered(dueAt)}/${run}`,
  /** `name`: the id of the child it is about, or `end`. */
  errand: (since: number, run: string, name: string): Key => `${keys.timer(since, run)}/${name}`,
  claim: (worker: string, run: string): Key => `claim/${worker}/${run}`,
  session: (worker: string): Key => `session/${worker}`,
  graph: (hash: string): Key => `graph/${hash}`,
  removed: (at: number, run: string): Key => `removed/${ordered(at)}/${run}`,
  claimSecret: 'secret/claims',
} as const;

/** Priorities lie within ± this number. */
export const MAX_PRIORITY = 1_000_000;
const URGENCY = MAX_PRIORITY * 2;

/** All keys that start with `prefix`, which ends with a slash. */
export function under(prefix: `${string}/`, page: Omit<Range, 'from' | 'to'> = {}): Range {
  return { from: prefix, to: `${prefix.slice(0, -1)}0`, ...page };
}

/** What a ready key says, without a read. */
export function parseReady(key: Key): { readonly priority: number; readonly readyAt: number; readonly run: string } {
  const [, , , urgency = '', readyAt = '', run = ''] = key.split('/');
  return { priority: URGENCY - unordered(urgency), readyAt: unordered(readyAt), run };
}

export function parseTimer(key: Key): { readonly dueAt: number; readonly run: string; readonly errand?: Key } {
  const [, dueAt = '', run = '', errand] = key.split('/');
  return { dueAt: unordered(dueAt), run, ...(errand !== undefined && { errand: key }) };
}

export function parseClaim(key: Key): { readonly worker: string; readonly run: string } {
  const [, worker = '', run = ''] = key.split('/');
  return { worker, run };
}

/** The run an entry belongs to; `undefined` for a key of another kind. */
export function runOfEntry(key: Key): string | undefined {
  return key.startsWith('entry/') ? key.slice(6, key.indexOf('/', 6)) : undefined;
}

/** The run a row is about; `undefined` for rows of workers, graphs and secrets. */
export function runOf(key: Key): string | undefined {
  const parts = key.split('/');
  return parts[RUN_AT[parts[0] as string] ?? parts.length];
}

const RUN_AT: Readonly<Record<string, number>> = {
  __proto__: null as never,
  entry: 1,
  value: 1,
  head: 1,
  time: 2,
  timer: 2,
  claim: 2,
  ready: 5,
};

/** The last part of a key. */
export function lastPart(key: Key): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The last moment a Date can be; more digits than its own a number of the journal never has. */
const MOST = 8.64e15;

/** A whole number as text that sorts as the number does: its digits behind their count. What is later than ever is `MOST`. */
function ordered(n: number): string {
  const digits = String(Math.min(MOST, Math.max(0, Math.floor(n))));
  return digits.length.toString(36) + digits;
}

function unordered(text: string): number {
  return Number(text.slice(1));
}

/** Two names, an id and two numbers fit into a key of the longest kind. */
const NAME_LENGTH = 380;

/** A user's name as one ASCII part of a key: a long one is cut, and told from others that begin like it by its hash. */
function name(text: string): string {
  const encoded = encodeURIComponent(text);
  return encoded.length <= NAME_LENGTH ? encoded : `${encoded.slice(0, NAME_LENGTH - 30)}=${contentHash(text)}`;
}
