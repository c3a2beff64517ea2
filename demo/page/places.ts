import { type GraphLayout, type Layout, layoutGraph } from 'fuseline/elements';

/** So small that the whole graph is seen at once. */
export const NODE_SIZE = { width: 150, height: 84 };

/** Made by the build: the shape, as text, of the one graph that this page dispatches, and where its steps are. */
declare const PLACED: { readonly shape: string; readonly layout: GraphLayout };

/** What places the steps of other graphs is larger than the rest of the page's own code, and loaded for those alone. */
export const layout: Layout = (shape) => (JSON.stringify(shape) === PLACED.shape ? PLACED.layout : layoutGraph(shape));
