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
