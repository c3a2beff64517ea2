import { modelTest } from 'fuseline/testing';
import { describe, test } from 'vitest';
import { backends } from './backends.ts';

/** One run in three is new every time; the others are the same everywhere. */
const SEEDS = [1, 2, Date.now()];

describe.each(Object.entries(backends))('IndexedDB, %s, does what a map would do', (_, bracket) => {
  test.each(SEEDS)('with seed %i', (seed) => modelTest(bracket, { seed, operations: 500 }));
});
