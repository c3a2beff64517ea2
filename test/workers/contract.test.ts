import { storeContract } from 'fuseline/testing';
import { describe, test } from 'vitest';
import { inDurableObject } from './backends.ts';

describe('the store of a Durable Object keeps the promises of a store:', () => {
  test.each(storeContract)('$name', ({ run }) => inDurableObject(run));
});
