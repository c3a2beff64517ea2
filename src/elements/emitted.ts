import type { RuntimeStorage } from '../core/storage.ts';
import type { HistoryEvent } from '../core/views.ts';
import { html, say } from './dom.ts';
import { valueText } from './value-text.ts';

/** The latest ones. The journal has all of them. */
const MOST_PARTS = 200;

export interface EmittedState {
  readonly storage: RuntimeStorage;
  readonly run: string;
  readonly step: string;
  /** They grow in place. */
  readonly events: readonly HistoryEvent[];
  readonly moment: number | undefined;
}

/** What a step has said, the newest last. What comes is added, and what is there stays as it is. */
export class Emitted {
  readonly #left = html('p', { class: 'none' });
  readonly #list = html('ol', {});
  readonly element: HTMLElement = html(
    'div',
    { hidden: '' },
    html('h4', { class: 'cap' }, 'Emitted'),
    this.#left,
    // Laid out from its end, so that it stays there while what is newest comes in.
    html('div', { class: 'parts', part: 'parts', role: 'group', tabindex: '0', 'aria-label': 'Emitted' }, this.#list),
  );
  #shown: EmittedState | undefined;
  /** Events that have been looked at, and parts among them. */
  #seen = 0;
  #count = 0;

  show(state: EmittedState): void {
    const known = this.#shown;
    if (!known || FIELDS.some((field) => known[field] !== state[field])) this.#forget();
    this.#shown = state;
    const { events, step, moment } = state;
    const news: HTMLElement[] = [];
    for (; this.#seen < events.length; this.#seen++) {
      const event = events[this.#seen] as HistoryEvent;
      if (moment !== undefined && event.seq > moment) break;
      if (event.type === 'emitted' && event.step === step) news.push(this.#partOf(event, state));
    }
    if (news.length > 0) this.#add(news);
  }

  #forget(): void {
    this.#seen = 0;
    this.#count = 0;
    this.#list.replaceChildren();
    this.element.hidden = true;
  }

  #add(news: readonly HTMLElement[]): void {
    const list = this.#list;
    list.append(...news.slice(-MOST_PARTS));
    while (list.childElementCount > MOST_PARTS) list.firstElementChild?.remove();
    const left = this.#count - list.childElementCount;
    this.#left.hidden = left === 0;
    say(this.#left, `${left} earlier ones are in the journal.`);
    this.element.hidden = false;
  }

  #partOf(event: HistoryEvent & { readonly type: 'emitted' }, { storage, run }: EmittedState): HTMLElement {
    this.#count++;
    const part = html('li', { value: String(this.#count) }, '…');
    storage.load(run, event.value).then(
      (value) => say(part, typeof value === 'string' ? value : valueText(value)),
      (error) => say(part, `cannot be read: ${error instanceof Error ? error.message : error}`),
    );
    return part;
  }
}

const FIELDS = ['storage', 'run', 'step', 'events', 'moment'] as const;
