import type { GraphLayout, GraphShape, Point } from './contract.ts';

/** CSS pixels. */
export const GAP = { between: 12, ranks: 64, margin: 8 } as const;
/** A layer of more nodes is folded into several columns. */
const TALLEST = 24;

/** Places the steps of a graph in layers, in time that grows with its size: each behind all it depends on. */
export function layoutLayers({ nodes, edges, size, direction }: GraphShape): GraphLayout {
  const columns = columnsOf(layersOf(nodes, edges));
  const along = direction === 'right' ? size.width : size.height;
  const across = direction === 'right' ? size.height : size.width;
  const tallest = columns.reduce((most, { length }) => Math.max(most, length), 0);
  const extent = tallest * (across + GAP.between) - GAP.between;
  const at: Point[] = new Array(nodes);
  columns.forEach((column, rank) => {
    const used = column.length * (across + GAP.between) - GAP.between;
    column.forEach((node, i) => {
      const x = GAP.margin + along / 2 + rank * (along + GAP.ranks);
      const y = GAP.margin + across / 2 + (extent - used) / 2 + i * (across + GAP.between);
      at[node] = direction === 'right' ? { x, y } : { x: y, y: x };
    });
  });
  const length = columns.length * (along + GAP.ranks) - GAP.ranks + 2 * GAP.margin;
  const breadth = extent + 2 * GAP.margin;
  const border = (node: number, side: 1 | -1): Point => {
    const { x, y } = at[node] as Point;
    return direction === 'right' ? { x: x + (side * along) / 2, y } : { x, y: y + (side * along) / 2 };
  };
  return {
    width: direction === 'right' ? length : breadth,
    height: direction === 'right' ? breadth : length,
    nodes: at,
    edges: edges.map(([from, to]) => [border(from, 1), border(to, -1)]),
  };
}

/** The nodes by how many stand before them on the longest way, each layer in the order of what it depends on. */
function layersOf(nodes: number, edges: GraphShape['edges']): readonly (readonly number[])[] {
  const before: number[][] = Array.from({ length: nodes }, () => []);
  const behind: number[][] = Array.from({ length: nodes }, () => []);
  for (const [from, to] of edges) {
    before[to]?.push(from);
    behind[from]?.push(to);
  }
  const open = before.map(({ length }) => length);
  const place: number[] = new Array(nodes).fill(0);
  const layers: number[][] = [];
  let layer = open.flatMap((count, node) => (count === 0 ? node : []));
  while (layer.length > 0) {
    const middle = new Map(layer.map((node) => [node, mean((before[node] ?? []).map((one) => place[one] ?? 0))]));
    layer.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0) || one - other);
    layer.forEach((node, i) => {
      place[node] = layer.length === 1 ? 0.5 : i / (layer.length - 1);
    });
    layers.push(layer);
    const next: number[] = [];
    for (const to of layer.flatMap((node) => behind[node] ?? [])) {
      open[to] = (open[to] ?? 0) - 1;
      if (open[to] === 0) next.push(to);
    }
    layer = next;
  }
  return layers;
}

function columnsOf(layers: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return layers.flatMap((layer) => {
    const columns = Math.ceil(layer.length / TALLEST);
    const height = Math.ceil(layer.length / columns);
    return Array.from({ length: columns }, (_, i) => layer.slice(i * height, (i + 1) * height));
  });
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}
