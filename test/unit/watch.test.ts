import { MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { expect, test } from 'vitest';

test('a watcher who is shown the end of a run while he reads is let go', async () => {
  const storage = new MemoryStorage();
  const hello = workflow('hello', ($) => $.step('greet', {}, () => 'hello'));
  const run = await hello.dispatch(undefined, { storage });
  const seen: string[] = [];
  for await (const { type } of run.events()) {
    // The watcher has looked at a run under way, and will find its end on the next page.
    if (seen.push(type) === 1) await new ProcessEngine(hello, storage).work(run.id);
  }
  expect(seen.at(0)).toBe('created');
  expect(seen.at(-1)).toBe('ended');
});
