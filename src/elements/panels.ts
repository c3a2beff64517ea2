import { html, set } from './dom.ts';

export interface Panel {
  readonly name: string;
  readonly title: string;
  readonly content: HTMLElement;
}

interface Framed {
  readonly name: string;
  readonly tab: HTMLElement;
  readonly element: HTMLElement;
}

/** A host that is no wider, in CSS pixels, has no room for two panels beside each other. */
const NARROW_PX = 720;

/** Panels that are all seen, or, where there is no room, one at a time under tabs. */
export class Panels {
  readonly tabs: HTMLElement = html('div', { class: 'tabs', part: 'tabs', role: 'tablist', hidden: '' });
  readonly #all: readonly Framed[];
  #shown: string;
  #shape: 'all' | 'tabs' = 'all';

  /** `host`: whose width decides. The first panel is the one that is seen at first. */
  constructor(host: Element, title: string, panels: readonly [Panel, ...Panel[]]) {
    this.#shown = panels[0].name;
    this.#all = panels.map(({ name, title, content }) => ({
      name,
      tab: html('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}` }, title),
      element: html('div', { class: `panel ${name}-panel`, id: `panel-${name}` }, content),
    }));
    set(this.tabs, 'aria-label', title);
    this.tabs.append(...this.#all.map(({ tab }) => tab));
    for (const { name, tab } of this.#all) tab.addEventListener('click', () => this.#show(name));
    this.tabs.addEventListener('keydown', (event) => this.#press(event));
    this.#draw();
    new ResizeObserver(([entry]) => {
      const width = entry?.contentRect.width ?? 0;
      // Without any it is not laid out.
      if (width > 0) this.#reshape(width <= NARROW_PX ? 'tabs' : 'all');
    }).observe(host);
  }

  /** The element around a panel's content. */
  of(name: string): HTMLElement {
    return this.#find(name).element;
  }

  /** Brings a panel into view where another one hides it, and the focus with it. */
  reveal(name: string): void {
    if (this.#shape === 'all' || this.#shown === name) return;
    this.#show(name);
    this.#find(name).tab.focus();
  }

  #find(name: string): Framed {
    const found = this.#all.find((panel) => panel.name === name);
    if (!found) throw new TypeError(`there is no panel ${name}`);
    return found;
  }

  #show(name: string): void {
    this.#shown = name;
    this.#draw();
  }

  #reshape(shape: 'all' | 'tabs'): void {
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#draw();
  }

  #draw(): void {
    const tabbed = this.#shape === 'tabs';
    this.tabs.hidden = !tabbed;
    for (const { name, tab, element } of this.#all) {
      const shown = name === this.#shown;
      set(tab, 'aria-selected', String(shown));
      set(tab, 'tabindex', shown ? '0' : '-1');
      set(element, 'role', tabbed ? 'tabpanel' : undefined);
      set(element, 'aria-labelledby', tabbed ? tab.id : undefined);
      element.hidden = tabbed && !shown;
    }
  }

  #press(event: KeyboardEvent): void {
    const last = this.#all.length - 1;
    const at = this.#all.findIndex(({ name }) => name === this.#shown);
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: at === 0 ? last : at - 1,
      ArrowRight: at === last ? 0 : at + 1,
      Home: 0,
      End: last,
    };
    const target = this.#all[moves[event.key] ?? -1];
    if (!target) return;
    event.preventDefault();
    this.#show(target.name);
    target.tab.focus();
  }
}
