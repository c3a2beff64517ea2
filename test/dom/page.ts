import { MemoryStorage, ProcessEngine, type Workflow, workflow } from 'fuseline';
import { defineElements, type RunElement } from 'fuseline/elements';
import { onTestFinished, vi } from 'vitest';

defineElements();

/** Two steps and one that fails once; what the last one hands back is the test's. */
export function orders(result: unknown = { total: 3 }) {
  let failures = 0;
  return workflow('orders', ($) => {
    const read = $.step('read', {}, () => [1, 2]);
    const flaky = $.step(
      'check',
      { read },
      () => {
        if (failures++ === 0) throw new Error('not today');
        return true;
      },
      { retry: { attempts: 2, base: 1, jitter: 'none' } },
    );
    return $.step('bill', { read, flaky }, () => result);
  });
}

export async function finished<Out>(of: Workflow<undefined, Out>, id = 'run') {
  const storage = new MemoryStorage();
  await of.dispatch(undefined, { storage, id });
  await new ProcessEngine(of, storage, { name: 'tab-1', concurrency: 1 }).work(id);
  return storage;
}

export function put<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  Object.assign(element, properties);
  document.body.append(element);
  onTestFinished(() => element.remove());
  return element;
}

export function all(root: Element | ShadowRoot, selector: string): readonly HTMLElement[] {
  return [...(root instanceof Element ? (root.shadowRoot ?? root) : root).querySelectorAll<HTMLElement>(selector)];
}

export function one(root: Element | ShadowRoot, selector: string): HTMLElement {
  const [found] = all(root, selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
}

/** Waits until what is asserted is so. */
export function see(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 15_000, interval: 5 });
}

/** What the element tells, as it tells it. */
export function heardFrom(element: RunElement): (readonly [type: string, detail: unknown])[] {
  const heard: (readonly [string, unknown])[] = [];
  for (const type of ['fuseline-select', 'fuseline-mark', 'fuseline-moment'] as const)
    element.addEventListener(type, (event) => heard.push([type.slice(9), event.detail]));
  return heard;
}

export function press(target: Element, key: string): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}
