import { MemoryStorage, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { drawRun } from '../../src/cli/timeline.ts';
import { type Attempts, evolveAttempts } from '../../src/core/attempts.ts';

const terminal = (rows: number) =>
  ({ isTTY: true, columns: 80, rows, hasColors: () => false }) as unknown as NodeJS.WriteStream;
const TERMINAL = terminal(24);

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
  const now = Date.now();
  const lines = drawRun({ run, graph: review.graph(), explain: '', attempts, progress: new Map(), now }, TERMINAL);
  expect(lines.join('\n')).toContain('look-at-the-order (fine)');
  expect(lines.join('\n')).toMatch(/short, look-at-.*… \(fine\)/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
});

test('what steps say of how far they are stands below them where there is room, and steps come first', async () => {
  const wide = workflow('wide', ($) =>
    Object.fromEntries(['a', 'b', 'c'].map((name) => [name, $.step(name, {}, () => 1)])),
  );
  const storage = new MemoryStorage();
  const { id } = await wide.dispatch(undefined, { storage });
  const run = await storage.get(id);
  const progress = new Map(['a', 'b'].map((name) => [name, `${name} is halfway${'.'.repeat(80)}`]));
  const watched = { run, graph: wide.graph(), explain: 'Waits.', attempts: new Map(), progress, now: Date.now() };
  const told = (rows: number) =>
    drawRun(watched, terminal(rows))
      .slice(3)
      .map((line) => line.slice(2, 12).trimEnd());
  expect(told(9)).toEqual(['a', 'a is halfwa', 'b', 'b is halfwa', 'c'].map((text) => text.slice(0, 10)));
  expect(told(8)).toEqual(['a', 'a is halfw', 'b', 'c']);
  expect(told(7)).toEqual(['a', 'b', 'c']);
  for (const line of drawRun(watched, TERMINAL)) expect(line.length).toBeLessThan(80);
});
