import type { RunStatus } from '../core/run-state.ts';
import type { StepStatus, StepView } from '../core/views.ts';
import { svg } from './dom.ts';
import { KIND_SHAPES } from './kinds.ts';

/** A status as it is shown: there are ways to be PENDING that people want to tell apart. */
export type Sign = StepStatus | RunStatus | 'QUEUED' | 'DELAYED' | 'SLEEPING' | 'AWAITING' | 'CALLING' | 'LOST';

export function signOf({ status, queued, waits, child }: StepView): Sign {
  if (waits) return child !== undefined ? 'CALLING' : waits.signal === undefined ? 'SLEEPING' : 'AWAITING';
  return status !== 'PENDING' || queued === undefined ? status : queued === 'delayed' ? 'DELAYED' : 'QUEUED';
}

const WORDS: Readonly<Record<Sign, string>> = {
  PENDING: 'waiting',
  QUEUED: 'ready',
  DELAYED: 'delayed',
  SLEEPING: 'sleeping',
  AWAITING: 'awaiting signal',
  CALLING: 'runs',
  RUNNING: 'running',
  PAUSED: 'paused',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  SKIPPED: 'skipped',
  CANCELLED: 'cancelled',
  LOST: 'lost',
};

export function wordOf(sign: Sign): string {
  return WORDS[sign];
}

/** Shapes that differ without colour; `fill` is drawn full, `line` as a stroke of the surface or of the ink. */
const SHAPES: Readonly<Record<Sign, { readonly fill?: string; readonly line?: string; readonly dashes?: string }>> = {
  PENDING: { line: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z', dashes: '2 2.3' },
  QUEUED: { line: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z' },
  DELAYED: { line: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM8 5v3.2l2.2 1.3' },
  SLEEPING: { line: KIND_SHAPES.sleep },
  AWAITING: { line: KIND_SHAPES.wait },
  CALLING: { line: KIND_SHAPES.run },
  RUNNING: { fill: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM6.2 5v6l5-3z' },
  PAUSED: { fill: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM5.5 5v6h1.7V5zM8.8 5v6h1.7V5z' },
  SUCCEEDED: { fill: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM7 11.2L4 8.2l1.1-1.1L7 9l4-4l1.1 1.1z' },
  FAILED: {
    fill: 'M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3zM5.2 6.2L7 8L5.2 9.8l1 1L8 9l1.8 1.8l1-1L9 8l1.8-1.8l-1-1L8 7L6.2 5.2z',
  },
  SKIPPED: { line: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM5.5 8h5', dashes: '14 0' },
  CANCELLED: { line: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM4.2 4.2l7.6 7.6' },
  LOST: { line: 'M2.5 4h6l-1.5 2.5l2.5 3l-2 2.5h-5zM12 4.5v4M12 11v.5' },
};

/** A picture of 16 by 16 pixels. The word stands beside it, or in the label of what it is part of. */
export function signPicture(): SVGSVGElement {
  return svg(
    'svg',
    { class: 'sign', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { 'fill-rule': 'evenodd', fill: 'none', stroke: 'none', 'stroke-width': '1.4' }),
  );
}

export function drawSign(picture: SVGSVGElement, sign: Sign): void {
  const path = picture.firstElementChild;
  const { fill, line, dashes } = SHAPES[sign];
  path?.setAttribute('d', fill ?? line ?? '');
  path?.setAttribute('fill', fill === undefined ? 'none' : 'currentColor');
  path?.setAttribute('stroke', line === undefined ? 'none' : 'currentColor');
  path?.setAttribute('stroke-dasharray', dashes ?? 'none');
}
