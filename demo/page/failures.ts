import { FuselineError } from 'fuseline';

/** What went wrong, and what to do, for a person. */
export function describe(error: unknown): string {
  if (error instanceof FuselineError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}
