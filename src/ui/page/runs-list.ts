import { html, render } from 'lit-html';
import type { RunSummary } from '../../core/views.ts';

const ROW_HEIGHT = 44;
/** Rows kept beyond what is in sight. */
const BEYOND = 4;

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
  #state: RunsListState = { runs: [], selected: undefined };

  constructor(root: HTMLElement, parts: RunsListParts) {
    this.#root = root;
    this.#parts = parts;
    root.addEventListener('scroll', () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw()).observe(root);
    root.addEventListener('keydown', (event) => this.#key(event));
  }

  show(state: RunsListState): void {
    this.#state = state;
    this.#draw();
  }

  #draw(): void {
    const { runs, selected } = this.#state;
    const { name, status, detail, select, atEnd } = this.#parts;
    const { scrollTop, clientHeight } = this.#root;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - BEYOND);
    const rows = runs
      .slice(first, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + BEYOND)
      .map((run, i) => ({ run, index: first + i }));
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
            <span class="status" title=${status(run)}>${status(run)}</span>
            <span class="progress">${detail(run)}</span>
          </div>`,
        )}
      </div>`,
      this.#root,
    );
    // A style in the markup is what the page's policy forbids.
    const sheet = this.#root.querySelector<HTMLElement>('.rows');
    if (sheet) sheet.style.height = `${runs.length * ROW_HEIGHT}px`;
    for (const [i, row] of [...this.#root.querySelectorAll<HTMLElement>('.row')].entries())
      row.style.transform = `translateY(${(first + i) * ROW_HEIGHT}px)`;
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
    this.#reveal(index);
    this.#parts.select((runs[index] as RunSummary).id);
  }

  #reveal(index: number): void {
    const { scrollTop, clientHeight } = this.#root;
    const top = index * ROW_HEIGHT;
    this.#root.scrollTop = Math.min(top, Math.max(scrollTop, top + ROW_HEIGHT - clientHeight));
  }
}

function optionId(run: string): string {
  return `run-${run}`;
}
