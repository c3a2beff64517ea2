import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { expect, onTestFinished, test } from 'vitest';

test('the time of an attempt begins with its body, not while it waits for its turn', async () => {
  const busy = workflow('busy', ($) => {
    const list = $.step('list', {}, () => Array.from({ length: 12 }, (_, i) => i));
    return $.each('each', list, (i) => burn(60, i), { timeout: 200 });
  });
  expect(await busy.run()).toHaveLength(12);
});

test('no body begins once its attempt was taken back', async () => {
  const storage = new MemoryStorage();
  let begun = 0;
  const busy = workflow('busy', ($) => {
    const list = $.step('list', {}, () => Array.from({ length: 40 }, (_, i) => i));
    return $.each(
      'each',
      list.when(() => true),
      () => {
        if (++begun === 3) void storage.cancel('run');
        burn(60, undefined);
      },
    );
  });
  await busy.dispatch(undefined, { storage, id: 'run' });
  await new ProcessEngine(busy, storage).work('run');
  expect(await storage.status('run')).toBe('CANCELLED');
  expect(begun).toBeLessThan(6);
});

test('results of bodies that never wait are recorded while others of them are still to come', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fuseline-turns-'));
  const storage = new FileStorage(directory);
  onTestFinished(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });
  const busy = workflow('busy', ($) => {
    const list = $.step('list', {}, () => Array.from({ length: 24 }, (_, i) => i));
    return $.each('each', list, (i) => burn(60, i));
  });
  const run = await busy.dispatch(undefined, { storage });
  await new ProcessEngine(busy, storage).work(run.id);
  const together = new Map<number, number>();
  for await (const { type, seq } of run.events())
    if (type === 'succeeded') together.set(seq, (together.get(seq) ?? 0) + 1);
  // All of them are under way at once.
  expect(Math.max(...together.values())).toBeLessThan(24);
});

function burn<T>(ms: number, result: T): T {
  for (const start = performance.now(); performance.now() - start < ms; );
  return result;
}
