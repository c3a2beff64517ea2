import type { StepView } from '../core/views.ts';

/** What a step that nobody holds waits for, as the end of a sentence. */
export function waitText({ until, signal }: NonNullable<StepView['waits']>): string {
  if (signal === undefined) return until === undefined ? 'sleeps' : `sleeps until ${momentText(until)}`;
  return `waits for signal ${signal}${until === undefined ? '' : `, until ${momentText(until)} at most`}`;
}

/** The time of a moment of today; of another day the date too. */
export function momentText(at: number): string {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday
    ? moment.toLocaleTimeString()
    : moment.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
}

/** Of a loop of which a round has ended: the round it is in, or how many there were. */
export function roundText({ rounds, status }: StepView): string {
  if (rounds === undefined) return '';
  return status === 'SUCCEEDED' ? `${rounds + 1} rounds` : `round ${rounds + 1}`;
}
