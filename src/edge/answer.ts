import { type ErrorCode, FuselineError } from '../core/errors.ts';

/** What crosses from an object to its caller, where an error's class and code would be lost on the way. */
export type Answer<T> =
  | { readonly status: 'given'; readonly value: T }
  | { readonly status: 'refused'; readonly code: ErrorCode; readonly message: string };

export async function answer<T>(body: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { status: 'given', value: await body() };
  } catch (error) {
    if (!(error instanceof FuselineError)) throw error;
    return { status: 'refused', code: error.code, message: error.message };
  }
}

export function given<T>(answer: Answer<T>): T {
  if (answer.status === 'given') return answer.value;
  throw new FuselineError(answer.code, answer.message);
}
