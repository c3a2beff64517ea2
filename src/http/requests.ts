import type { RunStatus } from '../core/run-state.ts';
import { ANYTHING, type ArrayShape, type ObjectShape, type Shape } from './shape.ts';

// What the routes take. The same descriptions check the requests and tell others what to send.

export const ID = { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' } as const satisfies Shape;
export const NAME = { type: 'string', maxLength: 256 } as const satisfies Shape;
const HASH = { type: 'string', pattern: '^[0-9a-z]{28}$' } as const satisfies Shape;
/** The last moment a `Date` can say, in epoch milliseconds. */
const LAST_TIME = 8_640_000_000_000_000;
const TIME = { type: 'integer', minimum: 0, maximum: LAST_TIME } as const satisfies Shape;
const STATUS = {
  type: 'string',
  enum: ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'] satisfies readonly RunStatus[],
} as const satisfies Shape;
const MOST_LABELS = 32;
/** What a value was encoded to; the limit is that of the body. */
export const TEXT = { type: 'string', maxLength: Number.MAX_SAFE_INTEGER } as const satisfies Shape;
const LABELS = { type: 'object', additionalProperties: NAME, maxProperties: MOST_LABELS } as const satisfies Shape;

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
    input: ANYTHING,
    labels: LABELS,
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
  properties: { commandId: ID, payload: ANYTHING, text: TEXT },
  additionalProperties: false,
} as const satisfies ObjectShape;

export const FAR_ORDER = {
  type: 'object',
  properties: { id: ID, graph: HASH, input: TEXT, labels: LABELS, priority: { type: 'integer' }, startAt: TIME },
  required: ['id', 'graph', 'input'],
  additionalProperties: false,
} as const satisfies ObjectShape;

export const SECRET_HEADER = 'fuseline-secret';
/** What a worker shows that it is. */
export const SECRET = {
  [SECRET_HEADER]: { type: 'string', pattern: '^[A-Za-z0-9_-]{32,128}$' },
} as const satisfies Readonly<Record<string, Shape>>;
export const WORKER = { worker: ID } as const;

export const REGISTRATION = {
  type: 'object',
  properties: {
    id: ID,
    name: NAME,
    queues: { type: 'array', items: NAME, maxItems: 100 },
    workflows: {
      type: 'array',
      items: {
        type: 'object',
        properties: { hash: HASH, graph: ANYTHING, without: { type: 'array', items: NAME, maxItems: 10_000 } },
        additionalProperties: false,
      },
      maxItems: 1000,
    },
  },
  required: ['id', 'name', 'workflows'],
  additionalProperties: false,
} as const satisfies ObjectShape;

const CLAIM = {
  type: 'string',
  pattern: '^[A-Za-z0-9_.:-]{1,128}/[a-z0-9-]{16,36}/\\d{1,15}\\.\\d{1,15}\\.\\d{1,15}$',
} as const satisfies Shape;
const HELD = { type: 'array', items: CLAIM, maxItems: 10_000 } as const satisfies Shape;
const COUNT = { type: 'integer', minimum: 0 } as const satisfies Shape;
/** More than this in one request would keep everybody else waiting. */
const MOST_CLAIMS = 1000;
const LIMIT = { type: 'integer', minimum: 0, maximum: MOST_CLAIMS } as const satisfies Shape;

export const FETCH = {
  type: 'object',
  properties: { run: ID, limit: LIMIT, held: HELD, busy: COUNT, waitMs: WAIT },
  additionalProperties: false,
} as const satisfies ObjectShape;

export const REPORTS = {
  type: 'object',
  properties: {
    reports: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          claim: CLAIM,
          secret: { type: 'string' },
          type: {
            type: 'string',
            enum: [
              'succeeded',
              'skipped',
              'sleeping',
              'again',
              'called',
              'spread',
              'offline',
              'failed',
              'checkpoint',
              'emit',
              'progress',
              'released',
            ],
          },
          value: ANYTHING,
          text: TEXT,
          key: TEXT,
          error: { type: 'object', additionalProperties: ANYTHING, maxProperties: 32 },
          again: { type: 'string', enum: ['never'] },
          notBefore: TIME,
          at: COUNT,
          items: COUNT,
          graph: TEXT,
          labels: LABELS,
          texts: { type: 'array', items: TEXT, maxItems: 1000 },
          next: {
            type: 'object',
            properties: { limit: LIMIT, held: HELD, busy: COUNT },
            required: ['limit', 'held'],
            additionalProperties: false,
          },
        },
        required: ['claim', 'secret', 'type'],
        additionalProperties: false,
      },
      maxItems: MOST_CLAIMS,
    },
  },
  required: ['reports'],
  additionalProperties: false,
} as const satisfies ObjectShape;

export const BEAT = {
  type: 'object',
  properties: { held: HELD },
  additionalProperties: false,
} as const satisfies ObjectShape;

// Rows of these kinds, and of no others, are for workers and storages elsewhere.
const KINDS = '^(entry|value|head|time|ready|timer|claim|session|graph)';
const KEY = { type: 'string', pattern: `${KINDS}/[ -~]*$`, maxLength: 1024 } as const satisfies Shape;

export const READ = {
  type: 'object',
  properties: { keys: { type: 'array', items: KEY, maxItems: 1000 } },
  required: ['keys'],
  additionalProperties: false,
} as const satisfies ObjectShape;

export const SCAN = {
  type: 'object',
  properties: {
    ranges: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          from: KEY,
          to: { type: 'string', pattern: `${KINDS}(/[ -~]*|0)$`, maxLength: 1024 },
          limit: { type: 'integer', minimum: 1 },
          order: { type: 'string', enum: ['ascending', 'descending'] },
        },
        required: ['from', 'to'],
        additionalProperties: false,
      },
      maxItems: 100,
    },
  },
  required: ['ranges'],
  additionalProperties: false,
} as const satisfies ObjectShape;

export const NEWS = {
  type: 'object',
  properties: { asker: ID, cursor: { type: 'string', maxLength: 32_768 }, waitMs: WAIT },
  required: ['asker'],
  additionalProperties: false,
} as const satisfies ObjectShape;
