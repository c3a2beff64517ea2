import { expect, test } from 'vitest';
import { meddleAs } from '../../../demo/photos/meddling.ts';
import { matching } from '../../../src/ui/page/commands.ts';
import { readRoute, writeRoute } from '../../../src/ui/page/route.ts';

test.each([
  {},
  { run: 'run-1' },
  { run: 'run-1', step: 'a step & more #1' },
  { run: 'run-1', moment: 0 },
  { run: 'run:1', step: 'é', moment: 17 },
])('the address holds %j', (route) => {
  expect(readRoute(writeRoute(route))).toEqual(route);
});

test.each(['#', '#run=', '#step=a', '#run=a&moment=-1', '#run=a&moment=x'])(
  'an address like %s is not trusted',
  (hash) => {
    const { step, moment } = readRoute(hash);
    expect([step, moment]).toEqual([undefined, undefined]);
  },
);

test('a command is found by any of its words, in any order', () => {
  const commands = ['Kill a worker', 'Hire a worker', 'Pause the run'].map((title) => ({
    id: title,
    title,
    run: () => undefined,
  }));
  expect(matching(commands, 'worker ki').map(({ title }) => title)).toEqual(['Kill a worker']);
  expect(matching(commands, '')).toHaveLength(3);
});

test('a flaky step fails once, a failing one always, and what the page changes holds for the next attempt', async () => {
  let steps: Record<string, 'flaky' | 'failing'> = { hash: 'flaky' };
  const meddle = meddleAs(() => ({ paceMs: 0, steps }));
  const { signal } = new AbortController();
  await expect(meddle('hash', { attempt: 1, signal })).rejects.toThrow('told to fail once');
  await meddle('hash', { attempt: 2, signal });
  await meddle('other', { attempt: 1, signal });
  steps = { hash: 'failing' };
  await expect(meddle('hash', { attempt: 3, signal })).rejects.toThrow('told to fail');
});
