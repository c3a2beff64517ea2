import { durationText } from '../core/words.ts';
import { html, say, set } from './dom.ts';
import type { Bar, Lane } from './lanes.ts';

/** Changes are shown once in so long. */
const PAUSE_MS = 1000;
/** The latest ones. The journal has all of them. */
const MOST_ROWS = 100;

interface Row {
  bar: Bar;
  readonly element: HTMLElement;
  readonly cells: readonly HTMLElement[];
}

/**
 * What the timeline shows, as a table for those who cannot see it. It touches the rows that have changed, and is made of
 * boxes whose size is fixed: the layout of a real table, though nobody sees it, would cost more than all the rest.
 */
export class AttemptsTable {
  readonly element: HTMLElement = html(
    'div',
    { class: 'unseen attempts', role: 'table', 'aria-label': 'Attempts, in the order they began' },
    html('div', { role: 'row' }, ...HEADS.map((head) => html('span', { role: 'columnheader' }, head))),
  );
  readonly #rows = new Map<string, Row>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lanes: readonly Lane[] = [];
  #origin = 0;

  show(lanes: readonly Lane[], origin: number): void {
    if (lanes === this.#lanes && origin === this.#origin) return;
    this.#lanes = lanes;
    this.#origin = origin;
    this.#timer ??= setTimeout(() => this.#build(), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #build(): void {
    this.#timer = undefined;
    const all = this.#lanes.flatMap(({ name, bars }) => bars.map((bar) => ({ name, bar })));
    all.sort(({ bar: { attempt: one } }, { bar: { attempt: other } }) => one.startedAt - other.startedAt);
    set(this.element, 'aria-rowcount', String(all.length + 1));
    const latest = all.slice(-MOST_ROWS);
    const wanted = new Set(latest.map(({ bar }) => keyOf(bar)));
    for (const [key, { element }] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    const [head] = this.element.children;
    let before = head;
    latest.forEach(({ name, bar }, i) => {
      const row = this.#row(name, bar);
      set(row.element, 'aria-rowindex', String(all.length - latest.length + i + 2));
      if (before?.nextElementSibling !== row.element) before?.after(row.element);
      before = row.element;
    });
  }

  #row(worker: string, bar: Bar): Row {
    const key = keyOf(bar);
    const known = this.#rows.get(key);
    if (known && known.bar.attempt === bar.attempt) return known;
    const cells = HEADS.map((_, i) => html('span', { role: i === 0 ? 'rowheader' : 'cell' }));
    const row = known ?? { bar, element: html('div', { role: 'row' }, ...cells), cells };
    this.#rows.set(key, row);
    row.bar = bar;
    textsOf(worker, bar, this.#origin).forEach((text, i) => void say(row.cells[i] as Node, text));
    return row;
  }
}

const HEADS = ['Worker', 'Run', 'Step', 'Attempt', 'Started after', 'Took', 'Outcome'];

function keyOf({ run, attempt: { seq, step, attempt, startedAt } }: Bar): string {
  return `${run} ${startedAt} ${seq} ${attempt} ${step}`;
}

function textsOf(worker: string, { run, attempt }: Bar, origin: number): readonly string[] {
  const { startedAt, endedAt, outcome, step } = attempt;
  const took = endedAt === undefined ? '' : durationText(endedAt - startedAt);
  return [worker, run, step, String(attempt.attempt), durationText(startedAt - origin), took, outcome];
}
