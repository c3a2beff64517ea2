import type { RuntimeStorage } from '../core/storage.ts';
import type { RunView } from '../core/views.ts';
import type { FuselineEvents, RunElement } from './contract.ts';
import { html } from './dom.ts';
import { type Followed, followed, type RunSource } from './run-source.ts';
import { sheetOf, THEME } from './theme.ts';

/** Where there is no DOM a module with elements can be imported all the same. */
export const HTMLElementHere: typeof HTMLElement =
  (globalThis as { HTMLElement?: typeof HTMLElement }).HTMLElement ?? (class {} as unknown as typeof HTMLElement);

/** What an element has to show. */
export type Shown =
  | { readonly status: 'ready'; readonly view: RunView; readonly source: RunSource; readonly followed: Followed }
  | { readonly status: 'message'; readonly text: string };

/**
 * An element that shows a run: it follows it while it is in a document, and draws at most once per frame, when something
 * it shows has changed.
 */
export abstract class FollowingElement extends HTMLElementHere implements RunElement {
  static readonly observedAttributes: readonly string[] = ['run'];
  readonly root: ShadowRoot;
  #storage: RuntimeStorage | undefined;
  #run: string | undefined;
  #moment: number | undefined;
  #selected: string | undefined;
  #marked: string | undefined;
  #source: RunSource | undefined;
  #unsubscribe: (() => void) | undefined;
  /** The run at `moment`, of the entry and the source it was read for. */
  #past: { readonly moment: number; readonly source: RunSource; readonly view: RunView | Error } | undefined;
  #frame: number | undefined;

  constructor(css: string) {
    super();
    this.root = this.attachShadow({ mode: 'open' });
    this.root.adoptedStyleSheets = [sheetOf(THEME), sheetOf(css)];
  }

  get storage(): RuntimeStorage | undefined {
    return this.#storage;
  }
  set storage(storage: RuntimeStorage | undefined) {
    if (storage === this.#storage) return;
    this.#storage = storage;
    this.followAnew();
  }

  get run(): string | undefined {
    return this.#run;
  }
  set run(run: string | undefined) {
    if (run === this.#run) return;
    this.#run = run;
    if (run !== undefined && this.getAttribute('run') !== run) this.setAttribute('run', run);
    if (run === undefined) this.removeAttribute('run');
    this.followAnew();
  }

  get moment(): number | undefined {
    return this.#moment;
  }
  set moment(moment: number | undefined) {
    if (moment === this.#moment) return;
    this.#moment = moment;
    this.redraw();
  }

  get selected(): string | undefined {
    return this.#selected;
  }
  set selected(selected: string | undefined) {
    if (selected === this.#selected) return;
    this.#selected = selected;
    this.redraw();
  }

  get marked(): string | undefined {
    return this.#marked;
  }
  set marked(marked: string | undefined) {
    if (marked === this.#marked) return;
    this.#marked = marked;
    this.redraw();
  }

  connectedCallback(): void {
    this.#upgrade();
    this.followAnew();
  }

  disconnectedCallback(): void {
    this.unfollow();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    if (name === 'run') this.run = value ?? undefined;
  }

  /** Something that is shown has changed. */
  redraw(): void {
    if (!this.isConnected) return;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.draw();
    });
  }

  protected abstract draw(): void;

  protected followAnew(): void {
    this.unfollow();
    if (!this.isConnected) return;
    if (this.#storage && this.#run !== undefined) {
      this.#source = followed(this.#storage, this.#run);
      this.#unsubscribe = this.#source.subscribe(() => this.redraw());
    }
    this.redraw();
  }

  protected unfollow(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#source = undefined;
  }

  /** The run at the moment that is chosen; the last one there was, while another is read. */
  protected shown(): Shown {
    const source = this.#source;
    if (!source)
      return { status: 'message', text: this.#storage ? 'No run is chosen.' : 'Not connected to a storage.' };
    const followed = source.getSnapshot();
    const { live } = followed;
    if (live.status === 'loading') return { status: 'message', text: 'Loading…' };
    if (live.status === 'missing') return { status: 'message', text: `There is no run ${this.#run}.` };
    if (live.status === 'failed') return { status: 'message', text: live.error.message };
    if (this.#moment === undefined) return { status: 'ready', view: live.run, source, followed };
    const past = this.#past?.source === source ? this.#past : undefined;
    if (past?.moment !== this.#moment) this.#readPast(source, this.#moment);
    if (past?.view instanceof Error) return { status: 'message', text: past.view.message };
    return { status: 'ready', view: past?.view ?? live.run, source, followed };
  }

  protected tell<Name extends keyof FuselineEvents>(type: Name, detail: FuselineEvents[Name]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  protected select(run: string, step: string | undefined): void {
    if (step === this.selected) return;
    this.selected = step;
    this.tell('fuseline-select', { run, step });
  }

  protected mark(run: string | undefined, step: string | undefined): void {
    if (step === this.marked) return;
    this.marked = step;
    this.tell('fuseline-mark', { run, step });
  }

  /** When an entry of the run was written. */
  protected timeOf(seq: number): number | undefined {
    return this.#source?.getSnapshot().events.findLast((event) => event.seq <= seq)?.at;
  }

  #readPast(source: RunSource, moment: number): void {
    source.viewAt(moment).then(
      (view) => this.#setPast(source, moment, view),
      (error: Error) => this.#setPast(source, moment, error),
    );
  }

  #setPast(source: RunSource, moment: number, view: RunView | Error): void {
    if (this.#source !== source || this.#moment !== moment || this.#past?.view === view) return;
    this.#past = { source, moment, view };
    this.redraw();
  }

  /** Properties that were set before the element was defined stand in front of the accessors. */
  #upgrade(): void {
    for (const name of Object.keys(this)) {
      if (!(name in Object.getPrototypeOf(this))) continue;
      const own = this as unknown as Record<string, unknown>;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
  }
}

/** A line in place of what cannot be shown. */
export function messageLine(): HTMLElement {
  return html('p', { class: 'message', part: 'message', role: 'status' });
}
