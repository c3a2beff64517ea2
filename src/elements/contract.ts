import type { RuntimeStorage } from '../core/storage.ts';
import type { StepView } from '../core/views.ts';

/**
 * What the elements have in common. Each shows nothing until `storage` and a run are set, and follows the run while it is
 * in a document. What a person does changes the element's own property first, then the event tells of it.
 *
 * Every text that comes from a run, a name, a result, an error, goes in as text. Colours, type and spacing are custom
 * properties (`--fuseline-…`, all of them in `theme.ts`) with values for light, dark and forced colours; inner elements
 * are reached through `::part()`.
 */
export interface RunElement extends HTMLElement {
  storage: RuntimeStorage | undefined;
  /** The run's id; the attribute `run` is the same. */
  run: string | undefined;
  /** A position in the journal, to show the run as it was once it had come to that entry; `undefined`: as it is now. */
  moment: number | undefined;
  /** The step a person chose. */
  selected: string | undefined;
  /** The step lit because the pointer is on it, here or in another element. */
  marked: string | undefined;
}

/**
 * A step's own output for its node in the graph; `undefined` for none. `result` is there once the step has SUCCEEDED.
 * The node goes into the light DOM, so that the page's styles reach it; the same one again is left where it is.
 */
export type StepContent = (step: StepView, result: unknown) => Node | undefined;

export interface NodeSize {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** `<fuseline-graph>`: the steps of a run and how they depend on each other. */
export interface FuselineGraphElement extends RunElement {
  content: StepContent | undefined;
  /** The room a node has; with `content` it has more height unless told. */
  nodeSize: NodeSize | undefined;
  /** Which way the arrows go: `'right'` unless told. The attribute `direction` is the same. */
  direction: Direction;
  /**
   * Where the nodes go. By default dagre, loaded when it is first needed, places up to `DAGRE_NODES` of them, and larger
   * graphs are laid out in plain layers. A page with large graphs hands in a function that has a Worker call
   * `layoutGraph`.
   */
  layout: Layout;
  /** Shows the whole graph. */
  fit(): void;
}

/** `<fuseline-timeline>`: a lane per worker, a bar per attempt, and the moment that is shown. */
export interface FuselineTimelineElement extends RunElement {
  /** Several runs at once, instead of `run`. `moment` is of none of them then; `time` is. */
  runs: readonly string[] | undefined;
  /** The moment that is shown of several runs, in epoch milliseconds; `undefined`: now. */
  time: number | undefined;
  /** Shows no more than the last so many milliseconds; `undefined`: everything. */
  span: number | undefined;
}

/** `<fuseline-run>`: everything of one run: how it is, its graph, a step, its workers and its journal. */
export interface FuselineRunElement extends RunElement {
  content: StepContent | undefined;
  nodeSize: NodeSize | undefined;
  layout: Layout;
  /** Whether a person may send a step the signal it waits for; not unless told. */
  signals: boolean;
}

export type Direction = 'right' | 'down';

/** Plain data, so that it can go to a Worker and back. */
export interface GraphShape {
  readonly nodes: number;
  /** Positions of the steps in the graph. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  readonly size: NodeSize;
  readonly direction: Direction;
}

export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** The middle of each node. */
  readonly nodes: readonly Point[];
  /** The way of each edge, from border to border. */
  readonly edges: readonly (readonly Point[])[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Layout = (shape: GraphShape) => GraphLayout | Promise<GraphLayout>;

/** They bubble, and leave shadow roots. */
export interface FuselineEvents {
  'fuseline-select': CustomEvent<{ readonly run: string; readonly step: string | undefined }>;
  'fuseline-mark': CustomEvent<{ readonly run: string | undefined; readonly step: string | undefined }>;
  /** `seq`: the entry chosen, `undefined` for now, and of several runs. `at`: its time, or the one chosen. */
  'fuseline-moment': CustomEvent<{ readonly seq: number | undefined; readonly at: number | undefined }>;
  /** A person wants to see another run: one that a step has run, or the step this one was made for. The page decides. */
  'fuseline-open': CustomEvent<{ readonly run: string; readonly step: string | undefined }>;
}

declare global {
  interface HTMLElementTagNameMap {
    'fuseline-graph': FuselineGraphElement;
    'fuseline-timeline': FuselineTimelineElement;
    'fuseline-run': FuselineRunElement;
  }
  interface HTMLElementEventMap extends FuselineEvents {}
}
