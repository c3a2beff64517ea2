import type { Attempt } from '../core/attempts.ts';
import type { ErrorRecord } from '../core/errors.ts';
import type { Stored } from '../core/events.ts';
import type { Need } from '../core/graph.ts';
import { workerName } from '../core/ids.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import type { RunView, StepView } from '../core/views.ts';
import { durationText } from '../core/words.ts';
import { html } from './dom.ts';
import { Emitted } from './emitted.ts';
import { Progress } from './progress.ts';
import { attemptsAt, type Followed, resultOf } from './run-source.ts';
import { SignalForm } from './signal-form.ts';
import { drawSign, type Sign, signOf, signPicture, wordOf } from './signs.ts';
import { valueText } from './value-text.ts';
import { progressText, waitText } from './waits.ts';

export interface StepPanelState {
  readonly storage: RuntimeStorage;
  readonly view: RunView;
  readonly followed: Followed;
  readonly moment: number | undefined;
  readonly selected: string | undefined;
  /** Whether a signal may be sent. */
  readonly signals: boolean;
}

interface Shown {
  readonly step: StepView | undefined;
  readonly attempts: number;
  readonly last: Attempt | undefined;
  /** The signal that can be sent. */
  readonly signal: string | undefined;
}

/** What a step got, what it made of it, and how often it was tried; without a step, what the run got. */
export class StepPanel {
  readonly element: HTMLElement = html('section', { class: 'step', part: 'step', 'aria-label': 'Step' });
  readonly #progress = new Progress();
  readonly #emitted = new Emitted();
  readonly #form = new SignalForm();
  readonly #open: (run: string) => void;
  #shown: Shown | undefined;
  #run = '';

  /** `open`: a person wants to see another run. */
  constructor(open: (run: string) => void) {
    this.#open = open;
  }

  show(state: StepPanelState): void {
    const { storage, view, followed, moment, selected } = state;
    const step = view.steps.find(({ name }) => name === selected);
    const attempts = step ? attemptsAt(followed, step.name, moment) : [];
    const last = attempts.at(-1);
    const signal = state.signals && moment === undefined ? step?.waits?.signal : undefined;
    if (signal !== undefined) this.#form.show(storage, view.id, signal);
    if (step) {
      const what = { storage, run: view.id, step: step.name, moment };
      this.#progress.show({ ...what, followed });
      this.#emitted.show({ ...what, events: followed.events });
    }
    const known = this.#shown;
    const key = `${view.id} ${followed.events[0]?.at}`;
    const now: Shown = { step, attempts: attempts.length, last, signal };
    if (known && this.#run === key && FIELDS.every((field) => known[field] === now[field])) return;
    this.#run = key;
    this.#shown = now;
    this.element.replaceChildren(...(step ? this.#stepParts(state, step, attempts) : this.#runParts(state)));
  }

  #runParts({ storage, view, followed }: StepPanelState): readonly Node[] {
    return [
      html('p', { class: 'hint' }, 'Choose a step to see what it got and what it made of it.'),
      html('h3', { class: 'cap' }, 'Input of the run'),
      valueBlock(storage, view.id, inputIn(followed)),
    ];
  }

  #stepParts(state: StepPanelState, step: StepView, attempts: readonly Attempt[]): readonly Node[] {
    const { storage, view, followed } = state;
    const last = attempts.at(-1);
    const spec = followed.graph?.graph.steps.find(({ name }) => name === step.name);
    const sign = signOf(step);
    const word = sign === 'CALLING' ? `${wordOf(sign)} ${spec?.workflow ?? 'a workflow'}` : wordOf(sign);
    const result = step.status === 'SUCCEEDED' ? part('Result', resultBlock(storage, view, step, last)) : [];
    return [
      html('h3', {}, step.name),
      html('p', { class: 'state', 'data-status': sign }, picture(sign), word),
      ...progressOf(step),
      ...(step.child === undefined ? [] : part('Its run', openButton(step.child, this.#open))),
      ...(this.#shown?.signal === undefined ? [] : [this.#form.element]),
      ...result,
      ...(step.error
        ? part(step.status === 'FAILED' ? 'Error' : 'Error of an earlier attempt', errorBlock(step.error))
        : []),
      this.#progress.element,
      this.#emitted.element,
      ...this.#inputs(state, spec?.needs ?? []),
      ...(attempts.length === 0
        ? []
        : part('Attempts', html('ol', { class: 'attempts' }, ...attempts.map(attemptLine)))),
    ];
  }

  #inputs({ storage, view, followed, moment }: StepPanelState, needs: readonly Need[]): readonly Node[] {
    if (needs.length === 0) return [];
    const rows = needs.flatMap((need) => [
      html('dt', {}, need.param),
      html(
        'dd',
        {},
        ...sourceOf(need).map((from) => html('span', { class: 'from' }, from)),
        this.#given(need)(storage, view, followed, moment),
      ),
    ]);
    return part('Input', html('dl', { class: 'needs' }, ...rows));
  }

  /** What the source of a need has handed over, if it has. */
  #given({ from, ...need }: Need) {
    return (storage: RuntimeStorage, view: RunView, followed: Followed, moment: number | undefined): Node => {
      if (from === 'input') return valueBlock(storage, view.id, inputIn(followed));
      const steps = 'of' in need ? need.of.map(({ step }) => step) : 'step' in need ? [need.step] : [];
      const done = view.steps.find(({ name, status }) => steps.includes(name) && status === 'SUCCEEDED');
      if (!done) return html('span', { class: 'none' }, 'not there');
      return resultBlock(storage, view, done, attemptsAt(followed, done.name, moment).at(-1));
    };
  }
}

const FIELDS = ['step', 'attempts', 'last', 'signal'] as const;

/** What a step that nobody holds waits for, and how far a loop has come. */
function progressOf(step: StepView): readonly Node[] {
  const sentences = [
    ...(step.waits ? [`It ${waitText(step)}.`] : []),
    ...(step.items ? [`It has ended ${progressText(step)}.`] : []),
    ...(step.rounds === undefined
      ? []
      : [`${step.status === 'SUCCEEDED' ? 'It took' : 'It is in'} ${progressText(step)}.`]),
  ];
  return sentences.map((sentence) => html('p', { class: 'hint' }, sentence));
}

function openButton(run: string, open: (run: string) => void): HTMLElement {
  const button = html('button', { type: 'button', class: 'link', part: 'child' }, run);
  button.addEventListener('click', () => open(run));
  return button;
}

function part(title: string, ...content: readonly Node[]): readonly Node[] {
  return [html('h4', { class: 'cap' }, title), ...content];
}

function sourceOf(need: Need): readonly string[] {
  if (need.from === 'input') return ['the run’s input'];
  if (need.from === 'any') return [`any of ${need.of.map(({ step }) => step).join(', ')}`];
  return [need.from === 'settled' ? `${need.step}, settled` : need.step];
}

function inputIn({ events }: Followed): Stored | undefined {
  const [created] = events;
  return created?.type === 'created' ? created.input : undefined;
}

/** Results of a list that are read to be shown. */
const MOST_RESULTS = 1000;

function resultBlock(storage: RuntimeStorage, { id }: RunView, step: StepView, last: Attempt | undefined): HTMLElement {
  if (step.items && step.items.count > MOST_RESULTS) return textBlock(`${step.items.count} results`);
  return readBlock(resultOf(storage, id, step, last));
}

function valueBlock(storage: RuntimeStorage, run: string, stored: Stored | undefined): HTMLElement {
  return stored === undefined ? textBlock('nothing') : readBlock(storage.load(run, stored));
}

/** A value, once it has been read. */
function readBlock(reading: Promise<unknown>): HTMLElement {
  const block = textBlock('…');
  reading.then(
    (value) => {
      block.textContent = value === undefined ? 'nothing' : valueText(value);
    },
    (error) => {
      block.textContent = `cannot be read: ${error instanceof Error ? error.message : error}`;
    },
  );
  return block;
}

function textBlock(text: string): HTMLElement {
  return html('pre', { class: 'value', tabindex: '0' }, text);
}

function errorBlock({ name, message, stack, cause }: ErrorRecord): HTMLElement {
  const block = html('div', { class: 'error', part: 'error' }, html('p', {}, `${name}: ${message}`));
  if (cause) block.append(html('p', {}, `because of ${cause.name}: ${cause.message}`));
  if (stack !== undefined) block.append(html('details', {}, html('summary', {}, 'Stack'), html('pre', {}, stack)));
  return block;
}

const SIGNS: Readonly<Record<Attempt['outcome'], Sign>> = {
  running: 'RUNNING',
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  offline: 'DELAYED',
  lost: 'LOST',
  'given up': 'CANCELLED',
};

function attemptLine({ attempt, worker, startedAt, endedAt, outcome }: Attempt): HTMLElement {
  const took = endedAt === undefined ? '' : `, ${durationText(endedAt - startedAt)}`;
  return html(
    'li',
    { 'data-status': SIGNS[outcome] },
    picture(SIGNS[outcome]),
    html('span', {}, `${attempt}. ${outcome}${took}`),
    html('span', { class: 'by' }, workerName(worker)),
  );
}

function picture(sign: Sign): SVGSVGElement {
  const made = signPicture();
  drawSign(made, sign);
  return made;
}
