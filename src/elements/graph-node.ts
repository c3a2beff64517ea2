import type { Attempt } from '../core/attempts.ts';
import type { GraphStep } from '../core/graph.ts';
import { workerName } from '../core/ids.ts';
import type { StepView } from '../core/views.ts';
import { durationText } from '../core/words.ts';
import type { NodeSize, Point } from './contract.ts';
import { html, say, set } from './dom.ts';
import { kindSign } from './kinds.ts';
import { drawSign, type Sign, signOf, signPicture, wordOf } from './signs.ts';
import { progressText, shortMomentText, waitText } from './waits.ts';

const FLASH_MS = 500;

/** One step in the graph. It touches what has changed, and nothing else. */
export class GraphNode {
  readonly element: HTMLElement;
  readonly place: Point;
  readonly slot: HTMLSlotElement;
  readonly #picture = signPicture();
  readonly #name = html('span', { class: 'name' });
  readonly #word = html('span', { class: 'word' });
  readonly #detail = html('span', { class: 'detail' });
  readonly #rounds = html('span', { class: 'count rounds', part: 'rounds' });
  readonly #count = html('span', { class: 'count', part: 'attempt' });
  readonly #workflow: string | undefined;
  #step: StepView | undefined;
  #last: Attempt | undefined;
  #sign: Sign | undefined;

  constructor(at: number, spec: GraphStep | undefined, place: Point, { width, height }: NodeSize) {
    this.place = place;
    this.#workflow = spec?.workflow;
    this.slot = html('slot', { name: `step-${at}` });
    this.element = html(
      'div',
      {
        class: 'node',
        part: 'node',
        role: 'option',
        id: `step-${at}`,
        'aria-selected': 'false',
        'data-at': String(at),
      },
      html('div', { class: 'head' }, this.#picture, this.#name, ' ', ...kindSign(spec?.kind)),
      html('div', { class: 'foot' }, this.#word, ' ', this.#rounds, ' ', this.#count, ' ', this.#detail),
      html('div', { class: 'content', part: 'content' }, this.slot),
    );
    const { style } = this.element;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.transform = `translate(${place.x - width / 2}px, ${place.y - height / 2}px)`;
  }

  get step(): StepView | undefined {
    return this.#step;
  }

  /** `last`: its last attempt. Answers whether anything has changed. */
  update(step: StepView, last: Attempt | undefined, motion: 'moves' | 'still'): 'changed' | 'same' {
    if (step === this.#step && last === this.#last) return 'same';
    const sign = signOf(step);
    const isOther = this.#sign !== sign;
    this.#step = step;
    this.#last = last;
    if (isOther) {
      set(this.element, 'data-status', sign);
      drawSign(this.#picture, sign);
      say(this.#word, wordOf(sign));
      if (this.#sign !== undefined && motion === 'moves') this.#flash();
      this.#sign = sign;
    }
    say(this.#name, step.name);
    set(this.#name, 'title', step.name);
    say(this.#detail, detailOf(step, last, this.#workflow));
    set(this.#detail, 'title', waitText(step) || undefined);
    say(this.#rounds, progressText(step));
    say(this.#count, step.attempt > 1 ? `attempt ${step.attempt}` : '');
    return 'changed';
  }

  light(marked: boolean, selected: boolean): void {
    this.element.classList.toggle('marked', marked);
    set(this.element, 'aria-selected', String(selected));
  }

  #flash(): void {
    this.element.animate([{ boxShadow: '0 0 0 4px var(--ink)' }, { boxShadow: '0 0 0 0 transparent' }], {
      duration: FLASH_MS,
      easing: 'ease-out',
    });
  }
}

/** How long, by whom, or what for. `workflow`: the one it has run, where its graph says which. */
function detailOf(step: StepView, last: Attempt | undefined, workflow: string | undefined): string {
  const { status, worker, error, waits, child, items, since } = step;
  if (waits) {
    const { signal = child && (workflow ?? child), until } = waits;
    return [signal ?? '', until === undefined ? '' : `until ${shortMomentText(until)}`].filter(Boolean).join(', ');
  }
  if (status === 'RUNNING') return worker === undefined ? '' : workerName(worker);
  if (status === 'PENDING') return error?.message ?? '';
  if (status === 'FAILED') return error?.message ?? '';
  // With its last item a list ends, or with its child a step, not with the attempt that said which.
  const endedAt = items || child !== undefined ? since : last?.endedAt;
  return status === 'SUCCEEDED' && last && endedAt !== undefined ? durationText(endedAt - last.startedAt) : '';
}
