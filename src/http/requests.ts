import { FuselineError } from '../core/errors.ts';
import type { RunQuery } from '../core/listing.ts';
import type { RunStatus } from '../core/run-state.ts';
import { ANYTHING, type ObjectShape, type Shape, shaped } from './shape.ts';

// What the routes take. The same descriptions check the requests and tell others what to send.

const ID: Shape = { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' };
const NAME: Shape = { type: 'string', maxLength: 256 };
/** The last moment a `Date` can say, in epoch milliseconds. */
const LAST_TIME = 8_640_000_000_000_000;
const TIME: Shape = { type: 'integer', minimum: 0, maximum: LAST_TIME };
const STATUS: Shape = {
  type: 'string',
  enum: ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'] satisfies readonly RunStatus[],
};
const CURSOR: Shape = { type: 'string', pattern: '^time/[0-9a-z]{1,20}/[A-Za-z0-9_.:-]{1,128}$' };
const TIMES = { least: 0, most: LAST_TIME };
const MOST_RUNS = 1000;
const DEFAULT_RUNS = 100;
const MOST_LABELS = 32;

export const ORDER: ObjectShape = {
  type: 'object',
  properties: {
    id: ID,
    version: NAME,
    input: ANYTHING,
    labels: { type: 'object', additionalProperties: NAME, maxProperties: MOST_LABELS },
    priority: { type: 'integer' },
    startAt: TIME,
  },
  additionalProperties: false,
};

export const COMMAND: ObjectShape = { type: 'object', properties: { commandId: ID }, additionalProperties: false };

export const ENQUEUE: ObjectShape = {
  type: 'object',
  properties: { commandId: ID, force: { type: 'string', enum: ['not-taken'] } },
  additionalProperties: false,
};

export const SIGNAL: ObjectShape = {
  type: 'object',
  properties: { commandId: ID, payload: ANYTHING },
  additionalProperties: false,
};

/** The query of a request, as Hono reads it. */
export interface Query {
  query(name: string): string | undefined;
  queries(name: string): string[] | undefined;
}

/** `?workflow=…&status=…&label=name:value&createdFrom=…&createdBefore=…&limit=…&cursor=…`; status and label may come several times. */
export function listQuery(query: Query): RunQuery {
  const workflow = optional(query, 'workflow', NAME);
  const status = query.queries('status')?.map((one) => shaped<RunStatus>(one, STATUS, 'status'));
  const cursor = optional(query, 'cursor', CURSOR);
  const createdFrom = numberIn(query, 'createdFrom', TIMES);
  const createdBefore = numberIn(query, 'createdBefore', TIMES);
  const labels = query.queries('label')?.map(labelOf);
  return {
    limit: numberIn(query, 'limit', { least: 1, most: MOST_RUNS }) ?? DEFAULT_RUNS,
    ...(workflow !== undefined && { workflow }),
    ...(status && { status }),
    ...(labels && { labels: Object.fromEntries(labels) }),
    ...(createdFrom !== undefined && { createdFrom }),
    ...(createdBefore !== undefined && { createdBefore }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** `?step=…` */
export function stepIn(query: Query): string | undefined {
  return optional(query, 'step', NAME);
}

/** A whole number of the query. */
export function numberIn(
  query: Query,
  name: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const text = query.query(name);
  if (text === undefined) return undefined;
  return shaped<number>(
    text.trim() === '' ? text : Number(text),
    { type: 'integer', minimum: least, maximum: most },
    name,
  );
}

function optional(query: Query, name: string, shape: Shape): string | undefined {
  const text = query.query(name);
  return text === undefined ? undefined : shaped<string>(text, shape, name);
}

function labelOf(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  if (colon > 0) return [text.slice(0, colon), text.slice(colon + 1)];
  throw new FuselineError('INVALID_REQUEST', `label is ${JSON.stringify(text)}; write it as name:value`);
}
