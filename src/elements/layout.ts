import type { GraphLayout, GraphShape, Layout } from './contract.ts';
import { layoutLayers } from './layers.ts';

/** The largest graph that dagre places while the page waits; it takes less than a tenth of a second for one. */
export const DAGRE_NODES = 100;

/**
 * Places the steps of a graph with dagre, which is loaded by this. A graph of 1,000 steps takes seconds: have a Worker
 * call it.
 */
export async function layoutGraph(shape: GraphShape): Promise<GraphLayout> {
  return (await import('./dagre.ts')).placed(shape);
}

export const defaultLayout: Layout = (shape) => (shape.nodes > DAGRE_NODES ? layoutLayers(shape) : layoutGraph(shape));
