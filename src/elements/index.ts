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
export { defineElements } from './define.ts';
export { DAGRE_NODES, layoutGraph } from './layout.ts';
