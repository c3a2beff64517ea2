import type { RuntimeStorage } from '../core/storage.ts';
import type { RunView } from '../core/views.ts';
import { durationText } from '../core/words.ts';
import { FollowingElement, messageLine } from './base.ts';
import type { FuselineEvents, FuselineRunElement, Layout, NodeSize, StepContent } from './contract.ts';
import { html, say, set } from './dom.ts';
import { FuselineGraph } from './graph-element.ts';
import { Journal } from './journal.ts';
import { defaultLayout } from './layout.ts';
import { Panels } from './panels.ts';
import { RUN_STYLE } from './run-style.ts';
import { drawSign, signPicture, wordOf } from './signs.ts';
import { StepPanel } from './step-panel.ts';
import { FuselineTimeline } from './timeline-element.ts';

/** What a run waits for is asked so often at most. */
const EXPLAIN_MS = 500;

export class FuselineRun extends FollowingElement implements FuselineRunElement {
  readonly #graph = new FuselineGraph();
  readonly #timeline = new FuselineTimeline();
  readonly #panel = new StepPanel((run) => this.tell('fuseline-open', { run, step: undefined }));
  readonly #journal = new Journal({
    mark: (step) => this.mark(this.run, step),
    choose: (seq) => this.#choose(seq),
  });
  readonly #picture = signPicture();
  readonly #title = html('h2');
  readonly #word = html('span');
  readonly #state = html('p', { class: 'state', part: 'status' }, this.#picture, this.#word);
  readonly #facts = html('span', { class: 'facts' });
  readonly #parent = html('button', { type: 'button', class: 'link', part: 'parent' });
  readonly #labels = html('span', { class: 'labels' });
  readonly #explain = html('p', { class: 'explain', part: 'explain' });
  readonly #toNow = html('button', { type: 'button', class: 'now', part: 'now' }, 'Back to now');
  readonly #panels = new Panels(this, 'Views of the run', [
    { name: 'graph', title: 'Graph', content: this.#graph },
    { name: 'step', title: 'Step', content: this.#panel.element },
    { name: 'timeline', title: 'Timeline', content: this.#timeline },
    { name: 'journal', title: 'Journal', content: this.#journal.element },
  ]);
  readonly #frame = html(
    'div',
    { class: 'run', part: 'run' },
    html(
      'header',
      { part: 'header' },
      ...[this.#title, this.#state, this.#facts, this.#parent, this.#labels, this.#toNow, this.#explain],
    ),
    this.#panels.tabs,
    html('div', { class: 'upper' }, this.#panels.of('graph'), this.#panels.of('step')),
    html('div', { class: 'lower' }, this.#panels.of('timeline'), this.#panels.of('journal')),
  );
  readonly #message = messageLine();
  #content: StepContent | undefined;
  #nodeSize: NodeSize | undefined;
  #layout: Layout = defaultLayout;
  #signals = false;
  #madeFor: RunView['parent'];
  #explained: { readonly view: RunView; readonly at: number } | undefined;
  #explainLater: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super(RUN_STYLE);
    this.#graph.contentHost = this;
    this.root.append(this.#frame, this.#message);
    this.#toNow.addEventListener('click', () => this.#choose(undefined));
    this.#parent.addEventListener('click', () => this.#madeFor && this.tell('fuseline-open', this.#madeFor));
    const hear = <Name extends keyof FuselineEvents>(
      name: Name,
      act: (detail: FuselineEvents[Name]['detail']) => void,
    ) => this.root.addEventListener(name, (event) => act((event as FuselineEvents[Name]).detail));
    // They leave this element by themselves, and find its properties changed already.
    hear('fuseline-select', ({ step }) => {
      this.selected = step;
      if (step !== undefined) this.#panels.reveal('step');
    });
    hear('fuseline-mark', ({ step }) => {
      this.marked = step;
    });
    hear('fuseline-moment', ({ seq }) => {
      this.moment = seq;
    });
  }

  get content(): StepContent | undefined {
    return this.#content;
  }
  set content(content: StepContent | undefined) {
    this.#content = content;
    this.#graph.content = content;
  }

  get nodeSize(): NodeSize | undefined {
    return this.#nodeSize;
  }
  set nodeSize(size: NodeSize | undefined) {
    this.#nodeSize = size;
    this.#graph.nodeSize = size;
  }

  get layout(): Layout {
    return this.#layout;
  }
  set layout(layout: Layout) {
    this.#layout = layout;
    this.#graph.layout = layout;
  }

  get signals(): boolean {
    return this.#signals;
  }
  set signals(signals: boolean) {
    if (signals === this.#signals) return;
    this.#signals = signals;
    this.redraw();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#explainLater);
    this.#explainLater = undefined;
  }

  protected override draw(): void {
    const { storage, run, moment, selected, marked } = this;
    for (const element of [this.#graph, this.#timeline])
      Object.assign(element, { storage, run, moment, selected, marked });
    const shown = this.shown();
    this.#frame.hidden = shown.status === 'message';
    this.#message.hidden = !this.#frame.hidden;
    say(this.#message, shown.status === 'message' ? shown.text : '');
    if (shown.status === 'message' || !storage) return;
    const { view, followed } = shown;
    this.#drawHeader(view, followed.seq);
    this.#panel.show({ storage, view, followed, moment, selected, signals: this.#signals });
    this.#journal.show({ events: followed.events, moment, marked, selected });
    if (moment === undefined) this.#explainSoon(storage, view);
  }

  #drawHeader(view: RunView, last: number): void {
    const { moment } = this;
    say(this.#title, view.id);
    set(this.#state, 'data-status', view.status);
    drawSign(this.#picture, view.status);
    say(this.#word, wordOf(view.status));
    say(this.#facts, factsOf(view));
    const { parent } = view;
    this.#madeFor = parent;
    this.#parent.hidden = !parent;
    say(this.#parent, parent ? `for step ${parent.step} of run ${parent.run}` : '');
    const labels = Object.entries(view.labels).map(([name, value]) => `${name}: ${value}`);
    if (labels.join('\n') !== [...this.#labels.children].map(({ textContent }) => textContent).join('\n'))
      this.#labels.replaceChildren(...labels.map((label) => html('span', { class: 'label', part: 'label' }, label)));
    this.#toNow.hidden = moment === undefined;
    if (moment === undefined) return;
    say(this.#explain, `As it was after entry ${moment} of ${last}.`);
    this.#explained = undefined;
  }

  #explainSoon(storage: RuntimeStorage, view: RunView): void {
    const known = this.#explained;
    if (known?.view === view || this.#explainLater !== undefined) return;
    const wait = known && known.view.id === view.id ? Math.max(0, known.at + EXPLAIN_MS - performance.now()) : 0;
    this.#explainLater = setTimeout(() => {
      this.#explainLater = undefined;
      this.#explained = { view, at: performance.now() };
      storage.explain(view.id).then(
        (sentence) => {
          if (this.moment === undefined && this.run === view.id) say(this.#explain, sentence);
          this.redraw();
        },
        // Removed meanwhile: the next look says so.
        () => undefined,
      );
    }, wait);
  }

  #choose(seq: number | undefined): void {
    if (seq === this.moment) return;
    this.moment = seq;
    this.tell('fuseline-moment', { seq, at: seq === undefined ? undefined : this.timeOf(seq) });
  }
}

function factsOf({ workflow, version, createdAt, startedAt, endedAt }: RunView): string {
  const took = startedAt !== undefined && endedAt !== undefined ? [`took ${durationText(endedAt - startedAt)}`] : [];
  return [
    version === undefined ? workflow : `${workflow}, version ${version}`,
    `created ${new Date(createdAt).toLocaleString()}`,
    ...took,
  ].join(' · ');
}
