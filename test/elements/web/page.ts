import { MemoryStorage, ProcessEngine, workflow } from 'fuseline';
import { defineElements } from 'fuseline/elements';

const HOSTILE = '<img src=x onerror="document.title = `hit`">';

/** One step that fails once, one that loses its worker, one with a hostile name, and the joins between them. */
function photo() {
  let failures = 0;
  let starts = 0;
  return workflow('photo', ($) => {
    const decode = $.step('decode', {}, () => ({ width: 4000, note: HOSTILE }));
    const small = $.step(
      'resize-small',
      { decode },
      async () => {
        if (failures++ > 0) return 'small';
        // One that was over in the moment it began would leave its row to what began beside it.
        await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error(HOSTILE);
      },
      { retry: { attempts: 2, base: 50, jitter: 'none' } },
    );
    const large = $.step('resize-large', { decode }, () => (starts++ === 0 ? new Promise(() => {}) : 'large'));
    const palette = $.step(HOSTILE, { decode }, () => ['#884422', '#335577']);
    return $.step('sheet', { small, large, palette }, () => 'sheet');
  });
}

const storage = new MemoryStorage();
const workflowOfPage = photo();

defineElements();
const element = document.createElement('fuseline-run');
element.content = ({ name }, result) => {
  if (name !== HOSTILE || !Array.isArray(result)) return undefined;
  const swatches = document.createElement('div');
  swatches.className = 'swatches';
  swatches.textContent = result.join(' ');
  return swatches;
};
element.storage = storage;
element.run = 'photo-1';
const main = document.querySelector('main') as HTMLElement;
main.append(element);

const heard: (readonly [string, unknown])[] = [];
for (const type of ['fuseline-select', 'fuseline-mark', 'fuseline-moment'] as const)
  element.addEventListener(type, (event) => heard.push([type.slice(9), event.detail]));

/** What the tests ask of the page. */
const asked = {
  heard,
  /** Works the run until its worker dies with a step. */
  async begin(): Promise<void> {
    const engine = new ProcessEngine(workflowOfPage, storage, { name: 'tab-1', concurrency: 2 });
    await engine.start();
    await workflowOfPage.dispatch(undefined, { storage, id: 'photo-1', labels: { album: HOSTILE } });
  },
  /** The other worker takes over what the first one held. */
  async takeOver(): Promise<void> {
    const [dead] = await storage.workers();
    if (dead) await storage.reap(dead.id);
    await new ProcessEngine(workflowOfPage, storage, { name: 'tab-2' }).work('photo-1');
  },
};

declare global {
  interface Window {
    asked: typeof asked;
  }
}
window.asked = asked;
