import { Graph, layout } from '@dagrejs/dagre';
import type { GraphLayout, GraphShape, Point } from './contract.ts';
import { GAP } from './layers.ts';

export function placed({ nodes, edges, size, direction }: GraphShape): GraphLayout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: direction === 'right' ? 'LR' : 'TB',
    nodesep: GAP.between,
    ranksep: GAP.ranks,
    marginx: GAP.margin,
    marginy: GAP.margin,
    // The others are up to ten times slower, and no one sees the difference.
    ranker: 'tight-tree',
  });
  for (let node = 0; node < nodes; node++) graph.setNode(String(node), { ...size });
  edges.forEach(([from, to], i) => void graph.setEdge(String(from), String(to), {}, String(i)));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { readonly width?: number; readonly height?: number };
  const middles = Array.from({ length: nodes }, (_, node) => pointOf(graph.node(String(node)) as Point));
  return {
    width,
    height,
    nodes: middles,
    edges: edges.map(([from, to], i) => {
      const { points = [] } = graph.edge(String(from), String(to), String(i)) as { readonly points?: readonly Point[] };
      // Dagre lets an edge meet its nodes anywhere on their borders. One way in and one way out is calmer.
      const between = points.length > 3 ? points.slice(1, -1).map(pointOf) : [];
      const ends = [portOf(middles[from] as Point, 1), portOf(middles[to] as Point, -1)] as const;
      return [ends[0], ...between, ends[1]];
    }),
  };

  function portOf({ x, y }: Point, side: 1 | -1): Point {
    return direction === 'right' ? { x: x + (side * size.width) / 2, y } : { x, y: y + (side * size.height) / 2 };
  }
}

function pointOf({ x, y }: Point): Point {
  return { x, y };
}
