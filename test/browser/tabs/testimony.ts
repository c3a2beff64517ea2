import { type HistoryEvent, portable } from 'fuseline';
import { attemptOf, type Blow } from './crew.ts';
import type { Note } from './site.ts';
import type { Author } from './web/storm.ts';

/** What the journal of a run, the witness and the killer say that cannot all be true. */
export function contradictions(
  run: string,
  history: readonly HistoryEvent[],
  notes: readonly Note[],
  blows: readonly Blow[],
): readonly string[] {
  const found: string[] = [];
  const begun = new Set<string>();
  const endedBy = new Map<string, string>();
  for (const note of notes) {
    const attempt = attemptOf(note);
    if (note.what === 'end') endedBy.set(attempt, note.who);
    if (note.what !== 'begin') continue;
    if (begun.has(attempt)) found.push(`${attempt} began twice`);
    begun.add(attempt);
  }

  const open = new Map<string, string>();
  const lost = new Set<string>();
  const recorded = new Set<string>();
  const steps = new Set<string>();
  for (const event of history) {
    if (event.type === 'failed' || event.type === 'retrying')
      found.push(`${run}/${event.step} is said to have ${event.type}`);
    if (event.type !== 'claimed' && event.type !== 'lost' && event.type !== 'succeeded') continue;
    const step = `${run}/${event.step}`;
    if (event.type === 'claimed') {
      if (open.has(step)) found.push(`${step} was claimed twice at once`);
      open.set(step, attemptOf({ run, ...event }));
      continue;
    }
    const attempt = open.get(step);
    open.delete(step);
    if (attempt === undefined) {
      found.push(`${step} has ${event.type} without a claim`);
      continue;
    }
    if (event.type === 'lost') {
      lost.add(attempt);
      continue;
    }
    if (steps.has(step)) found.push(`${step} has two results`);
    steps.add(step);
    recorded.add(attempt);
    const author = portable.decode(event.value as string) as Author;
    if (!attempt.endsWith(`/${author.attempt}`)) found.push(`the result of ${attempt} is of attempt ${author.attempt}`);
    if (endedBy.get(attempt) !== author.who)
      found.push(`the result of ${attempt} is of ${author.who}, which did not end it`);
  }
  for (const attempt of open.values()) found.push(`${attempt} came to no end`);
  // One may have been recorded between the look at who held what and the blow itself; none both, none neither.
  for (const { kind, held } of blows)
    for (const attempt of held)
      if (attempt.startsWith(`${run}/`) && lost.has(attempt) === recorded.has(attempt))
        found.push(`${attempt} is neither or both after a ${kind}`);
  return found.map((contradiction) => `${contradiction}:\n${storyOf(contradiction, run, history, notes)}`);
}

/** All that is known of the step an accusation names. */
function storyOf(contradiction: string, run: string, history: readonly HistoryEvent[], notes: readonly Note[]): string {
  const isIt = (about: object) => 'step' in about && contradiction.includes(`${run}/${String(about.step)}`);
  return [...history.filter(isIt), ...notes.filter(isIt)]
    .sort((a, b) => a.at - b.at)
    .map((line) => JSON.stringify(line))
    .join('\n');
}

/** The longest time in which no body ended, while some were still to end. */
export function longestGap(notes: readonly Note[]): number {
  const ends = notes.filter(({ what }) => what === 'end').map(({ at }) => at);
  return Math.max(...ends.slice(1).map((at, i) => at - (ends[i] as number)));
}
