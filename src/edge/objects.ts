import { FuselineError } from '../core/errors.ts';
import { type Answer, given } from './answer.ts';

/** The binding of the class, as far as it is used. */
export interface Objects {
  getByName(name: string): { ask(verb: string, ...parameters: unknown[]): PromiseLike<Answer<unknown>> };
}

const TRIES = 3;

/**
 * A stub that threw may be broken, so every try has one of its own. An object that is overloaded is not asked again, as
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ says.
 */
export async function askObject(
  objects: Objects,
  name: string,
  verb: string,
  parameters: readonly unknown[],
): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    try {
      return given(await objects.getByName(name).ask(verb, ...parameters));
    } catch (error) {
      if (error instanceof FuselineError) throw error;
      const { retryable, overloaded } = error as { readonly retryable?: unknown; readonly overloaded?: unknown };
      if (retryable === true && overloaded !== true && tries < TRIES) continue;
      if (retryable !== true && overloaded !== true) throw error;
      throw new FuselineError(
        'UNAVAILABLE',
        `the object ${name} ${overloaded === true ? 'has more to do than it can' : 'cannot be reached'} at the moment; try again later`,
        { cause: error },
      );
    }
  }
}
