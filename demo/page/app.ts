import {
  type HistoryEvent,
  type Live,
  type LiveRun,
  type LiveRuns,
  liveRun,
  liveRuns,
  openExport,
  type RunStatus,
  type RuntimeStorage,
  type RunView,
  workerName,
} from 'fuseline';
import { describe } from '../../src/ui/page/describe.ts';
import type { Notice } from '../../src/ui/page/parts.ts';
import { type Route, readRoute, writeRoute } from '../../src/ui/page/route.ts';
import { type Meddling, type Mischief, meddleAs } from '../photos/meddling.ts';
import { type Photo, photoWorkflow } from '../photos/workflow.ts';
import { advise, sentence } from './advice.ts';
import { Journals } from './journals.ts';
import { Rescues } from './rescues.ts';
import { samplePhotos } from './samples.ts';
import {
  captionOfThisWindow,
  nextHire,
  onSettings,
  readSettings,
  rememberCaption,
  type Settings,
  writeSettings,
} from './settings.ts';
import { CAPTIONS, type Rescue } from './story.ts';
import { listenToWindows, type Windows } from './windows.ts';
import { type Trouble, Workforce } from './workforce.ts';

/** Runs the list shows. */
const LISTED = 500;
const UNDER_WAY: readonly RunStatus[] = ['PENDING', 'RUNNING'];
/** So slow the story is told. */
const STORY_PACE_MS = 600;

/** A run out of a file, which nobody works on. */
export interface Copy {
  readonly file: string;
  readonly run: string;
  readonly storage: RuntimeStorage;
}

/** What the page knows and what it can do; how it looks is somebody else's. `changed` is called after every change. */
export class App {
  readonly storage: RuntimeStorage;
  readonly journals: Journals;
  readonly workforce: Workforce;
  readonly windows: Windows;
  settings: Settings = readSettings();
  route: Route = readRoute(location.hash);
  /** Position in the story; `undefined` when it is not told. */
  caption: number | undefined;
  rescue: Rescue | undefined;
  notice: Notice | undefined;
  /** What is looked at instead of a run of this browser. */
  copy: Copy | undefined;
  readonly #rescues = new Rescues();
  /** Once one of this page's workers claims something, one is killed. */
  #killsNext = false;
  readonly #runs: Live<LiveRuns>;
  readonly #changed: () => void;
  #selected:
    | {
        readonly id: string;
        readonly storage: RuntimeStorage;
        readonly live: Live<LiveRun>;
        readonly stop: () => void;
      }
    | undefined;
  #others: readonly string[] = [];

  constructor(parts: {
    readonly storage: RuntimeStorage;
    readonly database: string;
    readonly engine: string | URL;
    readonly changed: () => void;
  }) {
    this.storage = parts.storage;
    this.#changed = parts.changed;
    const self = nameOfWindow();
    this.journals = new Journals(this.storage, (run, event) => this.#see(run, event));
    this.windows = listenToWindows(self, this.#changed);
    this.workforce = new Workforce({
      database: parts.database,
      script: parts.engine,
      prefix: self,
      number: nextHire,
      meddling: this.settings.meddling,
      changed: this.#changed,
      troubled: (trouble) => this.#hear(trouble),
    });
    this.#runs = liveRuns(this.storage, { limit: LISTED });
  }

  /** Hires two workers, follows the runs, and begins the story if it was never told, or goes on with it after a reload. */
  async start(): Promise<void> {
    onSettings((settings) => this.#adopt(settings));
    this.#runs.subscribe(() => this.#followRuns());
    addEventListener('hashchange', () => this.#follow(readRoute(location.hash)));
    this.#follow(this.route);
    // What is shown instead of the runs says why.
    if (!(await this.#canRead())) return;
    this.workforce.hire();
    this.workforce.hire();
    this.#restWhileAside();
    const caption = captionOfThisWindow();
    if (caption !== undefined) this.#tell(caption);
    else if (this.settings.story === 'unseen') this.tell(0);
  }

  get runs(): LiveRuns {
    return this.#runs.getSnapshot();
  }

  get selected(): LiveRun | undefined {
    return this.#selected?.live.getSnapshot();
  }

  /** Where the selected run is. */
  get shown(): RuntimeStorage {
    return this.copy?.storage ?? this.storage;
  }

  /** The selected run, if it is there. */
  get run(): RunView | undefined {
    const selected = this.selected;
    return selected?.status === 'ready' ? selected.run : undefined;
  }

  /** Names of living workers that are not of this page. */
  get others(): readonly string[] {
    return this.#others;
  }

  go(route: Route): void {
    history.replaceState(null, '', `${location.pathname}${location.search}${writeRoute(route)}`);
    this.#follow(route);
  }

  /** Shows a run of this browser. */
  choose(run: string): void {
    this.copy = undefined;
    this.go({ run });
  }

  /** Shows the run of a file that `storage.export` wrote, beside those of this browser. */
  async open(file: File): Promise<void> {
    const storage = await file
      .text()
      .then((text) => openExport(JSON.parse(text)))
      .catch((cause) => {
        throw new Error(`${file.name} cannot be shown: ${describe(cause)}`, { cause });
      });
    const { runs } = await storage.list();
    const [{ id: run } = { id: '' }] = runs;
    this.copy = { file: file.name, run, storage };
    this.notice = undefined;
    this.go({ run });
  }

  closeCopy(): void {
    this.copy = undefined;
    const [newest] = this.runs.status === 'ready' ? this.runs.runs : [];
    this.go(newest ? { run: newest.id } : {});
  }

  async dispatchSamples(count: number): Promise<void> {
    const first = this.settings.painted;
    this.settings = writeSettings({ painted: first + count });
    await this.dispatch(await samplePhotos(first, count));
  }

  async dispatch(photos: readonly Photo[]): Promise<void> {
    const workflow = photoWorkflow(meddleAs(() => this.settings.meddling));
    const runs = await Promise.all(
      photos.map((photo) => workflow.dispatch(photo, { storage: this.storage, labels: { photo: photo.name } })),
    );
    const [first] = runs;
    if (first) this.choose(first.id);
  }

  /**
   * Kills one of this page's workers, one that is at the selected run, or at any, if none is named. In the story there is
   * something to lose: where none is at work, the next one to be is killed, and where nothing is under way, work is brought.
   */
  kill(name = this.#atWork()): void {
    if (name === undefined && this.caption !== undefined) {
      this.#killsNext = true;
      if (this.#isIdle()) this.dispatchSamples(3).catch((error) => this.fail(error));
      return;
    }
    const victim = name ?? this.workforce.employees[0]?.name;
    if (victim === undefined) return;
    this.#rescues.killed(victim, Date.now());
    this.workforce.kill(victim);
  }

  meddle(change: Partial<Meddling>): void {
    this.#adopt(writeSettings({ meddling: { ...this.settings.meddling, ...change } }));
  }

  mischief(step: string, mischief: Mischief): void {
    const { [step]: current, ...rest } = this.settings.meddling.steps;
    this.meddle({ steps: current === mischief ? rest : { ...rest, [step]: mischief } });
  }

  /** Tells a part of the story, with some work to be seen in it; without one, ends it. */
  tell(caption: number | undefined): void {
    this.#tell(caption);
    if (caption !== undefined && this.#isIdle()) this.dispatchSamples(3).catch((error) => this.fail(error));
  }

  say(notice: Notice | undefined): void {
    this.notice = notice;
    this.#changed();
  }

  fail(error: unknown): void {
    this.say({ tone: 'trouble', text: advise(error) });
  }

  /** A worker of this page said what went wrong, or that it works again. */
  #hear(trouble: Trouble | undefined): void {
    if (trouble) this.say({ tone: 'trouble', text: sentence(trouble.code, trouble.message) });
    else if (this.notice?.tone === 'trouble') this.say(undefined);
  }

  async #canRead(): Promise<boolean> {
    return this.storage.list({ limit: 1 }).then(
      () => true,
      () => false,
    );
  }

  #tell(caption: number | undefined): void {
    this.caption = caption;
    this.rescue = undefined;
    rememberCaption(caption);
    // Other windows are not told it as well.
    this.settings = writeSettings({ story: 'seen' });
    this.meddle({ paceMs: caption === undefined ? 0 : STORY_PACE_MS });
  }

  #isIdle(): boolean {
    return this.runs.status !== 'ready' || !this.runs.runs.some(({ status }) => UNDER_WAY.includes(status));
  }

  #adopt(settings: Settings): void {
    this.settings = settings;
    this.workforce.meddle(settings.meddling);
    this.#changed();
  }

  #follow(route: Route): void {
    this.route = route;
    if (route.run !== this.copy?.run) this.copy = undefined;
    const storage = this.shown;
    if (route.run !== this.#selected?.id || storage !== this.#selected?.storage) {
      this.#selected?.stop();
      this.#selected = undefined;
      if (route.run !== undefined) {
        const live = liveRun(storage, route.run);
        this.#selected = { id: route.run, storage, live, stop: live.subscribe(this.#changed) };
      }
    }
    this.#changed();
  }

  #followRuns(): void {
    const { runs } = this;
    if (runs.status !== 'ready') return this.#changed();
    for (const run of runs.runs) this.journals.follow(run).catch((error) => this.fail(error));
    const [newest] = runs.runs;
    if (this.route.run === undefined && newest) this.go({ run: newest.id });
    this.storage.workers().then(
      (workers) => {
        const own = new Set(this.#names);
        this.#others = workers.map(({ id }) => workerName(id)).filter((name) => !own.has(name));
        this.#changed();
      },
      (error) => this.fail(error),
    );
    this.#changed();
  }

  /** A page that is put aside for the back button stops with its workers, whose locks would stay: others would wait for them. */
  #restWhileAside(): void {
    let resting = 0;
    addEventListener('pagehide', () => {
      resting = this.workforce.dismiss();
    });
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) for (; resting > 0; resting--) this.workforce.hire();
    });
  }

  #see(run: string, event: HistoryEvent): void {
    if (this.#killsNext && event.type === 'claimed' && this.#names.includes(workerName(event.worker))) {
      this.#killsNext = false;
      // Whoever is at work by then.
      setTimeout(() => this.kill(), STORY_PACE_MS / 2);
    }
    const rescue = this.#rescues.see(run, event);
    if (rescue) {
      this.rescue = rescue;
      if (this.caption !== undefined && CAPTIONS[this.caption]?.id === 'kill') this.go({ run, step: rescue.step });
    }
    this.#changed();
  }

  get #names(): readonly string[] {
    return this.workforce.employees.map(({ name }) => name);
  }

  /** Who of this page is at the selected run, or else at any. */
  #atWork(): string | undefined {
    if (this.#isIdle()) return undefined;
    const own = this.#names;
    const holders = this.run?.steps.flatMap(({ worker }) => (worker === undefined ? [] : [workerName(worker)])) ?? [];
    return [...holders, ...this.journals.holders].find((name) => own.includes(name));
  }
}

const NAMES = ['otter', 'heron', 'lynx', 'finch', 'moth', 'seal', 'wren', 'hare', 'newt', 'ibis', 'vole', 'tern'];

/** The same after a reload, another in every window. */
function nameOfWindow(): string {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint8Array(2));
  const name = `${NAMES[a % NAMES.length]}${b % 100}`;
  try {
    const known = sessionStorage.getItem('window');
    if (known !== null) return known;
    sessionStorage.setItem('window', name);
  } catch {
    // Where the browser keeps nothing it is another one after a reload.
  }
  return name;
}
