import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { RunSummary } from 'fuseline';
import { html, render } from 'lit-html';

const ROW_HEIGHT = 44;

export interface RunsListState {
  readonly runs: readonly RunSummary[];
  readonly selected: string | undefined;
  /** Progress of a run for people: `7 of 12`, say. */
  readonly progress: (run: string) => string;
}

/** A listbox of any number of runs; only the rows in sight are in the page. */
export class RunsList {
  readonly #root: HTMLElement;
  readonly #select: (run: string) => void;
  readonly #virtualizer: Virtualizer<HTMLElement, Element>;
  #state: RunsListState = { runs: [], selected: undefined, progress: () => '' };

  constructor(root: HTMLElement, select: (run: string) => void) {
    this.#root = root;
    this.#select = select;
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
    const { runs, selected, progress } = this.#state;
    const rows = this.#virtualizer.getVirtualItems().flatMap(({ index, start }) => {
      const run = runs[index];
      return run ? [{ run, index, start }] : [];
    });
    this.#root.setAttribute('aria-activedescendant', selected === undefined ? '' : optionId(selected));
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
            @click=${() => this.#select(run.id)}
          >
            <span class="mark" aria-hidden="true"></span>
            <span class="name">${run.labels.photo ?? run.id}</span>
            <span class="status">${run.status.toLowerCase()}</span>
            <span class="progress">${progress(run.id)}</span>
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
    this.#select((runs[index] as RunSummary).id);
  }
}

function optionId(run: string): string {
  return `run-${run}`;
}
