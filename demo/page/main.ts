/** The page: everything is put together here. */
import { defineElements } from 'fuseline/elements';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { html, render } from 'lit-html';
import { type Command, commandOf } from '../../src/ui/page/commands.ts';
import { Palette } from '../../src/ui/page/palette.ts';
import { noticeBar } from '../../src/ui/page/parts.ts';
import { RunsList } from '../../src/ui/page/runs-list.ts';
import { App } from './app.ts';
import { offline } from './offline.ts';
import { pageCommands } from './page-commands.ts';
import { layout, NODE_SIZE } from './places.ts';
import { showResult } from './results.ts';
import { droppedPhotos } from './samples.ts';
import { Tabs } from './tabs.ts';
import { scriptAddress } from './trusted.ts';
import { type Acts, type Frame, runBar, storyBar, toolBar, topBar, whyEmpty, workersPanel } from './view.ts';

const DATABASE = 'fuseline-demo';
const QUIET_MS = 1000;

defineElements();
const room = (name: string): HTMLElement => document.getElementById(name) as HTMLElement;
render(
  html`<header id="top"></header>
    <nav id="tools" aria-label="What you can do"></nav>
    <div id="notice"></div>
    <nav class="tabs" aria-label="Parts of the page"><div id="tabs" role="tablist" aria-label="Parts of the page"></div></nav>
    <aside>
      <section id="runs-panel" class="runs" aria-label="Runs"><h2>Runs</h2><div id="runs" role="listbox" tabindex="0" aria-label="Runs, newest first"></div></section>
      <section id="workers" class="workers" aria-label="Workers"></section>
    </aside>
    <main><div id="run-panel" aria-label="Run">
      <div id="run-tools" role="toolbar" aria-label="The run"></div>
      <fuseline-run id="run"></fuseline-run>
      <div id="empty" class="empty" hidden></div>
    </div></main>
    <div id="story" aria-live="polite"></div>
    <input id="files" type="file" accept="image/*,application/json" multiple hidden />`,
  document.body,
);

const storage = new IndexedDBStorage(DATABASE);
const app = new App({ storage, database: DATABASE, engine: scriptAddress('engine.js'), changed: draw });
const palette = new Palette(commands, (command) => obey(command.id));
const list = new RunsList(room('runs'), {
  select: (run) => app.choose(run),
  name: ({ id, labels }) => labels.photo ?? id,
  status: ({ status }) => status.toLowerCase(),
  detail: ({ id }) => app.journals.progress(id),
});
const tabs = new Tabs(room('tabs'), [
  { id: 'run-panel', title: 'Run' },
  { id: 'runs-panel', title: 'Runs' },
  { id: 'workers', title: 'Workers' },
]);
const files = room('files') as HTMLInputElement;
const inspector = document.querySelector('fuseline-run') as HTMLElementTagNameMap['fuseline-run'];

const acts: Acts = {
  run: obey,
  kill: (worker) => app.kill(worker),
  hang: (worker) => app.workforce.hang(worker, 20_000),
  story: (caption) => app.tell(caption),
};

inspector.content = showResult;
inspector.nodeSize = NODE_SIZE;
inspector.layout = layout;
inspector.addEventListener('fuseline-select', ({ detail: { step } }) => {
  const { step: before, ...rest } = app.route;
  app.go({ ...rest, ...(step !== undefined && step !== before && { step }) });
});
inspector.addEventListener('fuseline-moment', ({ detail: { seq } }) => {
  const { moment, ...rest } = app.route;
  app.go({ ...rest, ...(seq !== undefined && { moment: seq }) });
});

addEventListener('keydown', (event) => {
  const command = commandOf(event, commands());
  if (!command) return;
  event.preventDefault();
  obey(command.id);
});
room('runs').addEventListener('click', () => tabs.show('run-panel'));
room('runs').addEventListener('keydown', ({ key }) => {
  if (key === 'Enter') tabs.show('run-panel');
});
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  void add(event.dataTransfer?.files ?? []);
});
files.addEventListener('change', () => {
  void add(files.files ?? []).then(() => {
    files.value = '';
  });
});
for (const change of ['online', 'offline']) addEventListener(change, () => draw());

app
  .start()
  .catch((error) => app.fail(error))
  // What is kept for later is fetched once nothing else waits for the line.
  .finally(() => setTimeout(() => offline(app), QUIET_MS));

let drawing = false;
let fading: ReturnType<typeof setTimeout> | undefined;

/** The rate falls by itself, until nothing happens any more. */
const FADE_MS = 1000;

/** Once per frame, however much changes. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    paint();
  });
}

function paint(): void {
  const { runs, route, selected } = app;
  const listed = runs.status === 'ready' ? runs.runs : [];
  const frame: Frame = {
    score: app.journals.score,
    rate: app.journals.rate(Date.now()),
    online: navigator.onLine,
    paceMs: app.settings.meddling.paceMs,
    employees: app.workforce.employees,
    others: app.others,
    commands: commands(),
    caption: app.caption,
    rescue: app.rescue,
    copyOf: app.copy?.file,
  };
  clearTimeout(fading);
  if (frame.rate > 0) fading = setTimeout(draw, FADE_MS);
  render(topBar(frame, acts), room('top'));
  render(toolBar(frame, acts), room('tools'));
  render(
    noticeBar(app.notice, () => app.say(undefined)),
    room('notice'),
  );
  render(workersPanel(frame, acts), room('workers'));
  render(runBar(frame, acts), room('run-tools'));
  render(storyBar(frame, acts), room('story'));
  list.show({
    runs: listed,
    selected: app.copy ? undefined : route.run,
  });

  inspector.storage = app.shown;
  inspector.run = route.run;
  inspector.selected = route.step;
  inspector.moment = route.moment;
  const absent = selected === undefined || selected.status === 'missing';
  inspector.hidden = absent;
  room('run-tools').hidden = absent;
  room('empty').hidden = !absent;
  render(whyEmpty(app, { dispatch: () => obey('dispatch') }), room('empty'));
}

function commands(): readonly Command[] {
  return pageCommands(app, {
    openPalette: () => palette.open(),
    chooseFiles: () => files.click(),
    wipe: async () => {
      app.workforce.dismiss();
      await storage.close();
      indexedDB.deleteDatabase(DATABASE);
    },
  });
}

function obey(id: string): void {
  const command = commands().find((command) => command.id === id);
  if (!command || command.unavailable !== undefined) return;
  Promise.resolve()
    .then(command.run)
    .catch((error) => app.fail(error));
}

async function add(given: Iterable<File>): Promise<void> {
  try {
    const all = [...given];
    const photos = await droppedPhotos(all);
    const exported = all.find(isExport);
    if (photos.length > 0) await app.dispatch(photos);
    if (exported) await app.open(exported);
    else if (photos.length === 0)
      app.say({ tone: 'news', text: 'None of that is a picture this browser can decode, or an exported run.' });
  } catch (error) {
    app.fail(error);
  }
}

/** By its name, too: not every system knows the type. */
function isExport({ type, name }: File): boolean {
  return type === 'application/json' || name.endsWith('.json');
}
