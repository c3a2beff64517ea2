import { DurableObjectStorage } from 'fuseline/durable-object';
import { test } from 'vitest';
import { features } from '../features/cases/index.ts';
import { inObject } from './objects.ts';

test.each(features)('in a Durable Object: $name', ({ run }) =>
  inObject((state) => run({ open: () => new DurableObjectStorage(state) })),
);
