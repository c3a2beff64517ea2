import type { StepView } from 'fuseline';
import { because, type Command, unless } from '../../src/ui/page/commands.ts';
import { runCommands } from '../../src/ui/page/run-commands.ts';
import type { Mischief } from '../photos/meddling.ts';
import type { App } from './app.ts';
import { forgetSettings } from './settings.ts';

const HANG_MS = 20_000;
const PACE_MS = 600;

export interface PageActs {
  readonly openPalette: () => void;
  readonly chooseFiles: () => void;
  /** Ends everything and deletes the database. */
  readonly wipe: () => Promise<void>;
}

/** Everything one can do on the page now. */
export function pageCommands(app: App, acts: PageActs): readonly Command[] {
  const { run } = app;
  const step = run?.steps.find(({ name }) => name === app.route.step);
  const commands: Command[] = [
    { id: 'palette', title: 'Commands', key: 'Ctrl+K', run: acts.openPalette },
    { id: 'story', label: '?', title: 'Tell the story again', key: '?', run: () => app.tell(0) },
    { id: 'dispatch', title: 'Dispatch ten runs', key: 'd', run: () => app.dispatchSamples(10) },
    {
      id: 'drop',
      label: 'Add photos…',
      title: 'Add photos, or show a run that was exported…',
      key: 'o',
      run: acts.chooseFiles,
    },
    {
      id: 'kill',
      title: 'Kill a worker',
      key: 'k',
      ...unless(app.workforce.employees.length > 0, 'no worker lives in this page'),
      run: () => app.kill(),
    },
    { id: 'hire', title: 'Hire a worker', key: 'h', run: () => app.workforce.hire() },
    { id: 'hang', title: 'Freeze this tab for 20 s', run: () => freeze(app) },
    { id: 'open-window', title: 'Open a window', key: 'w', run: openWindow },
    {
      id: 'close-window',
      title: 'Close another window',
      ...unless(app.windows.others.length > 0, 'this is the only window'),
      run: () => app.windows.closeAnother(),
    },
    {
      id: 'pace',
      title: app.settings.meddling.paceMs > 0 ? 'Full speed' : 'Slow down',
      key: 's',
      run: () => app.meddle({ paceMs: app.settings.meddling.paceMs > 0 ? 0 : PACE_MS }),
    },
    { id: 'reload', title: 'Reload', run: () => location.reload() },
    {
      id: 'live',
      title: 'Back to now',
      key: 'l',
      ...unless(app.route.moment !== undefined, 'this is now'),
      run: () => {
        const { moment, ...live } = app.route;
        app.go(live);
      },
    },
    {
      id: 'close-copy',
      title: 'Back to the runs of this browser',
      ...unless(app.copy !== undefined, 'no run out of a file is shown'),
      run: () => app.closeCopy(),
    },
    {
      id: 'reset',
      title: 'Forget everything',
      run: async () => {
        await acts.wipe();
        forgetSettings();
        location.replace(location.pathname);
      },
    },
  ];
  return [
    ...commands,
    ...runCommands({
      storage: app.shown,
      run,
      step: app.route.step,
      refusal: app.copy && 'this is a copy, which nobody works on',
    }),
    ...(['slow', 'flaky', 'failing'] as const).map((kind) => mischief(app, step, kind)),
  ];
}

function mischief(app: App, step: StepView | undefined, kind: Mischief): Command {
  const active = step !== undefined && app.settings.meddling.steps[step.name] === kind;
  const what = step ? `“${step.name}”` : 'the step';
  return {
    id: kind,
    label: active ? `Not ${kind}` : `Make ${kind}`,
    title: active ? `Stop ${what} being ${kind}` : `Make ${what} ${kind}`,
    ...because(step ? undefined : 'choose a step first'),
    run: () => {
      if (step) app.mischief(step.name, kind);
    },
  };
}

/** Really: nothing in this tab answers until it is over, neither the page nor its workers. */
function freeze(app: App): void {
  for (const { name } of app.workforce.employees) app.workforce.hang(name, HANG_MS);
  app.say({ tone: 'news', text: 'This tab and its workers hang for 20 seconds. Other windows go on.' });
  // Two frames, so that the sentence is seen before nothing is drawn any more.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const until = performance.now() + HANG_MS;
      while (performance.now() < until);
      app.say(undefined);
    }),
  );
}

/** `noopener` makes it a process of its own, which can be killed without this one. */
function openWindow(): void {
  open(`${location.pathname}${location.hash}`, '_blank', 'noopener');
}
