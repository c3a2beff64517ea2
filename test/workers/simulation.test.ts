import { DurableObjectStore } from 'fuseline/durable-object';
import { simulate } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { inObject } from './objects.ts';

// A world is some thousand turns, and a turn of workerd's event loop takes a timer of a millisecond and more.
test('a simulated world over the storage of an object keeps every promise; another one every time', () =>
  inObject(async ({ storage }) => {
    const rows = () => ({ open: async () => new DurableObjectStore(storage) });
    expect(await simulate({ worlds: 1, seed: Date.now(), rows })).toMatchObject({ worlds: 1 });
  }));
