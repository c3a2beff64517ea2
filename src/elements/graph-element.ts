import type { Attempt } from '../core/attempts.ts';
import type { CompiledGraph } from '../core/graph.ts';
import type { RunView } from '../core/views.ts';
import { Announcer } from './announcer.ts';
import { type Arrow, arrowsOf, stateOf } from './arrows.ts';
import { FollowingElement, messageLine } from './base.ts';
import { Camera } from './camera.ts';
import { StepContents } from './contents.ts';
import type {
  Direction,
  FuselineGraphElement,
  GraphLayout,
  GraphShape,
  Layout,
  NodeSize,
  Point,
  StepContent,
} from './contract.ts';
import { html, say, set, svg } from './dom.ts';
import { GraphNode } from './graph-node.ts';
import { GRAPH_STYLE } from './graph-style.ts';
import { defaultLayout } from './layout.ts';
import { attemptsAt, type RunSource } from './run-source.ts';

const BARE: NodeSize = { width: 196, height: 50 };
const WITH_CONTENT: NodeSize = { width: 196, height: 140 };
/** Below this, type is too small to read. */
const FAR = 0.45;
const STEP_PX = 80;
/** When more steps than these change at once, no change stands out any more. */
const MOST_FLASHES = 12;

interface Drawn {
  readonly graph: CompiledGraph;
  readonly shape: GraphShape;
  readonly nodes: readonly GraphNode[];
  readonly arrows: readonly Arrow[];
  readonly paths: readonly SVGPathElement[];
  /** The arrows at each step. */
  readonly at: readonly (readonly number[])[];
}

export class FuselineGraph extends FollowingElement implements FuselineGraphElement {
  static override readonly observedAttributes = ['run', 'direction'];
  readonly #edges = svg('svg', { class: 'edges', 'aria-hidden': 'true', width: '1', height: '1' });
  readonly #scene = html('div', { class: 'scene', role: 'presentation' }, this.#edges);
  readonly #view = html('div', { class: 'view', part: 'view', tabindex: '0', role: 'listbox' }, this.#scene);
  readonly #message = messageLine();
  readonly #announcer = new Announcer();
  readonly #camera: Camera;
  readonly #contents = new StepContents(this, () => this.redraw());
  readonly #resizes: ResizeObserver;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #content: StepContent | undefined;
  #nodeSize: NodeSize | undefined;
  #direction: Direction = 'right';
  #layout: Layout = defaultLayout;
  #drawn: Drawn | undefined;
  /** What is being laid out. */
  #asked: { readonly graph: CompiledGraph; readonly shape: GraphShape } | undefined;
  #failure: string | undefined;
  /** Where the keyboard is. */
  #active = 0;
  #lit: { readonly marked: string | undefined; readonly selected: string | undefined } | undefined;

  constructor() {
    super(GRAPH_STYLE);
    this.#camera = new Camera(this.#view, this.#scene, (scale) => this.#scene.classList.toggle('far', scale < FAR));
    this.#resizes = new ResizeObserver(() => this.#camera.resized());
    this.root.append(this.#view, this.#controls(), this.#message, this.#announcer.element);
    this.#listen();
  }

  get content(): StepContent | undefined {
    return this.#content;
  }
  set content(content: StepContent | undefined) {
    if (content === this.#content) return;
    this.#content = content;
    this.#contents.forget();
    this.redraw();
  }

  get nodeSize(): NodeSize | undefined {
    return this.#nodeSize;
  }
  set nodeSize(size: NodeSize | undefined) {
    this.#nodeSize = size;
    this.redraw();
  }

  get direction(): Direction {
    return this.#direction;
  }
  set direction(direction: Direction) {
    this.#direction = direction;
    this.redraw();
  }

  get layout(): Layout {
    return this.#layout;
  }
  set layout(layout: Layout) {
    this.#layout = layout;
    this.#asked = undefined;
    this.redraw();
  }

  /** Whose light DOM the steps' own output goes into, where that is not the graph's own. */
  set contentHost(host: HTMLElement) {
    this.#contents.host = host;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resizes.observe(this.#view);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes.disconnect();
    this.#announcer.stop();
  }

  override attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (name === 'direction') this.direction = value === 'down' ? 'down' : 'right';
    else super.attributeChangedCallback(name, before, value);
  }

  fit(): void {
    this.#camera.fit();
  }

  protected override draw(): void {
    const shown = this.shown();
    const graph = shown.status === 'ready' ? shown.followed.graph : undefined;
    const message = shown.status === 'message' ? shown.text : (this.#failure ?? (graph ? '' : 'Loading…'));
    this.#message.hidden = message === '';
    say(this.#message, message);
    this.#view.hidden = message !== '';
    if (shown.status !== 'ready' || !graph) {
      if (shown.status !== 'ready') this.#announcer.hear(undefined);
      return;
    }
    this.#layOut(graph);
    const drawn = this.#drawn;
    if (drawn?.graph !== graph) return;
    const { view, source, followed } = shown;
    set(this.#view, 'aria-label', `Steps of ${view.workflow}, run ${view.id}`);
    this.#drawSteps(drawn, view, source, (step) => attemptsAt(followed, step, this.moment).at(-1));
    this.#light(drawn);
    this.#announcer.hear(this.moment === undefined ? view : undefined);
  }

  #drawSteps(drawn: Drawn, view: RunView, source: RunSource, lastOf: (step: string) => Attempt | undefined): void {
    const changed = view.steps.filter((step, at) => step !== drawn.nodes[at]?.step).length;
    const isStill = this.moment !== undefined || changed > MOST_FLASHES || this.#calm.matches;
    const motion = isStill ? 'still' : 'moves';
    view.steps.forEach((step, at) => {
      const node = drawn.nodes[at];
      const last = lastOf(step.name);
      if (!node) return;
      if (this.#content) this.#contents.show(at, node, step, last, this.#content, source);
      if (node.update(step, last, motion) === 'same') return;
      for (const arrow of drawn.at[at] ?? []) {
        const one = drawn.arrows[arrow] as Arrow;
        if (one.from === at) set(drawn.paths[arrow] as Element, 'data-state', stateOf(one, step));
      }
    });
  }

  /** The marked and the selected step, and the arrows at the marked one. */
  #light(drawn: Drawn): void {
    const { marked, selected } = this;
    const before = this.#lit;
    if (before && before.marked === marked && before.selected === selected) return;
    this.#lit = { marked, selected };
    for (const name of new Set([before?.marked, before?.selected, marked, selected])) {
      const at = name === undefined ? undefined : drawn.graph.index.get(name);
      if (at === undefined) continue;
      drawn.nodes[at]?.light(name === marked, name === selected);
      for (const arrow of drawn.at[at] ?? []) drawn.paths[arrow]?.classList.toggle('lit', name === marked);
    }
    // An arrow between the step marked before and the one marked now.
    const now = marked === undefined ? undefined : drawn.graph.index.get(marked);
    for (const arrow of now === undefined ? [] : (drawn.at[now] ?? [])) drawn.paths[arrow]?.classList.add('lit');
  }

  /** Asks for a layout once per graph, size and direction, and draws it when it is there. */
  #layOut(graph: CompiledGraph): void {
    const size = this.#nodeSize ?? (this.#content ? WITH_CONTENT : BARE);
    const direction = this.#direction;
    const known = this.#asked;
    if (
      known?.graph === graph &&
      known.shape.direction === direction &&
      known.shape.size.width === size.width &&
      known.shape.size.height === size.height
    )
      return;
    const arrows = arrowsOf(graph);
    const shape = {
      nodes: graph.steps.length,
      edges: arrows.map(({ from, to }) => [from, to] as const),
      size,
      direction,
    };
    const asked = { graph, shape };
    this.#asked = asked;
    this.#place(asked.shape).then(
      (layout) => {
        if (this.#asked !== asked) return;
        this.#failure = undefined;
        this.#build(graph, shape, arrows, layout);
        this.redraw();
      },
      (error) => {
        if (this.#asked !== asked) return;
        this.#failure = `The graph cannot be laid out: ${error instanceof Error ? error.message : error}`;
        this.redraw();
      },
    );
  }

  /** Behind the first paint: what is on the page already shall not wait for it. */
  async #place(shape: GraphShape): Promise<GraphLayout> {
    await new Promise((resolve) => setTimeout(resolve));
    return this.#layout(shape);
  }

  #build(graph: CompiledGraph, shape: GraphShape, arrows: readonly Arrow[], layout: GraphLayout): void {
    const nodes = layout.nodes.map((place, at) => new GraphNode(at, place, shape.size));
    const at: number[][] = graph.steps.map(() => []);
    const paths = arrows.map(({ from, to, kind }, i) => {
      at[from]?.push(i);
      at[to]?.push(i);
      return svg('path', { d: wayOf(layout.edges[i] ?? [], shape.direction), 'data-kind': kind, part: 'edge' });
    });
    const labels = arrows.flatMap(({ label }, i) => labelAt(label, layout.edges[i] ?? []));
    this.#contents.forget();
    this.#edges.replaceChildren(...paths, ...labels);
    this.#scene.replaceChildren(this.#edges, ...nodes.map(({ element }) => element));
    this.#scene.classList.toggle('with-content', this.#content !== undefined);
    this.#scene.style.width = `${layout.width}px`;
    this.#scene.style.height = `${layout.height}px`;
    this.#drawn = { graph, shape, nodes, arrows, paths, at };
    this.#lit = undefined;
    this.#active = 0;
    this.#camera.show(layout);
  }

  #controls(): HTMLElement {
    const button = (sign: string, label: string, act: () => void): HTMLButtonElement => {
      const made = html('button', { type: 'button', 'aria-label': label, title: label, part: 'control' }, sign);
      made.addEventListener('click', act);
      return made;
    };
    return html(
      'div',
      { class: 'controls', part: 'controls' },
      button('−', 'Zoom out', () => this.#camera.zoom(0.8)),
      button('+', 'Zoom in', () => this.#camera.zoom(1.25)),
      button('⤢', 'Show the whole graph', () => this.fit()),
    );
  }

  #listen(): void {
    const view = this.#view;
    view.addEventListener('click', (event) => {
      const at = this.#nodeAt(event);
      if (this.#camera.hasDragged) return;
      if (at !== undefined) this.#moveTo(at);
      this.#select(at);
    });
    view.addEventListener('pointerover', (event) => this.#mark(this.#nodeAt(event)));
    view.addEventListener('pointerleave', () => this.#mark(undefined));
    view.addEventListener('keydown', (event) => this.#key(event));
    view.addEventListener('focus', () => this.#moveTo(this.#active));
    view.addEventListener('blur', () => this.#mark(undefined));
  }

  #nodeAt({ target }: Event): number | undefined {
    const node = target instanceof Element ? target.closest<HTMLElement>('.node') : null;
    return node === null ? undefined : Number(node.dataset.at);
  }

  #select(at: number | undefined): void {
    const step = at === undefined ? undefined : this.#drawn?.graph.steps[at]?.spec.name;
    if (this.run !== undefined) this.select(this.run, step);
  }

  #mark(at: number | undefined): void {
    this.mark(this.run, at === undefined ? undefined : this.#drawn?.graph.steps[at]?.spec.name);
  }

  /** Arrows go along the graph's own; across them, to the nearest step. */
  #key(event: KeyboardEvent): void {
    const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
    const way = WAYS[key];
    if (ctrlKey || metaKey || altKey) return;
    if (way && shiftKey) this.#camera.pan(-way.x * STEP_PX, -way.y * STEP_PX);
    else if (way) this.#moveTo(this.#beside(way));
    else if (key === 'Home') this.#moveTo(0);
    else if (key === 'End') this.#moveTo((this.#drawn?.nodes.length ?? 1) - 1);
    else if (key === 'Enter' || key === ' ') this.#select(this.#active);
    else if (key === 'Escape') this.#select(undefined);
    else if (key === '+' || key === '=') this.#camera.zoom(1.25);
    else if (key === '-') this.#camera.zoom(0.8);
    else if (key === '0') this.fit();
    else return;
    event.preventDefault();
  }

  #moveTo(at: number): void {
    const drawn = this.#drawn;
    const node = drawn?.nodes[at];
    if (!drawn || !node) return;
    drawn.nodes[this.#active]?.element.classList.remove('active');
    this.#active = at;
    node.element.classList.add('active');
    set(this.#view, 'aria-activedescendant', node.element.id);
    if (!this.#view.matches(':focus-visible')) return;
    this.#camera.reveal(node.place, drawn.shape.size);
    this.#mark(at);
  }

  /** The step that lies most in one direction from the one the keyboard is at. */
  #beside({ x, y }: Point): number {
    const drawn = this.#drawn;
    const here = drawn?.nodes[this.#active]?.place;
    if (!drawn || !here) return this.#active;
    const isAlong = (x !== 0) === (drawn.shape.direction === 'right');
    const joined = (drawn.at[this.#active] ?? []).map((i) => drawn.arrows[i] as Arrow);
    const candidates = isAlong
      ? joined.map(({ from, to }) => (from === this.#active ? to : from))
      : drawn.nodes.map((_, at) => at);
    let best = this.#active;
    let least = Number.POSITIVE_INFINITY;
    for (const at of candidates) {
      const { x: otherX, y: otherY } = drawn.nodes[at]?.place ?? here;
      const ahead = (otherX - here.x) * x + (otherY - here.y) * y;
      const aside = Math.abs((otherX - here.x) * y) + Math.abs((otherY - here.y) * x);
      if (ahead <= 0 || ahead + 4 * aside >= least) continue;
      best = at;
      least = ahead + 4 * aside;
    }
    return best;
  }
}

const WAYS: Readonly<Record<string, Point>> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
};

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
