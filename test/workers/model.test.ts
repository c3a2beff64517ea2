import { modelTest } from 'fuseline/testing';
import { describe, test } from 'vitest';
import { inDurableObject } from './backends.ts';

/** One run in three is new every time; the others are the same everywhere. */
const SEEDS = [1, 2, Date.now()];

describe('the store of a Durable Object does what a map would do', () => {
  test.each(SEEDS)('with seed %i', (seed) => modelTest(inDurableObject, { seed, operations: 500 }));
});
