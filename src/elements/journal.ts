import type { HistoryEvent } from '../core/views.ts';
import { detailOf, durationText, stepsOf } from '../core/words.ts';
import { html, set } from './dom.ts';

const ROW_PX = 22;
/** Rows kept beyond what is in view. */
const BEYOND = 8;
const NAMED = 3;

export interface JournalState {
  readonly events: readonly HistoryEvent[];
  readonly moment: number | undefined;
  readonly marked: string | undefined;
  readonly selected: string | undefined;
}

export interface JournalActs {
  readonly mark: (step: string | undefined) => void;
  readonly choose: (seq: number | undefined) => void;
}

/** A journal as a list of which only what is in view is made. One bracket is one commit. */
export class Journal {
  readonly #rows = html('div', { class: 'rows', role: 'presentation' });
  readonly element: HTMLElement = html(
    'div',
    { class: 'journal', part: 'journal', role: 'listbox', tabindex: '0', 'aria-label': 'Journal' },
    this.#rows,
  );
  readonly #made = new Map<number, { readonly row: HTMLElement; readonly event: HistoryEvent }>();
  readonly #acts: JournalActs;
  #state: JournalState = { events: [], moment: undefined, marked: undefined, selected: undefined };
  #length = 0;
  /** Where it is scrolled to, and what room it has: asked for while it is drawn, they would cost a layout. */
  #top = 0;
  #height = 0;
  /** Where it is to be scrolled to, once what is drawn has been laid out: before, it would cost a layout of its own. */
  #target: number | undefined;

  constructor(acts: JournalActs) {
    this.#acts = acts;
    const { element } = this;
    const look = (): void => {
      const { scrollTop, clientHeight } = element;
      if (scrollTop === this.#top && clientHeight === this.#height) return;
      this.#top = scrollTop;
      this.#height = clientHeight;
      this.#draw();
    };
    element.addEventListener('scroll', look, { passive: true });
    const resizes = new ResizeObserver(() => {
      if (this.#target !== undefined) this.#scroll();
      else look();
    });
    resizes.observe(element);
    // It grows with every entry, and is told of between the layout and the paint.
    resizes.observe(this.#rows);
    element.addEventListener('click', (event) => acts.choose(this.#eventAt(event)?.seq));
    element.addEventListener('pointerover', (event) => {
      const over = this.#eventAt(event);
      acts.mark(over && stepsOf(over)[0]);
    });
    element.addEventListener('pointerleave', () => acts.mark(undefined));
    element.addEventListener('keydown', (event) => this.#press(event));
  }

  show(state: JournalState): void {
    const before = this.#state;
    const wasAtEnd = this.#top + this.#height >= this.#length * ROW_PX - ROW_PX / 2;
    if (state.events !== before.events) this.#forget();
    this.#state = state;
    let top = this.#top;
    const hasGrown = state.events.length !== this.#length;
    if (hasGrown) {
      this.#length = state.events.length;
      this.#rows.style.height = `${this.#length * ROW_PX}px`;
      if (wasAtEnd && state.moment === undefined) top = Math.max(0, this.#length * ROW_PX - this.#height);
    }
    if (state.moment !== before.moment) top = this.#topToReveal(state.moment);
    if (top !== this.#top) this.#target = top;
    this.#top = top;
    this.#draw();
    if (!hasGrown && this.#target !== undefined) this.#scroll();
  }

  #scroll(): void {
    if (this.#target !== undefined) this.element.scrollTop = this.#target;
    this.#target = undefined;
  }

  #draw(): void {
    const { element } = this;
    const { events, moment, marked, selected } = this.#state;
    const first = Math.max(0, Math.floor(this.#top / ROW_PX) - BEYOND);
    const last = Math.min(events.length, Math.ceil((this.#top + this.#height) / ROW_PX) + BEYOND);
    for (const [at, { row }] of this.#made) {
      if (at >= first && at < last) continue;
      row.remove();
      this.#made.delete(at);
    }
    const origin = events[0]?.at ?? 0;
    // From the end, so that each row is put before one that is there: they are read in their order.
    for (let at = last - 1; at >= first; at--) {
      const event = events[at] as HistoryEvent;
      const made = this.#made.get(at) ?? { event, row: rowOf(event, at, origin) };
      if (!this.#made.has(at)) {
        this.#made.set(at, made);
        this.#rows.insertBefore(made.row, this.#made.get(at + 1)?.row ?? null);
      }
      const { row } = made;
      const steps = stepsOf(event);
      row.classList.toggle('first', events[at - 1]?.seq !== event.seq);
      row.classList.toggle('last', events[at + 1]?.seq !== event.seq);
      row.classList.toggle('marked', marked !== undefined && steps.includes(marked));
      row.classList.toggle('selected', selected !== undefined && steps.includes(selected));
      row.classList.toggle('ahead', moment !== undefined && event.seq > moment);
      set(row, 'aria-selected', String(event.seq === moment));
      set(row, 'aria-setsize', String(events.length));
    }
    const active = moment === undefined ? undefined : this.#made.get(this.#lastOf(moment))?.row.id;
    set(element, 'aria-activedescendant', active);
  }

  #forget(): void {
    for (const { row } of this.#made.values()) row.remove();
    this.#made.clear();
    this.#length = 0;
  }

  #eventAt({ target }: Event): HistoryEvent | undefined {
    const row = target instanceof Element ? target.closest<HTMLElement>('.row') : null;
    return row === null ? undefined : this.#state.events[Number(row.dataset.at)];
  }

  #lastOf(moment: number): number {
    return this.#state.events.findLastIndex(({ seq }) => seq <= moment);
  }

  /** Scrolled as little as shows the last entry of a moment. */
  #topToReveal(moment: number | undefined): number {
    const row = (moment === undefined ? this.#length - 1 : this.#lastOf(moment)) * ROW_PX;
    if (row < this.#top) return Math.max(0, row);
    return Math.max(0, this.#top, row + ROW_PX - this.#height);
  }

  #press(event: KeyboardEvent): void {
    const by = KEYS[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const last = this.#state.events.at(-1)?.seq ?? 0;
    const next = (this.#state.moment ?? last) + by;
    this.#acts.choose(next >= last ? undefined : Math.max(0, next));
  }
}

const KEYS: Readonly<Record<string, number>> = {
  ArrowUp: -1,
  ArrowDown: 1,
  PageUp: -10,
  PageDown: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
  Escape: Number.POSITIVE_INFINITY,
};

function rowOf(event: HistoryEvent, at: number, origin: number): HTMLElement {
  const steps = stepsOf(event);
  const named = steps.slice(0, NAMED).join(', ');
  const about = steps.length > NAMED ? `${named} and ${steps.length - NAMED} more` : named;
  const after = (time: number): string => durationText(time - origin);
  const detail = detailOf(event, '', after);
  const row = html(
    'div',
    {
      class: 'row',
      role: 'option',
      id: `entry-${at}`,
      'data-at': String(at),
      'data-type': event.type,
      'aria-posinset': String(at + 1),
    },
    html('span', { class: 'seq' }, event.index === 0 ? String(event.seq) : ''),
    html('span', { class: 'bracket', 'aria-hidden': 'true' }),
    html('span', { class: 'at' }, event.index === 0 ? after(event.at) : ''),
    html('span', { class: 'type' }, event.type),
    html('span', { class: 'about', title: [about, detail].filter((part) => part !== '').join(': ') }, about),
    html('span', { class: 'detail' }, detail),
  );
  row.style.transform = `translateY(${at * ROW_PX}px)`;
  return row;
}
