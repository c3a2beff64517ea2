import { MemoryStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { RunScore } from '../../../demo/page/score.ts';

type Told = Parameters<RunScore['add']>[0];
const told = (event: object, seq = 0, index = 0): Told => ({ seq, index, at: 0, ...event }) as Told;

function scoreOf(steps: readonly string[], events: readonly object[]) {
  const score = new RunScore(steps);
  for (const event of events) score.add(told(event));
  return score.score;
}

test('the journal of a real run counts one result per step, and nothing lost or twice', async () => {
  const storage = new MemoryStorage();
  const pair = workflow('pair', ($) => {
    const first = $.step('first', {}, () => 1);
    return $.step('second', { first }, ({ first }) => first + 1);
  });
  await pair.run(undefined, { storage, id: 'run' });
  const score = new RunScore(['first', 'second']);
  for await (const event of storage.history('run')) score.add(event);
  expect(score.score).toEqual({ recorded: 2, lost: 0, twice: 0, again: 0, queued: 0 });
  expect(score.settled).toBe(2);
});

test('a step the run ends without is lost', () => {
  expect(
    scoreOf(
      ['a', 'b'],
      [
        { type: 'succeeded', step: 'a' },
        { type: 'ended', status: 'SUCCEEDED' },
      ],
    ).lost,
  ).toBe(1);
});

test('a second result of one step is recorded twice, unless the step was started over', () => {
  const result = { type: 'succeeded', step: 'a' };
  expect(scoreOf(['a'], [result, result]).twice).toBe(1);
  expect(scoreOf(['a'], [result, { type: 'rerun', command: 'c', steps: ['a'] }, result])).toMatchObject({
    recorded: 2,
    twice: 0,
  });
});

test('a body ran again when its step is claimed after its worker was lost, not after a failure', () => {
  const claim = { type: 'claimed', step: 'a', attempt: 1, worker: 'w' };
  expect(scoreOf(['a'], [claim, { type: 'lost', step: 'a', losses: 1, notBefore: 0 }, claim]).again).toBe(1);
  expect(scoreOf(['a'], [claim, { type: 'retrying', step: 'a', notBefore: 0 }, claim]).again).toBe(0);
});

test('what is ready or waits for its next attempt is in the queue; what a worker holds or has ended is not', () => {
  const score = new RunScore(['a', 'b']);
  const queue = (event: object) => {
    score.add(told(event));
    return score.score.queued;
  };
  expect(queue({ type: 'ready', steps: ['a', 'b'] })).toBe(2);
  expect(queue({ type: 'claimed', step: 'a', attempt: 1, worker: 'w' })).toBe(1);
  expect(queue({ type: 'retrying', step: 'a', notBefore: 0 })).toBe(2);
  expect(queue({ type: 'cancelled', steps: ['b'], reason: 'command' })).toBe(1);
});

test('a step is held from its claim until it has ended, was taken from its worker or waits again', () => {
  const score = new RunScore(['a', 'b']);
  for (const end of [
    { type: 'succeeded', step: 'a' },
    { type: 'retrying', step: 'a', notBefore: 0 },
    { type: 'lost', step: 'a', losses: 1, notBefore: 0 },
    { type: 'cancelled', steps: ['b', 'a'], reason: 'command' },
  ]) {
    score.add(told({ type: 'claimed', step: 'a', attempt: 1, worker: 'w' }));
    score.add(told({ type: 'succeeded', step: 'b' }));
    expect([...score.holders]).toEqual([['a', 'w']]);
    score.add(told(end));
    expect([...score.holders]).toEqual([]);
  }
});
