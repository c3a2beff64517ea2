import { FuselineError } from 'fuseline';

/** What a visitor can do about it, where that is something else than what a programmer can. */
const ADVICE: Readonly<Partial<Record<FuselineError['code'], string>>> = {
  STORAGE_FULL:
    'The browser has no more room for this page. What the steps made waits in memory, and is recorded once there is room: free some on the disk, or forget everything.',
  STORAGE_UNSUPPORTED:
    'The browser keeps nothing for this page, as in some private windows and with site data forbidden. Open it in an ordinary window, or allow site data.',
};

/** What went wrong, and what to do, for a visitor. */
export function advise(error: unknown): string {
  if (error instanceof FuselineError) return sentence(error.code, error.message);
  return error instanceof Error ? error.message : String(error);
}

/** The same for an error that came from another context. */
export function sentence(code: string, message: string): string {
  return `${ADVICE[code as FuselineError['code']] ?? message} (${code})`;
}
