import { workerName } from './ids.ts';
import type { HistoryEvent } from './views.ts';

/** A length of time as people read it. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} m ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function countText(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The steps an event is about, and which items of them. */
export function stepsOf(event: HistoryEvent): readonly string[] {
  if ('steps' in event) return event.steps.map((step, i) => stepName(step, event.items?.[i]));
  return 'step' in event ? [stepName(event.step, 'item' in event ? event.item : undefined)] : [];
}

/** A step, or one of its items, as people read it. */
export function stepName(step: string, item: number | undefined): string {
  return item === undefined ? step : `${step}[${item}]`;
}

/** What an event says besides its type and its steps. `value`: what it recorded, as a text; `time` writes a moment. */
export function detailOf(event: HistoryEvent, value: string, time: (at: number) => string): string {
  const all = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
  switch (event.type) {
    case 'created':
      return all(
        event.workflow,
        event.version === undefined ? '' : `version ${event.version}`,
        event.parent === undefined ? '' : `for step ${event.parent.step} of run ${event.parent.run}`,
        value === '' ? '' : `input ${value}`,
      );
    case 'scheduled':
      return `not before ${time(event.notBefore)}`;
    case 'called':
      return all(
        `workflow ${event.workflow} as run ${event.child}`,
        event.until === undefined ? '' : `until ${time(event.until)}`,
        value === '' ? '' : `input ${value}`,
      );
    case 'waiting':
      return all(
        event.signal === undefined ? '' : `for signal ${event.signal}`,
        event.until === undefined ? '' : `until ${time(event.until)}`,
      );
    case 'spread':
      return countText(event.items, 'item');
    case 'looped':
      return all(event.notBefore === undefined ? '' : `again in ${durationText(event.notBefore - event.at)}`, value);
    case 'delivered':
      return `signal ${event.signal}`;
    case 'claimed':
      return `attempt ${event.attempt} by ${workerName(event.worker)}`;
    case 'succeeded':
      return all(event.road === undefined ? '' : `chose ${event.road ?? 'otherwise'}`, value);
    case 'skipped':
    case 'cancelled':
      return event.reason;
    case 'offline':
    case 'retrying':
      return `${event.error.message}; again in ${durationText(event.notBefore - event.at)}`;
    case 'falling-back':
    case 'refused':
    case 'failed':
      return event.error.message;
    case 'lost':
      return 'its worker died';
    case 'released':
      return 'its worker gave it back';
    case 'stopped':
      return 'its former body is known to have stopped';
    case 'checkpoint':
      return value === '' ? event.key : `${event.key}: ${value}`;
    case 'emitted':
    case 'progress':
      return value;
    case 'cancel':
    case 'pause':
    case 'resume':
      return `by command ${event.command}`;
    case 'signal':
      return `${event.name} ${value}`.trimEnd();
    case 'ended':
      return event.reason === undefined ? event.status : `${event.status}, ${event.reason}`;
    case 'ready':
    case 'returned':
    case 'rerun':
      return '';
  }
}
