import fc from 'fast-check';
import { type GraphLayout, type GraphShape, layoutGraph } from 'fuseline/elements';
import { expect, test } from 'vitest';
import { layoutLayers } from '../../src/elements/layers.ts';

/** Graphs in any order of their nodes, without cycles. */
const shapes: fc.Arbitrary<GraphShape> = fc
  .record({
    order: fc.integer({ min: 1, max: 40 }).chain((nodes) =>
      fc.shuffledSubarray(
        Array.from({ length: nodes }, (_, i) => i),
        { minLength: nodes },
      ),
    ),
    pairs: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 80 }),
    direction: fc.constantFrom('right' as const, 'down' as const),
  })
  .map(({ order, pairs, direction }) => {
    const edges = new Map<string, readonly [number, number]>();
    for (const [a, b] of pairs) {
      const [one, other] = [a % order.length, b % order.length].sort((x, y) => x - y) as [number, number];
      const edge = [order[one] as number, order[other] as number] as const;
      if (one !== other) edges.set(edge.join(), edge);
    }
    return { nodes: order.length, edges: [...edges.values()], size: { width: 100, height: 40 }, direction };
  });

function check({ nodes, edges, size, direction }: GraphShape, layout: GraphLayout): void {
  expect(layout.nodes.length).toBe(nodes);
  const along = direction === 'right' ? ('x' as const) : ('y' as const);
  const length = direction === 'right' ? size.width : size.height;
  layout.nodes.forEach((place, i) => {
    expect(place.x - size.width / 2).toBeGreaterThanOrEqual(0);
    expect(place.y - size.height / 2).toBeGreaterThanOrEqual(0);
    expect(place.x + size.width / 2).toBeLessThanOrEqual(layout.width);
    expect(place.y + size.height / 2).toBeLessThanOrEqual(layout.height);
    for (const other of layout.nodes.slice(i + 1)) {
      const apart = Math.abs(place.x - other.x) >= size.width || Math.abs(place.y - other.y) >= size.height;
      expect(apart, 'two nodes overlap').toBe(true);
    }
  });
  edges.forEach(([from, to], i) => {
    const [source, target] = [layout.nodes[from], layout.nodes[to]];
    const way = layout.edges[i] ?? [];
    if (!source || !target) throw new Error('an edge has an end that is nowhere');
    expect(target[along] - source[along], 'an edge goes back').toBeGreaterThanOrEqual(length);
    expect(way.at(0)?.[along]).toBeCloseTo(source[along] + length / 2);
    expect(way.at(-1)?.[along]).toBeCloseTo(target[along] - length / 2);
  });
}

test('dagre and the plain layers put no node on another, and every step behind all it waits for', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      check(shape, await layoutGraph(shape));
      check(shape, layoutLayers(shape));
    }),
    { numRuns: 60 },
  );
});

test('a graph of ten thousand steps is laid out in layers while one waits, and no layer is endlessly tall', () => {
  const edges = Array.from({ length: 9_999 }, (_, i) => [0, i + 1] as const);
  const started = performance.now();
  const { width, height } = layoutLayers({
    nodes: 10_000,
    edges,
    size: { width: 100, height: 40 },
    direction: 'right',
  });
  expect(performance.now() - started).toBeLessThan(2000);
  expect(height).toBeLessThan(2000);
  expect(width).toBeGreaterThan(10_000);
});
