import { durationText } from '../core/words.ts';
import { html } from './dom.ts';
import type { Bar, Lane } from './lanes.ts';

/** Rebuilding is put off for so long, and done once for all changes meanwhile. */
const PAUSE_MS = 1000;
const MOST_ROWS = 500;

/** What the timeline shows, as a table for those who cannot see it. */
export class AttemptsTable {
  readonly #body = html('tbody');
  readonly element: HTMLElement = html(
    'table',
    { class: 'unseen' },
    html('caption', {}, 'Attempts by worker'),
    html('thead', {}, html('tr', {}, ...HEADS.map((head) => html('th', { scope: 'col' }, head)))),
    this.#body,
  );
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lanes: readonly Lane[] = [];
  #origin = 0;

  show(lanes: readonly Lane[], origin: number): void {
    if (lanes === this.#lanes) return;
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
    const bars = this.#lanes.flatMap(({ name, bars }) => bars.map((bar) => ({ name, bar })));
    const rows = bars.slice(-MOST_ROWS).map(({ name, bar }) => this.#row(name, bar));
    this.#body.replaceChildren(...rows);
  }

  #row(worker: string, { run, attempt }: Bar): HTMLElement {
    const { startedAt, endedAt, outcome, step } = attempt;
    const took = endedAt === undefined ? '' : durationText(endedAt - startedAt);
    const cells = [run, step, String(attempt.attempt), durationText(startedAt - this.#origin), took, outcome];
    return html('tr', {}, html('th', { scope: 'row' }, worker), ...cells.map((cell) => html('td', {}, cell)));
  }
}

const HEADS = ['Worker', 'Run', 'Step', 'Attempt', 'Started after', 'Took', 'Outcome'];
