import type { StepView } from '../core/views.ts';

/** What a step that nobody holds waits for, as the end of a sentence; nothing of any other step. */
export function waitText({ waits, child }: StepView): string {
  if (!waits) return '';
  const { until, signal } = waits;
  if (signal === undefined && child === undefined)
    return until === undefined ? 'sleeps' : `sleeps until ${momentText(until)}`;
  const what = signal === undefined ? 'the end of another run' : `signal ${signal}`;
  return `waits for ${what}${until === undefined ? '' : `, until ${momentText(until)} at most`}`;
}

/** The time of a moment of today; of another day the date, and the time too. */
export function momentText(at: number): string {
  const moment = new Date(at);
  return isToday(moment)
    ? moment.toLocaleTimeString()
    : moment.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
}

/** The same where there is room for one of the two. */
export function shortMomentText(at: number): string {
  const moment = new Date(at);
  return isToday(moment) ? moment.toLocaleTimeString() : moment.toLocaleDateString();
}

function isToday(moment: Date): boolean {
  return moment.toDateString() === new Date().toDateString();
}

/** How far a loop or a list has come. */
export function progressText(step: StepView): string {
  const { items } = step;
  if (!items) return roundText(step);
  const failed = items.failed === 0 ? '' : `, ${items.failed} failed`;
  return `${items.ended} of ${items.count} ${items.count === 1 ? 'item' : 'items'}${failed}`;
}

/** Of a loop of which a round has ended: the round it is in, or how many there were. */
function roundText({ rounds, status }: StepView): string {
  if (rounds === undefined) return '';
  return status === 'SUCCEEDED' ? `${rounds + 1} rounds` : `round ${rounds + 1}`;
}
