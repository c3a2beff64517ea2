import { durationText } from '../core/words.ts';
import { AttemptsTable } from './attempts-table.ts';
import { FollowingElement, messageLine } from './base.ts';
import type { FuselineTimelineElement } from './contract.ts';
import { html, say } from './dom.ts';
import { type Bar, type Lane, lanesOf } from './lanes.ts';
import { MomentSlider } from './moment-slider.ts';
import { type Followed, followed, type RunSource } from './run-source.ts';
import { type TimeScale, timeAt, xOf, zoomed } from './time-scale.ts';
import { TimelineCanvas } from './timeline-canvas.ts';
import { AXIS_HEIGHT, heightOf, laneTops, ROW_HEIGHT } from './timeline-paint.ts';
import { TIMELINE_STYLE } from './timeline-style.ts';

/** With nothing to see, the axis is this long. */
const LEAST_MS = 100;
/** For those who want no motion, what runs grows once in so long. */
const CALM_MS = 1000;
const FRAME_MS = 16;
/** Of what is shown, left free behind the last bar; of a run that is not over, room for what is to come. */
const MARGIN = { over: 0.02, open: 0.25 } as const;
const SLIP_PX = 4;

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Told extends Followed {
  readonly run: string;
}

export class FuselineTimeline extends FollowingElement implements FuselineTimelineElement {
  readonly #names = html('div', { class: 'names', part: 'names', 'aria-hidden': 'true' });
  readonly #canvas = new TimelineCanvas(() => this.redraw());
  readonly #slider = new MomentSlider({
    point: (x) => this.#setMoment(timeAt(this.#scale, x)),
    move: (by) => this.#move(by),
  });
  readonly #tip = html('div', { class: 'tip', part: 'tip', 'aria-hidden': 'true' });
  readonly #plot = html('div', { class: 'plot' }, this.#canvas.element, this.#slider.element, this.#tip);
  readonly #frame = html('div', { class: 'frame', part: 'frame' }, this.#names, this.#plot);
  readonly #message = messageLine();
  readonly #table = new AttemptsTable();
  readonly #resizes: ResizeObserver;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #runs: readonly string[] | undefined;
  #time: number | undefined;
  #span: number | undefined;
  #window: Range | undefined;
  /** What is in view unless somebody has zoomed. */
  #whole: Range | undefined;
  readonly #sources = new Map<string, { readonly source: RunSource; readonly stop: () => void }>();
  #told: readonly Told[] = [];
  #lanes: readonly Lane[] = [];
  #key = '';
  /** Asked for while it is drawn, it would cost a layout. */
  #room = { width: 0, height: 0 };
  #scale: TimeScale = { from: 0, to: 1, width: 1 };
  #grow: ReturnType<typeof setTimeout> | undefined;
  #pressed: { readonly x: number; readonly y: number } | undefined;

  constructor() {
    super(TIMELINE_STYLE);
    this.#tip.hidden = true;
    this.#resizes = new ResizeObserver(() => {
      this.#room = { width: this.#plot.clientWidth, height: this.clientHeight };
      this.redraw();
    });
    this.root.append(this.#frame, this.#message, this.#table.element, this.#canvas.inks);
    this.#listen();
  }

  get runs(): readonly string[] | undefined {
    return this.#runs;
  }
  set runs(runs: readonly string[] | undefined) {
    this.#runs = runs;
    this.followAnew();
  }

  get time(): number | undefined {
    return this.#time;
  }
  set time(time: number | undefined) {
    if (time === this.#time) return;
    this.#time = time;
    this.redraw();
  }

  get span(): number | undefined {
    return this.#span;
  }
  set span(span: number | undefined) {
    this.#span = span;
    this.redraw();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resizes.observe(this);
    this.#resizes.observe(this.#plot);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes.disconnect();
    this.#table.stop();
    clearTimeout(this.#grow);
  }

  protected override followAnew(): void {
    const wanted = new Set(this.isConnected && this.storage ? (this.#runs ?? []) : []);
    const { storage } = this;
    for (const [run, { stop, source }] of this.#sources) {
      if (storage && wanted.has(run) && followed(storage, run) === source) continue;
      stop();
      this.#sources.delete(run);
    }
    for (const run of storage ? wanted : []) {
      if (this.#sources.has(run) || !storage) continue;
      const source = followed(storage, run);
      this.#sources.set(run, { source, stop: source.subscribe(() => this.redraw()) });
    }
    super.followAnew();
  }

  protected override unfollow(): void {
    super.unfollow();
    if (this.isConnected) return;
    for (const { stop } of this.#sources.values()) stop();
    this.#sources.clear();
  }

  protected override draw(): void {
    const message = this.#look();
    this.#message.hidden = message === '';
    this.#frame.hidden = message !== '';
    say(this.#message, message);
    if (message !== '') return;
    const now = this.storage?.host.now() ?? 0;
    this.#layLanes();
    this.#setScale(now);
    this.#paint(now);
    this.#drawSlider();
    this.#table.show(this.#lanes, this.#origin());
    this.#growLater();
  }

  /** Finds what there is to show; answers what is said instead. */
  #look(): string {
    if (this.#runs) {
      this.#told = [...this.#sources.values()].map(({ source }) => ({ ...source.getSnapshot(), run: source.run }));
      return '';
    }
    const shown = this.shown();
    if (shown.status === 'message') return shown.text;
    this.#told = [{ ...shown.followed, run: shown.source.run }];
    return '';
  }

  #layLanes(): void {
    const moment = this.#runs ? undefined : this.moment;
    const key = `${moment} ${this.#told.map(({ run, seq, events }) => `${run} ${seq} ${events[0]?.at}`).join(' ')}`;
    if (key === this.#key) return;
    this.#key = key;
    // All lanes there will ever be keep their places while one goes back in time.
    const before = this.#lanes;
    this.#lanes = lanesOf(this.#told, undefined);
    const isSame = ({ worker, rows }: Lane, i: number): boolean =>
      before[i]?.worker === worker && before[i]?.rows === rows;
    if (before.length === this.#lanes.length && this.#lanes.every(isSame)) return;
    const tops = laneTops(this.#lanes);
    this.#names.replaceChildren(
      html('div', { class: 'axis' }, 'commits'),
      ...this.#lanes.map(({ name }, i) => nameAt(name, tops[i] as number)),
    );
  }

  #origin(): number {
    return this.#told.reduce((first, { events }) => Math.min(first, events[0]?.at ?? first), Number.POSITIVE_INFINITY);
  }

  #isRunning(): boolean {
    return this.#lanes.some(({ bars }) => bars.some(({ attempt }) => attempt.outcome === 'running'));
  }

  #setScale(now: number): void {
    const width = Math.max(1, this.#room.width);
    const last = this.#told.reduce((latest, { events }) => Math.max(latest, events.at(-1)?.at ?? 0), 0);
    const start = Number.isFinite(this.#origin()) ? this.#origin() : now;
    const isRunning = this.#isRunning();
    const end = Math.max(start + LEAST_MS, isRunning ? Math.max(now, last) : last);
    const isOpen = this.#told.some(({ live }) => live.status === 'ready' && live.run.endedAt === undefined);
    this.#whole = isOpen ? wholeOf(start, end, this.#span, this.#whole) : wholeOf(start, end, this.#span, 'over');
    this.#scale = { ...(this.#window ?? this.#whole), width };
  }

  #paint(now: number): void {
    const least = heightOf(this.#lanes);
    this.#plot.style.minHeight = `${least}px`;
    this.#canvas.paint({
      lanes: this.#lanes,
      scale: this.#scale,
      height: Math.max(least, this.#room.height),
      now,
      origin: this.#origin(),
      commits: this.#told.map(({ events }) => ({ events, length: events.length })),
      cursor: this.#cursor(),
      marked: this.marked,
      selected: this.selected,
    });
  }

  /** The time of the moment that is shown; `undefined` for now. */
  #cursor(): number | undefined {
    if (this.#runs) return this.#time;
    return this.moment === undefined ? undefined : this.timeOf(this.moment);
  }

  #drawSlider(): void {
    const cursor = this.#cursor();
    const { from, to, width } = this.#scale;
    const last = this.#runs ? Math.round(to - from) : (this.#told[0]?.seq ?? 0);
    const value = this.#runs ? Math.round((cursor ?? to) - from) : (this.moment ?? last);
    const after = cursor === undefined ? 'now' : durationText(cursor - this.#origin());
    this.#slider.show({
      x: cursor === undefined ? width : xOf(this.#scale, cursor),
      width,
      value,
      last,
      text: cursor === undefined || this.#runs ? after : `entry ${value} of ${last}, ${after}`,
    });
  }

  /** What runs grows by a pixel at a time, and stands still when nothing runs. */
  #growLater(): void {
    clearTimeout(this.#grow);
    if (this.#cursor() !== undefined || this.#window || !this.#isRunning()) return;
    const { from, to, width } = this.#scale;
    this.#grow = setTimeout(
      () => this.redraw(),
      this.#calm.matches ? CALM_MS : Math.min(CALM_MS, Math.max(FRAME_MS, (to - from) / width)),
    );
  }

  #listen(): void {
    const canvas = this.#canvas.element;
    canvas.addEventListener('pointermove', (event) => this.#hover(event));
    canvas.addEventListener('pointerleave', () => this.#hover(undefined));
    canvas.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => {
      this.#pressed = { x, y };
    });
    canvas.addEventListener('click', (event) => {
      const { x, y } = this.#pressed ?? { x: event.clientX, y: event.clientY };
      if (Math.hypot(event.clientX - x, event.clientY - y) > SLIP_PX) return;
      const bar = this.#barAt(event);
      if (bar) this.select(bar.run, bar.attempt.step);
    });
    canvas.addEventListener('dblclick', () => {
      this.#window = undefined;
      this.redraw();
    });
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #wheel(event: WheelEvent): void {
    const at = timeAt(this.#scale, event.offsetX);
    const { from, to, width } = this.#scale;
    if (event.ctrlKey || event.metaKey) this.#window = zoomed(this.#scale, Math.exp(-event.deltaY / 300), at);
    else if (this.#window && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = (event.deltaX / width) * (to - from);
      this.#window = { from: from + by, to: to + by };
    } else return;
    event.preventDefault();
    this.redraw();
  }

  /** The last entry at that time; behind the last of all, now. */
  #setMoment(at: number): void {
    const end = this.#told.reduce((latest, { events }) => Math.max(latest, events.at(-1)?.at ?? 0), 0);
    if (this.#runs) return this.#chooseTime(at > end ? undefined : Math.max(this.#origin(), at));
    const events = this.#told[0]?.events ?? [];
    this.#choose(at > end ? undefined : (events.findLast((event) => event.at <= at)?.seq ?? 0));
  }

  #choose(seq: number | undefined): void {
    if (seq === this.moment) return;
    this.moment = seq;
    this.tell('fuseline-moment', { seq, at: this.#cursor() });
  }

  #chooseTime(at: number | undefined): void {
    if (at === this.#time) return;
    this.time = at;
    this.tell('fuseline-moment', { seq: undefined, at });
  }

  /** By so many entries, or of several runs by so many hundredths of what is in view. */
  #move(by: number): void {
    if (this.#runs) {
      const { from, to } = this.#scale;
      if (!Number.isFinite(by)) return this.#chooseTime(by < 0 ? this.#origin() : undefined);
      return this.#setMoment((this.#time ?? to) + (by / 100) * (to - from));
    }
    const last = this.#told[0]?.seq ?? 0;
    const next = (this.moment ?? last) + by;
    this.#choose(next >= last ? undefined : Math.max(0, next));
  }

  #hover(event: PointerEvent | undefined): void {
    const bar = event && this.#barAt(event);
    this.mark(bar?.run ?? this.run, bar?.attempt.step);
    this.#tip.hidden = !bar;
    if (!bar || !event) return;
    const { step, attempt, startedAt, endedAt, outcome } = bar.attempt;
    const took = durationText((endedAt ?? this.storage?.host.now() ?? startedAt) - startedAt);
    say(this.#tip, `${this.#runs ? `${bar.run}: ` : ''}${step}, attempt ${attempt}, ${outcome}, ${took}`);
    const x = Math.min(event.offsetX + 12, Math.max(0, this.#scale.width - this.#tip.offsetWidth - 4));
    this.#tip.style.transform = `translate(${x}px, ${event.offsetY + 14}px)`;
  }

  #barAt({ offsetX: x, offsetY: y }: MouseEvent): Bar | undefined {
    if (y < AXIS_HEIGHT) return undefined;
    const tops = laneTops(this.#lanes);
    const lane = tops.findLastIndex((top) => top <= y);
    const row = Math.floor((y - (tops[lane] ?? 0)) / ROW_HEIGHT);
    const now = this.storage?.host.now() ?? 0;
    return this.#lanes[lane]?.bars.findLast(
      ({ attempt: { startedAt, endedAt }, row: of }) =>
        of === row && xOf(this.#scale, startedAt) - 2 <= x && x <= xOf(this.#scale, endedAt ?? now) + 2,
    );
  }
}

/** Everything, or the last `span` of it. While it is open it stays as it was before as long as it fits: nothing that is painted has to move. */
function wholeOf(start: number, end: number, span: number | undefined, before: Range | 'over' | undefined): Range {
  const from = span === undefined ? start : Math.max(start, end - span);
  if (before === 'over') return { from, to: end + (end - from) * MARGIN.over };
  const slack = before && span !== undefined ? span * MARGIN.open : 0;
  if (before && before.from <= from && from - before.from <= slack && before.to >= end) return before;
  return { from, to: end + (end - from) * MARGIN.open };
}

function nameAt(name: string, top: number): HTMLElement {
  const line = html('div', { title: name }, name);
  line.style.transform = `translateY(${top}px)`;
  return line;
}
