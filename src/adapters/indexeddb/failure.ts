import { FuselineError } from '../../core/errors.ts';

/** The storage's own error for what IndexedDB did not do. */
export function failed(what: string, cause: unknown): FuselineError {
  if (cause instanceof FuselineError) return cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  if (isNamed(cause, 'QuotaExceededError')) {
    return new FuselineError(
      'STORAGE_FULL',
      `${what}: this site may store no more (${reason}); remove old runs, or ask the user for room with navigator.storage.persist()`,
      { cause },
    );
  }
  return new FuselineError('STORAGE_FAILED', `${what}: ${reason}`, { cause });
}

/** By name, because errors come from several realms and the classes of some are not everywhere the same. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && names.includes(String(error.name));
}
