import { testRun } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { expense } from './approval.ts';

const begin = () =>
  testRun(
    expense,
    { amount: 40 },
    { steps: { ask: () => undefined, pay: ({ approved }) => `paid for ${approved.by}` } },
  );

test('an expense is paid once somebody approves of it', async () => {
  const run = await begin();
  await run.until('approved'); // the step waits now; a signal may come earlier too
  await run.advance('3d');
  await expect(run.signal('approved', { by: 7 })).rejects.toMatchObject({ code: 'INVALID_SIGNAL' });
  await run.signal('approved', { by: 'ann' });
  expect(await run.result()).toBe('paid for ann');
});

test('one that nobody approves of is not paid', async () => {
  const run = await begin();
  expect(await run.result()).toBeUndefined(); // fourteen days later, in no time
  expect(run.calls('pay')).toEqual([]);
});
