import { html, render } from 'lit-html';
import type { RuntimeStorage } from '../../core/storage.ts';
import { wordOf } from '../../elements/signs.ts';
import { App } from './app.ts';
import { type Command, commandOf } from './commands.ts';
import { pageCommands } from './page-commands.ts';
import { Palette } from './palette.ts';
import { noticeBar } from './parts.ts';
import { RunsList } from './runs-list.ts';
import {
  type Acts,
  countLine,
  emptyList,
  type Frame,
  failureList,
  filterBar,
  momentText,
  runBar,
  topBar,
} from './view.ts';

export interface HouseParts {
  /** What is looked at. */
  readonly title: string;
  readonly storage: RuntimeStorage;
  /** Why nobody may command runs here; `undefined` if one may. */
  readonly refusal: string | undefined;
  /** Goes back to where one says who one is; absent where nobody asks. */
  readonly leave: (() => void) | undefined;
}

const WIDE = '(min-width: 721px)';

/** The page over a storage. The answer ends it. */
export function openHouse(root: HTMLElement, { title, storage, refusal, leave }: HouseParts): () => Promise<void> {
  render(
    html`<header id="top"></header>
      <div id="list" role="complementary" aria-label="Runs">
        <search id="filters"></search>
        <p id="count" role="status"></p>
        <div id="runs" role="listbox" tabindex="0" aria-label="Runs, newest first"></div>
        <div id="failures" hidden></div>
        <div id="none" class="empty" hidden></div>
      </div>
      <main>
        <div id="run-tools" role="toolbar" aria-label="The run"></div>
        <fuseline-run id="run"></fuseline-run>
        <p id="empty" class="empty" hidden></p>
      </main>
      <div id="notice" aria-live="polite"></div>`,
    root,
  );
  const room = (name: string): HTMLElement => root.querySelector(`#${name}`) as HTMLElement;
  const inspector = room('run') as HTMLElementTagNameMap['fuseline-run'];
  const wide = matchMedia(WIDE);
  let frame: number | undefined;

  const app = new App({ storage, refusal, isWide: () => wide.matches, changed: draw });
  const palette = new Palette(commands, (command) => obey(command.id));
  const list = new RunsList(room('runs'), {
    select: (run) => app.choose(run),
    name: ({ id }) => id,
    status: ({ status, stranded, workflow, parent }) =>
      [
        stranded.length > 0 ? `${wordOf(status)}, stranded` : wordOf(status),
        ...(parent ? [`for step ${parent.step}`] : []),
        workflow,
      ].join(' · '),
    detail: ({ createdAt }) => momentText(createdAt),
    atEnd: () => app.more(),
  });
  const acts: Acts = {
    run: obey,
    filter: (change) => app.filter(change),
    choose: (run) => app.choose(run),
    retry: (runs) => void app.retry(runs),
  };

  inspector.addEventListener('fuseline-select', ({ detail: { step } }) => {
    const { step: _, ...rest } = app.place;
    app.go({ ...rest, ...(step !== undefined && { step }) });
  });
  inspector.addEventListener('fuseline-moment', ({ detail: { seq } }) => {
    const { moment, ...rest } = app.place;
    app.go({ ...rest, ...(seq !== undefined && { moment: seq }) });
  });
  inspector.addEventListener('fuseline-open', ({ detail: { run, step } }) => app.open(run, step));
  const onKey = (event: KeyboardEvent): void => {
    const command = commandOf(event, commands());
    if (!command) return;
    event.preventDefault();
    obey(command.id);
  };
  addEventListener('keydown', onKey);
  wide.addEventListener('change', draw);
  app.start();
  return async () => {
    removeEventListener('keydown', onKey);
    wide.removeEventListener('change', draw);
    if (frame !== undefined) cancelAnimationFrame(frame);
    await app.stop();
  };

  /** Once per frame, however much changes. */
  function draw(): void {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      paint();
    });
  }

  function paint(): void {
    const { place, found, grouped, workflows, selected } = app;
    const shown: Frame = { title, place, found, grouped, workflows, commands: commands(), refusal: app.refusal };
    const isGrouped = place.view === 'failures';
    const isListAlone = place.run === undefined && !wide.matches;
    root.dataset.shows = place.run === undefined ? 'list' : 'run';
    room('list').setAttribute('role', isListAlone ? 'main' : 'complementary');
    document.title = [place.run, title, 'Fuseline'].filter(Boolean).join(' · ');
    render(topBar(shown, acts), room('top'));
    render(filterBar(shown, acts), room('filters'));
    room('count').textContent = countLine(shown);
    const none = emptyList(shown, acts);
    render(none, room('none'));
    room('none').hidden = typeof none === 'symbol';
    room('runs').hidden = isGrouped || !room('none').hidden;
    room('failures').hidden = !isGrouped;
    if (isGrouped) render(failureList(shown, acts), room('failures'));
    list.show({ runs: found.status === 'ready' ? found.runs : [], selected: place.run });
    render(
      noticeBar(app.notice, () => app.say(undefined)),
      room('notice'),
    );
    render(runBar(shown, acts), room('run-tools'));

    inspector.storage = storage;
    inspector.run = place.run;
    inspector.selected = place.step;
    inspector.moment = place.moment;
    inspector.signals = app.refusal === undefined;
    const isThere = selected !== undefined && selected.status !== 'missing';
    inspector.hidden = !isThere;
    room('run-tools').hidden = place.run === undefined;
    room('empty').hidden = isThere;
    room('empty').textContent =
      place.run === undefined
        ? 'Choose a run to look into it.'
        : `There is no run ${place.run} here. It may have been removed.`;
  }

  function commands(): readonly Command[] {
    return pageCommands(app, {
      openPalette: () => palette.open(),
      search: () => {
        app.show('runs');
        room('filters').querySelector('input')?.focus();
      },
      leave,
    });
  }

  function obey(id: string): void {
    const command = commands().find((command) => command.id === id);
    if (!command || command.unavailable !== undefined) return;
    Promise.resolve()
      .then(command.run)
      .catch((error) => app.fail(error));
  }
}
