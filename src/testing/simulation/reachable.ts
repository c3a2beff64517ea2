import type { Event } from '../../core/events.ts';

const EVENTS: readonly Event['type'][] = [
  'created',
  'ready',
  'scheduled',
  'claimed',
  'succeeded',
  'skipped',
  'retrying',
  'offline',
  'falling-back',
  'failed',
  'cancelled',
  'lost',
  'released',
  'stopped',
  'checkpoint',
  'progress',
  'cancel',
  'pause',
  'resume',
  'signal',
  'rerun',
  'ended',
];

const RUN_STATES = ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'];
const COMMANDS = ['cancel', 'pause', 'resume', 'retry', 'enqueue', 'signal', 'remove'];

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
  event: EVENTS,
  'edge table': [...EDGES, ...EDGES.filter((edge) => !edge.endsWith('settled')).map(inGroup)],
  asked: COMMANDS.flatMap((command) => RUN_STATES.map((state) => `${command} × ${state}`)),
  action: ['kill', 'kill all', 'pause', 'pause all', 'leave', 'set clock', 'lose network', 'command'],
  'killed while it held': ['claims', 'nothing'],
  noticed: ['a death', 'a stale result', 'a worker that failed', 'that it was given up'],
};
