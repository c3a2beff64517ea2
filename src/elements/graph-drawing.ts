import type { Attempt } from '../core/attempts.ts';
import type { CompiledGraph } from '../core/graph.ts';
import type { StepView } from '../core/views.ts';
import { type Arrow, stateOf } from './arrows.ts';
import type { Direction, GraphLayout, GraphShape, Point } from './contract.ts';
import { set, svg } from './dom.ts';
import { GraphNode } from './graph-node.ts';

/** How much further off a step is that does not lie straight ahead. */
const ASIDE = 4;

/** A graph that has been laid out: its nodes and arrows, and what is lit of them. */
export class GraphDrawing {
  readonly graph: CompiledGraph;
  readonly shape: GraphShape;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly SVGElement[];
  readonly #arrows: readonly Arrow[];
  readonly #paths: readonly SVGPathElement[];
  /** The arrows at each step. */
  readonly #at: readonly number[][];
  #marked: string | undefined;
  #selected: string | undefined;

  constructor(graph: CompiledGraph, shape: GraphShape, arrows: readonly Arrow[], layout: GraphLayout) {
    this.graph = graph;
    this.shape = shape;
    this.#arrows = arrows;
    this.nodes = layout.nodes.map((place, at) => new GraphNode(at, graph.steps[at]?.spec, place, shape.size));
    this.#at = graph.steps.map(() => []);
    this.#paths = arrows.map(({ from, to, kind }, i) => {
      this.#at[from]?.push(i);
      this.#at[to]?.push(i);
      return svg('path', { d: wayOf(layout.edges[i] ?? [], shape.direction), 'data-kind': kind, part: 'edge' });
    });
    this.edges = [...this.#paths, ...arrows.flatMap(({ label }, i) => labelAt(label, layout.edges[i] ?? []))];
  }

  /** `last`: the last attempt at the step. */
  update(at: number, step: StepView, last: Attempt | undefined, motion: 'moves' | 'still'): void {
    if (this.nodes[at]?.update(step, last, motion) !== 'changed') return;
    for (const i of this.#at[at] ?? []) {
      const arrow = this.#arrows[i] as Arrow;
      if (arrow.from === at) set(this.#paths[i] as Element, 'data-state', stateOf(arrow, step));
    }
  }

  /** The marked step with the arrows at it, and the selected one. */
  light(marked: string | undefined, selected: string | undefined): void {
    if (this.#marked === marked && this.#selected === selected) return;
    const names = new Set([this.#marked, this.#selected, selected, marked]);
    this.#marked = marked;
    this.#selected = selected;
    // The marked one last: an arrow between it and another is lit.
    names.delete(marked);
    for (const name of [...names, marked]) {
      const at = name === undefined ? undefined : this.graph.index.get(name);
      if (at === undefined) continue;
      this.nodes[at]?.light(name === marked, name === selected);
      for (const i of this.#at[at] ?? []) this.#paths[i]?.classList.toggle('lit', name === marked);
    }
  }

  /** Along the arrows a step that is joined to this one, across them any: which lies most in a direction. */
  beside(active: number, { x, y }: Point): number {
    const here = this.nodes[active]?.place;
    if (!here) return active;
    const isAlong = (x !== 0) === (this.shape.direction === 'right');
    const joined = (this.#at[active] ?? []).map((i) => this.#arrows[i] as Arrow);
    const candidates = isAlong
      ? joined.map(({ from, to }) => (from === active ? to : from))
      : this.nodes.map((_, at) => at);
    let best = active;
    let least = Number.POSITIVE_INFINITY;
    for (const at of candidates) {
      const { x: otherX, y: otherY } = this.nodes[at]?.place ?? here;
      const ahead = (otherX - here.x) * x + (otherY - here.y) * y;
      const aside = Math.abs((otherX - here.x) * y) + Math.abs((otherY - here.y) * x);
      if (ahead <= 0 || ahead + ASIDE * aside >= least) continue;
      best = at;
      least = ahead + ASIDE * aside;
    }
    return best;
  }
}

/** A line through the points of an edge, leaving and arriving in the graph's direction, with a head. */
function wayOf(points: readonly Point[], direction: Direction): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let from = first;
  let way = `M${first.x} ${first.y}`;
  for (const to of rest) {
    const [a, b] =
      direction === 'right'
        ? [`${(from.x + to.x) / 2} ${from.y}`, `${(from.x + to.x) / 2} ${to.y}`]
        : [`${from.x} ${(from.y + to.y) / 2}`, `${to.x} ${(from.y + to.y) / 2}`];
    way += `C${a} ${b} ${to.x} ${to.y}`;
    from = to;
  }
  const head = direction === 'right' ? [-6, -4, -6, 4] : [-4, -6, 4, -6];
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = head;
  return `${way}M${from.x + x1} ${from.y + y1}L${from.x} ${from.y}L${from.x + x2} ${from.y + y2}`;
}

function labelAt(label: string, points: readonly Point[]): SVGTextElement[] {
  const middle = points.length >> 1;
  const [a, b] = [points[Math.max(0, middle - 1)], points[middle]];
  if (label === '' || !a || !b) return [];
  return [svg('text', { x: String((a.x + b.x) / 2), y: String((a.y + b.y) / 2 + 4) }, label)];
}
