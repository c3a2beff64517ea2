import { FuselineError } from '../core/errors.ts';
import { type Batch, MAX_KEY_LENGTH, type StoreLimits } from '../core/store.ts';

/** Throws `VALUE_TOO_LARGE` for a batch with something in it that a store of these limits does not take. */
export function refuseOversize({ expect = [], put = [], delete: gone = [] }: Batch, limits: StoreLimits): void {
  const ops = expect.length + put.length + gone.length;
  if (ops > limits.batchOps) throw tooLarge(`a batch of ${ops} operations`, `${limits.batchOps} at once`);
  for (const { key, value } of put) {
    if (key.length > MAX_KEY_LENGTH) throw tooLarge(`the key ${key.slice(0, 64)}…`, `${MAX_KEY_LENGTH} characters`);
    if (value.length > limits.valueLength) {
      throw tooLarge(`the value of ${key}, ${value.length} characters long,`, `${limits.valueLength} characters`);
    }
  }
}

function tooLarge(what: string, limit: string): FuselineError {
  return new FuselineError(
    'VALUE_TOO_LARGE',
    `${what} is more than this storage takes (${limit}); keep large data elsewhere and store where it is`,
  );
}
