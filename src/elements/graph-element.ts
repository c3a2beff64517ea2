import type { CompiledGraph } from '../core/graph.ts';
import { Announcer } from './announcer.ts';
import { arrowsOf } from './arrows.ts';
import { FollowingElement, messageLine, type Shown } from './base.ts';
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
import { GraphDrawing } from './graph-drawing.ts';
import { GRAPH_STYLE } from './graph-style.ts';
import { defaultLayout } from './layout.ts';
import { attemptsAt } from './run-source.ts';

const BARE: NodeSize = { width: 196, height: 50 };
const WITH_CONTENT: NodeSize = { width: 196, height: 140 };
/** Below this, type is too small to read. */
const FAR = 0.45;
const STEP_PX = 80;
/** When more steps than these change within the time, no change stands out any more. */
const MOST_FLASHES = 12;
const FLASHES_MS = 500;

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
  #drawing: GraphDrawing | undefined;
  #drawnRun: string | undefined;
  /** What is being laid out. */
  #asked: { readonly graph: CompiledGraph; readonly shape: GraphShape } | undefined;
  #failure: string | undefined;
  /** Where the keyboard is. */
  #active = 0;
  #lately = { since: 0, changes: 0 };

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
    const drawing = this.#drawing;
    if (drawing?.graph !== graph) return;
    const { view } = shown;
    set(this.#view, 'aria-label', `Steps of ${view.workflow}, run ${view.id}`);
    this.#drawSteps(drawing, shown);
    this.#announcer.hear(this.moment === undefined ? view : undefined);
  }

  #drawSteps(drawing: GraphDrawing, { view, source, followed }: Shown & { readonly status: 'ready' }): void {
    const { moment } = this;
    const run = `${view.id} ${view.createdAt}`;
    if (run !== this.#drawnRun) this.#contents.forget();
    const changed = view.steps.filter((step, at) => step !== drawing.nodes[at]?.step).length;
    const isBusy = this.#changesSoFar(changed) > MOST_FLASHES;
    const isStill = run !== this.#drawnRun || moment !== undefined || isBusy || this.#calm.matches;
    this.#drawnRun = run;
    this.#scene.classList.toggle('with-content', this.#content !== undefined);
    view.steps.forEach((step, at) => {
      const last = attemptsAt(followed, step.name, moment).at(-1);
      const node = drawing.nodes[at];
      if (node && this.#content) this.#contents.show(at, node, step, last, this.#content, source);
      drawing.update(at, step, last, isStill ? 'still' : 'moves');
    });
    drawing.light(this.marked, this.selected);
  }

  /** How many steps have changed since some moment not longer ago than flashes last. */
  #changesSoFar(changed: number): number {
    const now = performance.now();
    const before = now - this.#lately.since < FLASHES_MS ? this.#lately : { since: now, changes: 0 };
    this.#lately = { since: before.since, changes: before.changes + changed };
    return this.#lately.changes;
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
        this.#build(new GraphDrawing(graph, shape, arrows, layout), layout);
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

  #build(drawing: GraphDrawing, layout: GraphLayout): void {
    this.#contents.forget();
    this.#edges.replaceChildren(...drawing.edges);
    this.#scene.replaceChildren(this.#edges, ...drawing.nodes.map(({ element }) => element));
    this.#scene.style.width = `${layout.width}px`;
    this.#scene.style.height = `${layout.height}px`;
    this.#drawing = drawing;
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

  /** Along the path: what the page has put into a node lies in another tree. */
  #nodeAt(event: Event): number | undefined {
    const found = event.composedPath().find((one) => one instanceof HTMLElement && one.matches('.node'));
    return found && Number((found as HTMLElement).dataset.at);
  }

  #select(at: number | undefined): void {
    const step = at === undefined ? undefined : this.#drawing?.graph.steps[at]?.spec.name;
    if (this.run !== undefined) this.select(this.run, step);
  }

  #mark(at: number | undefined): void {
    this.mark(this.run, at === undefined ? undefined : this.#drawing?.graph.steps[at]?.spec.name);
  }

  /** Arrows go along the graph's own; across them, to the nearest step. */
  #key(event: KeyboardEvent): void {
    const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
    const way = WAYS[key];
    if (ctrlKey || metaKey || altKey) return;
    if (way && shiftKey) this.#camera.pan(-way.x * STEP_PX, -way.y * STEP_PX);
    else if (way) this.#moveTo(this.#drawing?.beside(this.#active, way) ?? 0);
    else if (key === 'Home') this.#moveTo(0);
    else if (key === 'End') this.#moveTo((this.#drawing?.nodes.length ?? 1) - 1);
    else if (key === 'Enter' || key === ' ') this.#select(this.#active);
    else if (key === 'Escape') this.#select(undefined);
    else if (key === '+' || key === '=') this.#camera.zoom(1.25);
    else if (key === '-') this.#camera.zoom(0.8);
    else if (key === '0') this.fit();
    else return;
    event.preventDefault();
  }

  #moveTo(at: number): void {
    const drawing = this.#drawing;
    const node = drawing?.nodes[at];
    if (!drawing || !node) return;
    drawing.nodes[this.#active]?.element.classList.remove('active');
    this.#active = at;
    node.element.classList.add('active');
    set(this.#view, 'aria-activedescendant', node.element.id);
    if (!this.#view.matches(':focus-visible')) return;
    this.#camera.reveal(node.place, drawing.shape.size);
    this.#mark(at);
  }
}

const WAYS: Readonly<Record<string, Point>> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
};
