import { workerName } from '../core/ids.ts';
import type { RunView, StepView } from '../core/views.ts';
import { html } from './dom.ts';
import { signOf, wordOf } from './signs.ts';
import { waitText } from './waits.ts';

/** Time between two announcements: a screen reader shall be able to finish one. */
const PAUSE_MS = 1500;
/** More changes than these are counted, not told one by one. */
const TOLD = 3;

/** Says to a screen reader what has changed in a run. */
export class Announcer {
  readonly element: HTMLElement = html('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
  #known: RunView | undefined;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Hears of the run as it is now; `undefined` if it is not followed. */
  hear(run: RunView | undefined): void {
    const known = this.#known;
    this.#known = run;
    if (!run || known?.id !== run.id || known === run) return;
    this.#waiting.push(...changesOf(known, run));
    if (this.#waiting.length > 0 && this.#timer === undefined) this.#tell();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#known = undefined;
    this.#waiting = [];
  }

  #tell(): void {
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const told = this.#waiting.slice(-TOLD);
    const rest = this.#waiting.length - told.length;
    this.#waiting = [];
    this.element.textContent = [...(rest > 0 ? [`${rest} more changes`] : []), ...told].join('. ');
    this.#timer = setTimeout(() => this.#tell(), PAUSE_MS);
  }
}

/** Starts are not told: what is running has no end yet, and there are too many of them. */
export function changesOf(before: RunView, after: RunView): readonly string[] {
  const steps = after.steps.flatMap((step, i) => {
    const old = before.steps[i];
    return !old || old === step ? [] : changeOf(old, step);
  });
  const isNew = before.status !== after.status && after.status !== 'RUNNING';
  return isNew ? [...steps, `Run ${after.id} ${wordOf(after.status)}`] : steps;
}

function changeOf(before: StepView, after: StepView): readonly string[] {
  const sign = signOf(after);
  if (sign === signOf(before) || sign === 'PENDING' || sign === 'QUEUED' || sign === 'RUNNING') return [];
  if (after.waits) return [`${after.name} ${waitText(after)}`];
  const attempt = after.attempt > 0 && sign !== 'SKIPPED' ? [`attempt ${after.attempt}`] : [];
  const worker = before.worker !== undefined && sign !== 'SKIPPED' ? [`worker ${workerName(before.worker)}`] : [];
  const words = sign === 'DELAYED' ? 'will be tried again' : wordOf(sign);
  return [[`${after.name} ${words}`, ...attempt, ...worker].join(', ')];
}
