import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { html, render } from 'lit-html';
import type { RunSummary } from '../../core/views.ts';

const ROW_HEIGHT = 44;

export interface RunsListState {
  readonly runs: readonly RunSummary[];
  readonly selected: string | undefined;
}

export interface RunsListParts {
  readonly select: (run: string) => void;
  /** What a run is called. */
  readonly name: (run: RunSummary) => string;
  readonly status: (run: RunSummary) => string;
  /** What else is to be known of it: `7 of 12`, say. */
  readonly detail: (run: RunSummary) => string;
  /** The last run came into sight. */
  readonly atEnd?: () => void;
}

/** A listbox of any number of runs; only the rows in sight are in the page. */
export class RunsList {
  readonly #root: HTMLElement;
  readonly #parts: RunsListParts;
  readonly #virtualizer: Virtualizer<HTMLElement, Element>;
  #state: RunsListState = { runs: [], selected: undefined };

  constructor(root: HTMLElement, parts: RunsListParts) {
    this.#root = root;
    this.#parts = parts;
    this.#virtualizer = new Virtualizer<HTMLElement, Element>({
      count: 0,
      getScrollElement: () => root,
      estimateSize: () => ROW_HEIGHT,
      overscan: 4,
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: () => this.#draw(),
    });
    this.#virtualizer._didMount();
    this.#virtualizer._willUpdate();
    root.addEventListener('keydown', (event) => this.#key(event));
  }

  show(state: RunsListState): void {
    this.#state = state;
    this.#virtualizer.setOptions({ ...this.#virtualizer.options, count: state.runs.length });
    this.#virtualizer._willUpdate();
    this.#draw();
  }

  #draw(): void {
    const { runs, selected } = this.#state;
    const { name, status, detail, select, atEnd } = this.#parts;
    const rows = this.#virtualizer.getVirtualItems().flatMap(({ index, start }) => {
      const run = runs[index];
      return run ? [{ run, index, start }] : [];
    });
    // An option that is out of sight is not in the page.
    if (selected !== undefined && rows.some(({ run }) => run.id === selected))
      this.#root.setAttribute('aria-activedescendant', optionId(selected));
    else this.#root.removeAttribute('aria-activedescendant');
    render(
      html`<div class="rows">
        ${rows.map(
          ({ run, index }) => html`<div
            class="row"
            role="option"
            id=${optionId(run.id)}
            aria-selected=${run.id === selected}
            aria-setsize=${runs.length}
            aria-posinset=${index + 1}
            data-status=${run.status}
            @click=${() => select(run.id)}
          >
            <span class="mark" aria-hidden="true"></span>
            <span class="name">${name(run)}</span>
            <span class="status">${status(run)}</span>
            <span class="progress">${detail(run)}</span>
          </div>`,
        )}
      </div>`,
      this.#root,
    );
    // A style in the markup is what the page's policy forbids.
    const sheet = this.#root.querySelector<HTMLElement>('.rows');
    if (sheet) sheet.style.height = `${this.#virtualizer.getTotalSize()}px`;
    for (const [i, row] of [...this.#root.querySelectorAll<HTMLElement>('.row')].entries())
      row.style.transform = `translateY(${rows[i]?.start ?? 0}px)`;
    if (runs.length > 0 && rows.at(-1)?.index === runs.length - 1) atEnd?.();
  }

  #key(event: KeyboardEvent): void {
    const { runs, selected } = this.#state;
    const at = runs.findIndex(({ id }) => id === selected);
    const page = Math.max(1, Math.floor(this.#root.clientHeight / ROW_HEIGHT) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: runs.length - 1,
    };
    const target = moves[event.key];
    if (target === undefined || runs.length === 0) return;
    event.preventDefault();
    const index = Math.min(runs.length - 1, Math.max(0, target));
    this.#virtualizer.scrollToIndex(index);
    this.#parts.select((runs[index] as RunSummary).id);
  }
}

function optionId(run: string): string {
  return `run-${run}`;
}
