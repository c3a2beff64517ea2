import { readFile } from 'node:fs/promises';
import { type LiveRun, liveRun, MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { expect, test } from 'vitest';
import { createApp, defineComponent, h } from 'vue';
import { see } from './page.ts';
import { useRun } from './recipes/react.ts';
import { storeOf } from './recipes/svelte.ts';
import { useLive } from './recipes/vue.ts';

const quick = workflow('quick', ($) => $.step('go', {}, () => 1));

function wordsOf(snapshot: LiveRun): string {
  return snapshot.status === 'ready' ? snapshot.run.status : snapshot.status;
}

/** Shows a run with a framework, works it to its end and removes it; the texts are those that were seen. */
async function play(show: (storage: MemoryStorage, seen: (snapshot: LiveRun) => void) => () => void): Promise<void> {
  const storage = new MemoryStorage();
  const seen: string[] = [];
  const end = show(storage, (snapshot) => {
    const words = wordsOf(snapshot);
    if (words !== seen.at(-1)) seen.push(words);
  });
  await see(() => expect(seen).toEqual(['loading', 'missing']));
  await quick.dispatch(undefined, { storage, id: 'run' });
  await see(() => expect(seen.at(-1)).toBe('PENDING'));
  await new ProcessEngine(quick, storage).work('run');
  await see(() => expect(seen.at(-1)).toBe('SUCCEEDED'));
  end();
  const { length } = seen;
  await storage.remove('run');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen.length).toBe(length);
}

test('the recipe for React follows a run', async () => {
  await play((storage, seen) => {
    const Run = () => {
      seen(useRun(storage, 'run'));
      return null;
    };
    const root = createRoot(document.createElement('div'));
    root.render(createElement(StrictMode, null, createElement(Run)));
    return () => root.unmount();
  });
});

test('the recipe for Vue follows a run', async () => {
  await play((storage, seen) => {
    const Run = defineComponent(() => {
      const run = useLive(liveRun(storage, 'run'));
      return () => {
        seen(run.value);
        return h('p');
      };
    });
    const app = createApp(Run);
    app.mount(document.createElement('div'));
    return () => app.unmount();
  });
});

test('the recipe for Svelte follows a run', async () => {
  await play((storage, seen) => storeOf(liveRun(storage, 'run')).subscribe(seen));
});

test('the recipes stand in the docs as they are tested', async () => {
  const docs = await readFile('docs/recipes.md', 'utf8');
  const shown = [...docs.matchAll(/<!-- (\S+\.ts) -->\n```ts\n(.*?)```/gs)];
  expect(shown.map(([, file]) => file)).toEqual([
    ...['react', 'vue', 'svelte'].map((name) => `test/dom/recipes/${name}.ts`),
    ...['approval', 'approval.test'].map((name) => `test/unit/recipes/${name}.ts`),
  ]);
  for (const [, file, code] of shown) expect(code, file).toBe(await readFile(file as string, 'utf8'));
});
