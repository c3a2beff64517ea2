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

export function lost(path: string, at: number, version: number): FuselineError {
  return new FuselineError(
    'STORAGE_CORRUPT',
    `the record at byte ${at} of ${path} builds on one at position ${version} that is no longer readable; restore the directory from a backup`,
  );
}

export function damaged(path: string, at: number): FuselineError {
  return new FuselineError(
    'STORAGE_CORRUPT',
    `${path} is damaged at byte ${at}: no crash leaves this behind, something altered the file; restore the directory from a backup`,
  );
}

export function goneFrom(path: string, what: string): FuselineError {
  return new FuselineError(
    'STORAGE_FAILED',
    `${path} was ${what} while in use; nothing is written any more, restart this process`,
  );
}
