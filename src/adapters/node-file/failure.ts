import { FuselineError } from '../../core/errors.ts';
import { hasCode } from './files.ts';

/** The storage's own error for a failed file operation. */
export function failed(what: string, cause: unknown): FuselineError {
  if (cause instanceof FuselineError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (hasCode(cause, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
    return new FuselineError('STORAGE_FULL', `${what}: the disk is full (${reason}); free some space and try again`, {
      cause,
    });
  }
  return new FuselineError('STORAGE_FAILED', `${what}: ${reason}`, { cause });
}
