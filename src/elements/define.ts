import { FuselineGraph } from './graph-element.ts';
import { FuselineRun } from './run-element.ts';
import { FuselineTimeline } from './timeline-element.ts';

const ELEMENTS = {
  'fuseline-graph': FuselineGraph,
  'fuseline-timeline': FuselineTimeline,
  // Last: it is made of the others.
  'fuseline-run': FuselineRun,
} as const;

/** Makes the elements known to a document; again is harmless. */
export function defineElements(registry: CustomElementRegistry = customElements): void {
  for (const [name, element] of Object.entries(ELEMENTS)) if (!registry.get(name)) registry.define(name, element);
}
