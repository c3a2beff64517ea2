import { expect, test } from 'vitest';
import { Rescues } from '../../../demo/page/rescues.ts';

type Told = Parameters<Rescues['see']>[1];
const told = (event: object, at: number): Told => ({ seq: 0, index: 0, at, ...event }) as Told;
const claimed = (worker: string, attempt: number, at: number) =>
  told({ type: 'claimed', step: 'hash', attempt, worker }, at);
const lost = (at: number) => told({ type: 'lost', step: 'hash', losses: 0, notBefore: 0 }, at);

test('a rescue lasts from the kill to the next attempt, and names both workers', () => {
  const rescues = new Rescues();
  rescues.see('run', claimed('otter-a.1', 1, 100));
  rescues.killed('otter-a', 150);
  rescues.see('run', lost(180));
  expect(rescues.see('run', claimed('otter-b.2', 2, 190))).toEqual({
    run: 'run',
    step: 'hash',
    attempt: 2,
    from: 'otter-a',
    by: 'otter-b',
    noticedMs: 30,
    ms: 40,
  });
});

test('a step that fails or loses a worker nobody killed here is no rescue', () => {
  const rescues = new Rescues();
  rescues.see('run', claimed('otter-a.1', 1, 100));
  expect(rescues.see('run', claimed('otter-b.2', 2, 190))).toBeUndefined();
  rescues.see('run', lost(200));
  expect(rescues.see('run', claimed('otter-a.1', 3, 210))).toBeUndefined();
});
