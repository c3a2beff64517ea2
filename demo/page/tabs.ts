import { html, render } from 'lit-html';

export interface View {
  /** Of the element that is seen or not. */
  readonly id: string;
  readonly title: string;
}

/** Parts of the page that are all seen, or, where there is no room, one at a time under tabs. */
export class Tabs {
  readonly #root: HTMLElement;
  readonly #views: readonly View[];
  readonly #narrow = matchMedia('(max-width: 720px)');
  #shown: string;

  /** The first view is the one that is seen at first. */
  constructor(root: HTMLElement, views: readonly [View, ...View[]]) {
    this.#root = root;
    this.#views = views;
    this.#shown = views[0].id;
    this.#narrow.addEventListener('change', () => this.#draw());
    root.addEventListener('keydown', (event) => this.#press(event));
    this.#draw();
  }

  show(id: string): void {
    this.#shown = id;
    this.#draw();
  }

  #draw(): void {
    const tabbed = this.#narrow.matches;
    this.#root.hidden = !tabbed;
    for (const { id } of this.#views) {
      const element = document.getElementById(id);
      if (!element) continue;
      element.hidden = tabbed && id !== this.#shown;
      if (tabbed) element.setAttribute('role', 'tabpanel');
      else element.removeAttribute('role');
    }
    render(
      html`${this.#views.map(
        ({ id, title }) => html`<button
          role="tab"
          id=${`tab-${id}`}
          aria-controls=${id}
          aria-selected=${id === this.#shown}
          tabindex=${id === this.#shown ? 0 : -1}
          @click=${() => this.show(id)}
        >
          ${title}
        </button>`,
      )}`,
      this.#root,
    );
  }

  #press(event: KeyboardEvent): void {
    const { length } = this.#views;
    const at = this.#views.findIndex(({ id }) => id === this.#shown);
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: (at + length - 1) % length,
      ArrowRight: (at + 1) % length,
      Home: 0,
      End: length - 1,
    };
    const target = this.#views[moves[event.key] ?? -1];
    if (!target) return;
    event.preventDefault();
    this.show(target.id);
    document.getElementById(`tab-${target.id}`)?.focus();
  }
}
