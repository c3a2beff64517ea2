import { MemoryStorage, MemoryStore, ProcessEngine, workflow } from 'fuseline';
import { expect, onTestFinished, test } from 'vitest';
import { continueByNewer } from '../process/newer.ts';

test('runs that a newer version continued do not hide the timers of others, however many they are', async () => {
  const store = new MemoryStore();
  const storage = new MemoryStorage({ store });
  const sleeper = workflow('sleeper', ($) => $.sleep('sleep', '20ms'));
  for (let i = 0; i < 200; i++) {
    const { id } = await sleeper.dispatch(undefined, { storage });
    await continueByNewer(store, id);
  }
  const own = await sleeper.dispatch(undefined, { storage });
  const engine = new ProcessEngine(sleeper, storage);
  const refused: string[] = [];
  engine.on('error', ({ error }) => refused.push((error as { code?: string }).code ?? String(error)));
  await engine.start();
  onTestFinished(() => engine.stop());
  expect(await own.result()).toBeUndefined();
  expect(new Set(refused)).toEqual(new Set(['PROTOCOL_TOO_NEW']));
});
