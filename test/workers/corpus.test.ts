import { DurableObjectStorage } from 'fuseline/durable-object';
import { expect, inject, test } from 'vitest';
import { dispatched, runCorpus } from '../corpus/verdicts.ts';
import { inObject } from './objects.ts';

test.each([1, 4])('every case of the corpus inside a Durable Object, with %i at work', async (workers) => {
  const cases = inject('corpus');
  const verdicts = await inObject((state) =>
    runCorpus(
      cases,
      {
        name: 'durable object',
        bracket: (body) => body(() => new DurableObjectStorage(state)),
        run: dispatched,
      },
      workers,
    ),
  );
  expect(verdicts.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  expect(verdicts).toHaveLength(cases.length);
});
