import type { RuntimeStorage } from '../core/storage.ts';
import type { HistoryEvent } from '../core/views.ts';
import { stepName } from '../core/words.ts';
import { html, say } from './dom.ts';
import { attemptsAt, type Followed } from './run-source.ts';
import { valueText } from './value-text.ts';

export interface ProgressState {
  readonly storage: RuntimeStorage;
  readonly run: string;
  readonly step: string;
  readonly followed: Followed;
  readonly moment: number | undefined;
}

interface Line {
  readonly element: HTMLElement;
  /** What it is to say, and what it has been asked to. */
  newest: HistoryEvent & { readonly type: 'progress' };
  asked?: Line['newest'];
}

/** Of a list, so many of its items under way. */
const MOST_LINES = 20;

/** How far a step last said it is; of a list, how far its items under way did. */
export class Progress {
  readonly #shown = html('div');
  readonly element: HTMLElement = html(
    'div',
    { part: 'progress', hidden: '' },
    html('h4', { class: 'cap' }, 'Progress'),
    this.#shown,
  );
  /** Of the last attempts, by what they are attempts at. */
  readonly #lines = new Map<string, Line>();
  #state: ProgressState | undefined;
  /** They grow in place; so many have been looked at. */
  #events: Followed['events'] = [];
  #seen = 0;

  show(state: ProgressState): void {
    const { followed, step, moment } = state;
    const known = this.#state;
    if (this.#events !== followed.events || FIELDS.some((field) => known?.[field] !== state[field])) {
      this.#lines.clear();
      this.#seen = 0;
    }
    this.#state = state;
    this.#events = followed.events;
    for (; this.#seen < this.#events.length; this.#seen++) {
      const event = this.#events[this.#seen] as HistoryEvent;
      if (moment !== undefined && event.seq > moment) break;
      if ('step' in event && event.step === step) this.#hear(event);
    }
    const lines = [...this.#lines]
      .filter(([name]) => name === step || attemptsAt(followed, name, moment).at(-1)?.outcome === 'running')
      .slice(-MOST_LINES)
      .map(([, line]) => line);
    for (const line of lines) if (line.asked !== line.newest) this.#ask(line, state);
    this.element.hidden = lines.length === 0;
    const { children } = this.#shown;
    if (lines.length !== children.length || lines.some(({ element }, i) => element !== children[i]))
      this.#shown.replaceChildren(...lines.map(({ element }) => element));
  }

  #hear(event: HistoryEvent & { readonly step: string }): void {
    if (event.type !== 'claimed' && event.type !== 'progress') return;
    const name = stepName(event.step, event.item);
    const line = this.#lines.get(name);
    if (event.type === 'claimed') this.#lines.delete(name);
    else if (line) line.newest = event;
    else this.#lines.set(name, { element: html('pre', { tabindex: '0' }, '…'), newest: event });
  }

  #ask(line: Line, { storage, run }: ProgressState): void {
    const { newest } = line;
    line.asked = newest;
    const write = (text: string): void => {
      // Something newer may have been faster.
      if (line.asked === newest) say(line.element, newest.item === undefined ? text : `${newest.item}: ${text}`);
    };
    storage.load(run, newest.value).then(
      (value) => write(typeof value === 'string' ? value : valueText(value)),
      (error) => write(`cannot be read: ${error instanceof Error ? error.message : error}`),
    );
  }
}

const FIELDS = ['storage', 'run', 'step', 'moment'] as const;
