import { MemoryStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { drawRun } from '../../src/cli/timeline.ts';
import { type Attempts, evolveAttempts } from '../../src/core/attempts.ts';

const TERMINAL = { isTTY: true, columns: 80, rows: 24, hasColors: () => false } as unknown as NodeJS.WriteStream;

test('in 80 columns the live picture of a run keeps the road a step waits for, and shortens names before it', async () => {
  const review = workflow('review', ($) => {
    const look = $.branch('look-at-the-order', {}, () => 'fine');
    const longer = $.branch('look-at-the-order-and-everything-else-about-it', {}, () => 'fine');
    const one = $.step('short', {}, () => 1, { after: look.on('fine') });
    return $.step('long', { one }, () => 2, { after: longer.on('fine') });
  });
  const storage = new MemoryStorage();
  const { id } = await review.dispatch(undefined, { storage });
  const attempts: Attempts = new Map();
  for await (const event of storage.history(id)) evolveAttempts(attempts, event);
  const run = await storage.get(id);
  const lines = drawRun({ run, graph: review.graph(), explain: '', attempts, now: Date.now() }, TERMINAL);
  expect(lines.join('\n')).toContain('look-at-the-order (fine)');
  expect(lines.join('\n')).toMatch(/short, look-at-.*… \(fine\)/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
});
