import type { RunStatus } from '../core/run-state.ts';
import type { ArrayShape, ObjectShape, Shape } from './shape.ts';

// What the routes take. The same descriptions check the requests and tell others what to send.

export const ID = { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' } as const satisfies Shape;
export const NAME = { type: 'string', maxLength: 256 } as const satisfies Shape;
/** The last moment a `Date` can say, in epoch milliseconds. */
const LAST_TIME = 8_640_000_000_000_000;
const TIME = { type: 'integer', minimum: 0, maximum: LAST_TIME } as const satisfies Shape;
const STATUS = {
  type: 'string',
  enum: ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'] satisfies readonly RunStatus[],
} as const satisfies Shape;
const MOST_LABELS = 32;

/** An answer that has nothing to say after this long is given all the same: what stands in between loses patience. */
export const MOST_WAIT_MS = 25_000;
export const DEFAULT_RUNS = 100;
export const MOST_EVENTS = 1000;

export const RUN = { run: ID } as const;
export const WAIT = { type: 'integer', minimum: 0, maximum: MOST_WAIT_MS } as const satisfies Shape;
/** A position in a journal. */
export const POSITION = { type: 'integer', minimum: 0 } as const satisfies Shape;

export const LIST = {
  workflow: NAME,
  status: { type: 'array', items: STATUS, maxItems: 6 } satisfies ArrayShape,
  label: {
    type: 'array',
    items: { type: 'string', pattern: '^[^:]+:', maxLength: 513 },
    maxItems: MOST_LABELS,
  },
  createdFrom: TIME,
  createdBefore: TIME,
  limit: { type: 'integer', minimum: 1, maximum: 1000 },
  cursor: { type: 'string', pattern: '^time/[0-9a-z]{1,20}/[A-Za-z0-9_.:-]{1,128}$' },
} as const satisfies Readonly<Record<string, Shape>>;

export const HISTORY = {
  from: POSITION,
  limit: { type: 'integer', minimum: 1, maximum: MOST_EVENTS },
  waitMs: WAIT,
} as const satisfies Readonly<Record<string, Shape>>;

export const ORDER = {
  type: 'object',
  properties: {
    id: ID,
    version: NAME,
    input: { description: 'any JSON' },
    labels: { type: 'object', additionalProperties: NAME, maxProperties: MOST_LABELS },
    priority: { type: 'integer' },
    startAt: TIME,
  },
  additionalProperties: false,
} as const satisfies ObjectShape;

export const COMMAND = {
  type: 'object',
  properties: { commandId: ID },
  additionalProperties: false,
} as const satisfies ObjectShape;

export const ENQUEUE = {
  type: 'object',
  properties: { commandId: ID, force: { type: 'string', enum: ['not-taken'] } },
  additionalProperties: false,
} as const satisfies ObjectShape;

export const SIGNAL = {
  type: 'object',
  properties: { commandId: ID, payload: { description: 'any JSON' } },
  additionalProperties: false,
} as const satisfies ObjectShape;
