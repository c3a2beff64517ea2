/** One caption of the story that a first visit begins with. */
export interface Caption {
  readonly id: 'watch' | 'kill' | 'leave' | 'window';
  readonly title: string;
  readonly text: string;
  /** The command the caption offers; without one, only "next". */
  readonly offers?: string;
}

/** What a take-over looked like in the journal. */
export interface Rescue {
  readonly step: string;
  readonly run: string;
  readonly attempt: number;
  readonly from: string;
  readonly by: string;
  /** From the kill until its death was in the journal, and until the next attempt began: in ms. */
  readonly noticedMs: number;
  readonly ms: number;
}

export const CAPTIONS: readonly Caption[] = [
  {
    id: 'watch',
    title: 'Two workers share one queue',
    text: 'Each photo is a run: a graph of small steps. Both workers live in this page and take steps from the same IndexedDB; every result is recorded before the next step begins.',
  },
  {
    id: 'kill',
    title: 'Kill one of them',
    text: 'Its step is left in the middle. Watch its bar end in a torn edge, and the same step begin again on the other worker, as attempt 2.',
    offers: 'kill',
  },
  {
    id: 'leave',
    title: 'Reload, or go offline',
    text: 'The page itself keeps nothing: reload it in the middle of the work, or switch your network off. The runs go on where the journal ends.',
    offers: 'reload',
  },
  {
    id: 'window',
    title: 'Open a second window',
    text: 'It is a process of its own, with two more workers on the same queue. Close either of the two: the other one finishes the work.',
    offers: 'open-window',
  },
];

/** What the caption about the kill says once there was one. */
export function tellRescue({ step, attempt, from, by, noticedMs, ms }: Rescue): string {
  return `${from} was killed in the middle of ${step}. That was known after ${Math.round(noticedMs)} ms, and ${Math.round(ms)} ms after the kill attempt ${attempt} began on ${by}, once it had its hands free. Nothing was lost; only what ${from} had in hand was done again.`;
}
