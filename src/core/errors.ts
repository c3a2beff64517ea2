/** Stable: programs may switch on these; messages may change. */
export type ErrorCode =
  | 'INVALID_DEFINITION'
  | 'INVALID_INPUT'
  | 'INVALID_ID'
  | 'INPUT_MISMATCH'
  | 'WORKFLOW_MISMATCH'
  | 'UNKNOWN_RUN'
  | 'UNKNOWN_STEP'
  | 'RUN_NOT_FINISHED'
  | 'RUN_FINISHED'
  | 'STEP_NOT_TAKEN'
  | 'NO_OUTPUT'
  | 'VALUE_NOT_PORTABLE'
  | 'VALUE_TOO_LARGE'
  | 'STEP_TIMEOUT'
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
  | 'STORAGE_UNSUPPORTED';

/** Every failure that is not a programming mistake (those are `TypeError`). */
export class FuselineError extends Error {
  override readonly name: string = 'FuselineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown by a step: the attempt fails and no further one is made. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
}
