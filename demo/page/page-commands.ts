import type { StepView } from 'fuseline';
import type { Mischief } from '../photos/meddling.ts';
import type { App } from './app.ts';
import type { Command } from './commands.ts';
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
    ...runCommands(app),
    ...(['slow', 'flaky', 'failing'] as const).map((kind) => mischief(app, step, kind)),
  ];
}

function runCommands(app: App): readonly Command[] {
  const { run } = app;
  const id = run?.id;
  const status = run?.status;
  const over = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
  const needsRun =
    id === undefined ? 'choose a run first' : app.copy ? 'this is a copy, which nobody works on' : undefined;
  const step = run?.steps.find(({ name }) => name === app.route.step);
  const stepOver = step !== undefined && step.status !== 'PENDING' && step.status !== 'RUNNING';
  const on = (act: (id: string) => Promise<unknown>) => async () => {
    if (id !== undefined) await act(id);
  };
  const { storage } = app;
  return [
    {
      id: 'pause',
      label: 'Pause',
      title: 'Pause the run',
      ...because(needsRun ?? (over ? 'it has ended' : status === 'PAUSED' ? 'it is paused' : undefined)),
      run: on((id) => storage.pause(id)),
    },
    {
      id: 'resume',
      label: 'Resume',
      title: 'Resume the run',
      ...because(needsRun ?? (status === 'PAUSED' ? undefined : 'it is not paused')),
      run: on((id) => storage.resume(id)),
    },
    {
      id: 'cancel',
      label: 'Cancel',
      title: 'Cancel the run',
      ...because(needsRun ?? (over ? 'it has ended' : undefined)),
      run: on((id) => storage.cancel(id)),
    },
    {
      id: 'retry',
      label: 'Retry',
      title: 'Retry the run',
      ...because(needsRun ?? (status === 'FAILED' || status === 'CANCELLED' ? undefined : 'it has not failed')),
      run: on((id) => storage.retry(id)),
    },
    {
      id: 'rerun',
      label: 'Rerun from here',
      title: 'Rerun from this step',
      ...because(
        needsRun ?? (step === undefined ? 'choose a step first' : stepOver ? undefined : 'the step has not ended'),
      ),
      run: on(async (id) => step && storage.enqueue(id, step.name)),
    },
    {
      id: 'export',
      label: 'Export',
      title: 'Export the run',
      ...because(needsRun),
      run: on(async (id) => save(`${id}.json`, JSON.stringify(await storage.export(id), null, 2))),
    },
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

function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

function because(unavailable: string | undefined): { readonly unavailable?: string } {
  return unavailable === undefined ? {} : { unavailable };
}

function unless(possible: boolean, reason: string): { readonly unavailable?: string } {
  return because(possible ? undefined : reason);
}
