import { isDuration } from './duration.ts';

/** Stable: programs may switch on these; messages may change. */
export type ErrorCode =
  | 'INVALID_DEFINITION'
  | 'INVALID_INPUT'
  | 'INVALID_ID'
  | 'INVALID_SIGNAL'
  | 'INPUT_MISMATCH'
  | 'WORKFLOW_MISMATCH'
  | 'UNKNOWN_RUN'
  | 'UNKNOWN_WORKFLOW'
  | 'UNKNOWN_STEP'
  | 'UNKNOWN_WORKER'
  | 'UNKNOWN_LINK'
  | 'LINK_EXPIRED'
  | 'LINK_USED'
  | 'RUN_NOT_FINISHED'
  | 'RUN_FINISHED'
  | 'STEP_NOT_TAKEN'
  | 'STEP_NOT_FINISHED'
  | 'NOTHING_FAILED'
  | 'RUN_FAILED'
  | 'NO_OUTPUT'
  | 'VALUE_NOT_PORTABLE'
  | 'VALUE_TOO_LARGE'
  | 'STEP_TIMEOUT'
  | 'SIGNAL_TIMEOUT'
  | 'LOOP_LIMIT'
  | 'ITEM_FAILED'
  | 'CHILD_FAILED'
  | 'CHILD_DEPTH'
  | 'STREAM_FULL'
  | 'RUN_TIMEOUT'
  | 'RUN_CANCELLED'
  | 'CLAIM_LOST'
  | 'WORKER_LOST'
  | 'STRANDED'
  | 'PROTOCOL_TOO_NEW'
  | 'STORAGE_CLOSED'
  | 'STORAGE_CORRUPT'
  | 'STORAGE_FULL'
  | 'STORAGE_FAILED'
  | 'STORAGE_UNSUPPORTED'
  | 'INVALID_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Every failure that is not a programming mistake (those are `TypeError`). */
export class FuselineError extends Error {
  override readonly name: string = 'FuselineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface StepFailure {
  readonly step: string;
  readonly attempt: number;
  readonly error: Error;
}

/** A run ended without its result. `cause` is the first failure's own error, with its own stack. */
export class RunFailedError extends FuselineError {
  override readonly name: string = 'RunFailedError';
  readonly runId: string;
  readonly failures: readonly StepFailure[];

  constructor(code: ErrorCode, runId: string, message: string, failures: readonly StepFailure[]) {
    super(code, message, failures[0] ? { cause: failures[0].error } : undefined);
    this.runId = runId;
    this.failures = failures;
  }
}

/** Thrown by a step: this attempt fails and no further one is made. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
}

interface WithHeaders {
  readonly headers: { get(name: string): string | null };
}

/**
 * Thrown by a step: this attempt fails, and the next one must not start before `when`: a duration from now, a moment,
 * or an HTTP response whose `Retry-After` header says so.
 */
export class RetryAfterError extends Error {
  override readonly name: string = 'RetryAfterError';
  readonly when: number | string | Date;

  constructor(when: number | string | Date | WithHeaders, message = 'try again later', options?: { cause?: unknown }) {
    super(message, options);
    this.when = typeof when === 'object' && 'headers' in when ? retryAfterHeader(when) : when;
    if (this.when instanceof Date ? Number.isNaN(this.when.getTime()) : !isDuration(this.when)) {
      throw new TypeError(
        `not a time to try again at: ${String(this.when)}; give a duration such as '2m', a Date or a Response`,
      );
    }
  }
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3); a response without the header leaves the wait to the backoff. */
function retryAfterHeader(response: WithHeaders): number | Date {
  const header = response.headers.get('retry-after') ?? '';
  const seconds = Number(header);
  if (header !== '' && Number.isFinite(seconds)) return Math.max(0, seconds) * 1000;
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? 0 : date;
}

/** An error as the journal keeps it. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: ErrorRecord;
}

const MAX_CAUSES = 8;
/** Longer texts are cut: an error is for reading, and must always find room beside what it explains. */
const MAX_MESSAGE = 4096;
const MAX_STACK = 16_384;

const ERROR_FIELDS = ['name', 'message', 'stack', 'code', 'cause'] as const;

/** What the journal keeps of an error: enough to read and to rebuild it, nothing that could not be carried. */
export function recordError(error: unknown, depth = 0): ErrorRecord {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: cut(String(error), MAX_MESSAGE) };
  const [name, message, stack, code, cause] = ERROR_FIELDS.map((field) => readField(error, field));
  return {
    name: typeof name === 'string' ? cut(name, 256) : 'Error',
    message: typeof message === 'string' ? cut(message, MAX_MESSAGE) : 'a value that is not an Error was thrown',
    ...(typeof stack === 'string' && { stack: cut(stack, MAX_STACK) }),
    ...(typeof code === 'string' && { code: cut(code, 256) }),
    ...(typeof code === 'number' && { code }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: recordError(cause, depth + 1) }),
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** A thrown thing may be anything, its fields as well. */
function readField(error: object, field: (typeof ERROR_FIELDS)[number]): unknown {
  try {
    return (error as Partial<Record<typeof field, unknown>>)[field];
  } catch {
    return `its ${field} could not be read`;
  }
}

/** The error as it was recorded: same name, message, code, cause chain, and the stack of the place that threw it. */
export function rebuildError(record: ErrorRecord): Error {
  const error = new Error(record.message, record.cause && { cause: rebuildError(record.cause) });
  const hidden = { enumerable: false, configurable: true, writable: true };
  Object.defineProperty(error, 'name', { value: record.name, ...hidden });
  if (record.stack !== undefined) Object.defineProperty(error, 'stack', { value: record.stack, ...hidden });
  if (record.code !== undefined) Object.assign(error, { code: record.code });
  return error;
}
