import type { Stored } from '../core/events.ts';
import type { HistoryEvent } from '../core/views.ts';

/** How far the last attempt at each step said it was. Of a list, the items that have ended say that. */
export type Told = Map<string, Stored>;

export function evolveTold(told: Told, event: HistoryEvent): void {
  if ((event.type !== 'claimed' && event.type !== 'progress') || event.item !== undefined) return;
  if (event.type === 'progress') told.set(event.step, event.value);
  else told.delete(event.step);
}
