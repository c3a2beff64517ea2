import type { ErrorCode } from '../core/errors.ts';

/** The status of an answer that refuses, by its code. What is missing here is nobody's fault that could ask. */
export const STATUSES: ReadonlyMap<ErrorCode, 400 | 401 | 403 | 404 | 409 | 413 | 503 | 507> = new Map([
  ['INVALID_REQUEST', 400],
  ['INVALID_INPUT', 400],
  ['INVALID_ID', 400],
  ['INVALID_SIGNAL', 400],
  ['INVALID_DEFINITION', 400],
  ['VALUE_NOT_PORTABLE', 400],
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['UNKNOWN_RUN', 404],
  ['UNKNOWN_STEP', 404],
  ['UNKNOWN_WORKER', 404],
  ['UNKNOWN_WORKFLOW', 404],
  ['INPUT_MISMATCH', 409],
  ['WORKFLOW_MISMATCH', 409],
  ['RUN_FINISHED', 409],
  ['RUN_NOT_FINISHED', 409],
  ['STEP_NOT_FINISHED', 409],
  ['NOTHING_FAILED', 409],
  ['STEP_NOT_TAKEN', 409],
  ['NO_OUTPUT', 409],
  ['PROTOCOL_TOO_NEW', 409],
  ['VALUE_TOO_LARGE', 413],
  ['UNAVAILABLE', 503],
  ['STORAGE_FULL', 507],
]);
