import type { Event } from '../../core/events.ts';
import type { RunStatus } from '../../core/run-state.ts';
import type { FaultCounts } from '../faulty-store.ts';
import type { Action, Command } from './plan.ts';

// Records, so that the compiler knows when one is missing.
export const EVENTS = {
  created: true,
  ready: true,
  scheduled: true,
  called: true,
  returned: true,
  waiting: true,
  delivered: true,
  looped: true,
  spread: true,
  refused: true,
  claimed: true,
  succeeded: true,
  skipped: true,
  retrying: true,
  offline: true,
  'falling-back': true,
  failed: true,
  cancelled: true,
  lost: true,
  released: true,
  stopped: true,
  checkpoint: true,
  progress: true,
  emitted: true,
  cancel: true,
  pause: true,
  resume: true,
  signal: true,
  rerun: true,
  ended: true,
} satisfies Record<Event['type'], true>;

const RUN_STATES = {
  PENDING: true,
  RUNNING: true,
  PAUSED: true,
  SUCCEEDED: true,
  FAILED: true,
  CANCELLED: true,
} satisfies Record<RunStatus, true>;

const COMMANDS = {
  cancel: true,
  pause: true,
  resume: true,
  retry: true,
  enqueue: true,
  signal: true,
  remove: true,
} satisfies Record<Command, true>;

const ACTIONS = {
  kill: true,
  'kill all': true,
  pause: true,
  'pause all': true,
  leave: true,
  'set clock': true,
  'lose network': true,
  command: true,
} satisfies Record<Action['type'], true>;

/** What stores do to the processes of a world. */
export const FAULTS = {
  failedBefore: 'a commit that failed',
  failedAfter: 'a commit whose answer was lost',
  conflicts: 'a conflict with nobody',
  droppedHints: 'a lost hint',
  doubledHints: 'a doubled hint',
} as const satisfies Record<keyof FaultCounts, string>;

/** Which edges meet which ends of their sources; a road is chosen or not only by a step that was taken to its end. */
const EDGES = [
  ...['SUCCEEDED', 'SKIPPED', 'NOT_TAKEN', 'FAILED', 'CANCELLED'].flatMap((end) => [
    `${end}, plain`,
    `${end}, settled`,
  ]),
  ...['NOT_TAKEN', 'FAILED', 'CANCELLED'].flatMap((end) => [`${end}, road`, `${end}, otherwise`]),
  'SUCCEEDED, road chosen',
  'SUCCEEDED, road not chosen',
  'SUCCEEDED, otherwise chosen',
  'SUCCEEDED, otherwise not chosen',
  'SKIPPED, road not chosen',
  'SKIPPED, otherwise chosen',
];
const inGroup = (edge: string): string => edge.replace(',', ', any of,');

/** What made-up worlds reach if there are enough of them; what they do not reach they do not prove. */
export const REACHABLE: Readonly<Record<string, readonly string[]>> = {
  event: Object.keys(EVENTS),
  'edge table': [...EDGES, ...EDGES.filter((edge) => !edge.endsWith('settled')).map(inGroup)],
  asked: Object.keys(COMMANDS).flatMap((command) => Object.keys(RUN_STATES).map((state) => `${command} × ${state}`)),
  action: Object.keys(ACTIONS),
  fault: Object.values(FAULTS),
  'killed while it held': ['claims', 'nothing'],
  noticed: ['a death', 'a stale result', 'a worker that failed', 'that it was given up'],
};
