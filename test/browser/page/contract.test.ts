import { storeContract } from 'fuseline/testing';
import { describe, test } from 'vitest';
import { backends } from './backends.ts';

describe.each(Object.entries(backends))('IndexedDB, %s, keeps the promises of a store:', (_, bracket) => {
  test.each(storeContract)('$name', ({ run }) => bracket(run));
});
