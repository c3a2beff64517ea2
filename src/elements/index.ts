export type {
  Direction,
  FuselineEvents,
  FuselineGraphElement,
  FuselineRunElement,
  FuselineTimelineElement,
  GraphLayout,
  GraphShape,
  Layout,
  NodeSize,
  Point,
  RunElement,
  StepContent,
} from './contract.ts';
export { layoutGraph } from './dagre.ts';
export { defineElements } from './define.ts';
export { DAGRE_NODES } from './graph-element.ts';
