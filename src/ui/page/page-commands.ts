import type { App } from './app.ts';
import { because, type Command, unless } from './commands.ts';
import { runCommands } from './run-commands.ts';

export interface PageActs {
  readonly openPalette: () => void;
  readonly search: () => void;
  /** Absent where no token is needed. */
  readonly leave: (() => void) | undefined;
}

/** Everything one can do on the page now. */
export function pageCommands(app: App, { openPalette, search, leave }: PageActs): readonly Command[] {
  const { place } = app;
  const commands: Command[] = [
    { id: 'palette', title: 'Commands', key: 'Ctrl+K', run: openPalette },
    { id: 'search', title: 'Find a run by its id', key: '/', run: search },
    {
      id: 'failures',
      title: 'Show failures by step and error',
      key: 'f',
      ...unless(place.view !== 'failures', 'they are shown'),
      run: () => app.show('failures'),
    },
    {
      id: 'runs',
      title: 'Show the list of runs',
      key: 'r',
      ...unless(place.view === 'failures', 'it is shown'),
      run: () => app.show('runs'),
    },
    {
      id: 'clear',
      title: 'Show runs of every kind',
      ...unless(app.isFiltered, 'nothing is left out'),
      run: () => app.filter({ status: undefined, workflow: undefined, search: undefined }),
    },
    {
      id: 'live',
      title: 'Back to now',
      key: 'l',
      ...unless(place.moment !== undefined, 'this is now'),
      run: () => {
        const { moment, ...live } = place;
        app.go(live);
      },
    },
    {
      id: 'list',
      label: '← List',
      title: 'Leave the run',
      ...because(place.run === undefined ? 'no run is shown' : app.isWide ? 'it stands beside the list' : undefined),
      run: () => app.choose(undefined),
    },
    ...runCommands({ storage: app.storage, run: app.run, step: place.step, refusal: app.refusal }),
  ];
  return leave ? [...commands, { id: 'leave', title: 'Use another token', run: leave }] : commands;
}
