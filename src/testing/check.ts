import { webHost } from '../adapters/host.ts';
import { type ErrorCode, FuselineError } from '../core/errors.ts';

/** Throws unless the two are the same plain data. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, ought] = [text(actual), text(expected)];
  if (is !== ought) throw new Error(`${what}: expected ${clip(ought)}, got ${clip(is)}`);
}

export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Throws unless the promise rejects with a `FuselineError` of this code. */
export async function refused(code: ErrorCode, promise: Promise<unknown>, what: string): Promise<void> {
  const outcome = await promise.then(
    (value) => `resolved with ${clip(text(value))}`,
    (error: unknown) => (error instanceof FuselineError ? error.code : `rejected with ${String(error)}`),
  );
  equal(outcome, code, what);
}

/** Resolves as the promise does, or to `undefined` after `ms`. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = webHost.after(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

/** Lets timers and input have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    webHost.after(0, resolve);
  });
}

/** In one spelling: the same data, the same text. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === undefined) return '(undefined)';
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function clip(long: string): string {
  return long.length > 400 ? `${long.slice(0, 400)}… (${long.length} characters)` : long;
}
