import { FuselineError } from '../../core/errors.ts';
import { type Live, type LiveRun, liveRun } from '../../core/live.ts';
import type { RuntimeStorage } from '../../core/storage.ts';
import type { RunView } from '../../core/views.ts';
import { countText } from '../../core/words.ts';
import { describe } from './describe.ts';
import { Failures, type Grouped } from './failures.ts';
import { type Found, FoundRuns } from './found-runs.ts';
import type { Notice } from './parts.ts';
import { type Filter, type Place, readPlace, writePlace } from './place.ts';

export interface AppParts {
  readonly storage: RuntimeStorage;
  /** Why nobody may command runs here; `undefined` if one may. */
  readonly refusal?: string | undefined;
  /** Whether there is room for a run beside the list. */
  readonly isWide: () => boolean;
  /** Called after every change. */
  readonly changed: () => void;
}

/** What the page knows and what it can do; how it looks is somebody else's. */
export class App {
  readonly storage: RuntimeStorage;
  place: Place = readPlace(location.hash);
  notice: Notice | undefined;
  refusal: string | undefined;
  readonly #found: FoundRuns;
  readonly #failures: Failures;
  readonly #isWide: () => boolean;
  readonly #changed: () => void;
  readonly #workflows = new Set<string>();
  #trouble: string | undefined;
  #selected: { readonly id: string; readonly live: Live<LiveRun>; readonly stop: () => void } | undefined;
  readonly #follow = (): void => this.#goTo(readPlace(location.hash));

  constructor({ storage, refusal, isWide, changed }: AppParts) {
    this.storage = storage;
    this.refusal = refusal;
    this.#isWide = isWide;
    this.#changed = changed;
    this.#found = new FoundRuns(storage, () => this.#followRuns());
    this.#failures = new Failures(storage, changed);
  }

  start(): void {
    addEventListener('hashchange', this.#follow);
    this.#goTo(this.place);
  }

  async stop(): Promise<void> {
    removeEventListener('hashchange', this.#follow);
    this.#found.stop();
    this.#failures.stop();
    this.#selected?.stop();
    await this.storage.close();
  }

  get found(): Found {
    return this.#found.found;
  }

  get grouped(): Grouped {
    return this.#failures.grouped;
  }

  /** The workflows of all runs that were seen. */
  get workflows(): readonly string[] {
    return [...this.#workflows].sort();
  }

  get selected(): LiveRun | undefined {
    return this.#selected?.live.getSnapshot();
  }

  /** The selected run, if it is there. */
  get run(): RunView | undefined {
    const selected = this.selected;
    return selected?.status === 'ready' ? selected.run : undefined;
  }

  /** Whether a run is shown beside the list, and not in its place. */
  get isWide(): boolean {
    return this.#isWide();
  }

  get isFiltered(): boolean {
    const { status, workflow, search } = this.place;
    return status !== undefined || workflow !== undefined || search !== undefined;
  }

  go(place: Place): void {
    // Back leads from the run to the list, where there is no room for both.
    const leavesList = this.place.run === undefined && place.run !== undefined && !this.#isWide();
    this.#move(place, leavesList ? 'push' : 'replace');
  }

  /** Goes to a run that the one in sight leads to. Back leads here again. */
  open(run: string, step: string | undefined): void {
    const { step: _, moment, ...rest } = this.place;
    this.#move({ ...rest, run, ...(step !== undefined && { step }) }, 'push');
  }

  choose(run: string | undefined): void {
    const { run: _, step, moment, ...list } = this.place;
    this.go(run === undefined ? list : { ...list, run });
  }

  filter(change: { readonly [Name in keyof Filter]: Filter[Name] | undefined }): void {
    const { status, workflow, search, ...rest } = { ...this.place, ...change };
    this.go({ ...rest, ...(status && { status }), ...(workflow && { workflow }), ...(search && { search }) });
  }

  show(view: 'runs' | 'failures'): void {
    const { view: _, ...rest } = this.place;
    this.go(view === 'runs' ? rest : { ...rest, view });
  }

  more(): void {
    this.#found.more();
  }

  /** Takes runs up again, one after the other: nobody waits for that, and a service is not pressed. */
  async retry(runs: readonly string[]): Promise<void> {
    let refused = 0;
    for (const run of runs) {
      try {
        await this.storage.retry(run);
      } catch (error) {
        if (isAbout(error, 'FORBIDDEN')) return this.fail(error);
        refused++;
      }
    }
    const taken = `${countText(runs.length - refused, 'run')} taken up again`;
    this.say({ tone: 'news', text: refused === 0 ? `${taken}.` : `${taken}; ${refused} could not be.` });
  }

  say(notice: Notice | undefined): void {
    this.notice = notice;
    this.#changed();
  }

  fail(error: unknown): void {
    if (isAbout(error, 'FORBIDDEN')) this.refusal = (error as FuselineError).message;
    this.say({ tone: 'trouble', text: describe(error) });
  }

  #move(place: Place, how: 'push' | 'replace'): void {
    history[`${how}State`](null, '', `${location.pathname}${location.search}${writePlace(place)}`);
    this.#goTo(place);
  }

  #goTo(place: Place): void {
    this.place = place;
    this.#found.seek(place);
    if (place.view === 'failures') this.#failures.follow(place.workflow);
    else this.#failures.stop();
    if (place.run !== this.#selected?.id) {
      this.#selected?.stop();
      this.#selected = undefined;
      if (place.run !== undefined) {
        const live = liveRun(this.storage, place.run);
        this.#selected = { id: place.run, live, stop: live.subscribe(this.#changed) };
      }
    }
    this.#changed();
  }

  #followRuns(): void {
    const { found, place } = this;
    if (found.status === 'ready') {
      // Said once, however often it is tried again.
      if (found.trouble && found.trouble.message !== this.#trouble) this.fail(found.trouble);
      this.#trouble = found.trouble?.message;
      for (const { workflow } of found.runs) this.#workflows.add(workflow);
      const [newest] = found.runs;
      if (place.run === undefined && newest && this.isWide) return this.choose(newest.id);
    }
    this.#changed();
  }
}

function isAbout(error: unknown, code: FuselineError['code']): boolean {
  return error instanceof FuselineError && error.code === code;
}
