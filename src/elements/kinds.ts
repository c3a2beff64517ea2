import type { GraphStep } from '../core/graph.ts';
import { html, svg } from './dom.ts';

type Kind = NonNullable<GraphStep['kind']>;

/** Outlines in a square of 16, as paths; a step that waits has that of its kind as its sign as well. */
export const KIND_SHAPES: Readonly<Record<Kind, string>> = {
  branch: 'M2 8h4l4-4.5h4M6 8l4 4.5h4M12 1.5l2 2l-2 2M12 10.5l2 2l-2 2',
  sleep: 'M9.5 2.5a5.8 5.8 0 1 0 4 8.2a5 5 0 0 1-4-8.2z',
  wait: 'M2 4h12v8.5H2zM2 4.5l6 4.5l6-4.5',
  each: 'M2 3.5h8M2 8h12M2 12.5h8M11 1.8l2 1.7l-2 1.7M11 10.8l2 1.7l-2 1.7',
  run: 'M2 2.5h7v5H2zM7 10.5h7v4H7zM4 7.5v5h3M5.5 11l1.7 1.5l-1.7 1.5',
  loop: 'M13.2 8a5.2 5.2 0 1 1-1.6-3.8M12 1.2v3.3H8.7',
};

const WORDS: Readonly<Record<Kind, string>> = {
  branch: 'branch',
  sleep: 'sleep',
  wait: 'waits for a signal',
  each: 'runs for each item of a list',
  run: 'has a workflow run',
  loop: 'loop',
};

/** What kind of step it is, as a picture with its word; nothing for one that just runs. */
export function kindSign(kind: GraphStep['kind']): readonly Node[] {
  if (kind === undefined) return [];
  const outline = svg('path', { d: KIND_SHAPES[kind], fill: 'none', stroke: 'currentColor', 'stroke-width': '1.4' });
  return [
    html(
      'span',
      { class: 'kind', part: 'kind', title: WORDS[kind], role: 'img', 'aria-label': WORDS[kind], 'data-kind': kind },
      svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, outline),
    ),
  ];
}
