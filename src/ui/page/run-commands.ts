import type { RuntimeStorage } from '../../core/storage.ts';
import type { RunView } from '../../core/views.ts';
import { because, type Command } from './commands.ts';

export interface Subject {
  readonly storage: RuntimeStorage;
  /** The run that is chosen, as it is now. */
  readonly run: RunView | undefined;
  /** The step of it that is chosen. */
  readonly step: string | undefined;
  /** Why nobody may command it; `undefined` if one may. */
  readonly refusal: string | undefined;
}

/** What one can do with a run, and with a step of it. */
export function runCommands({ storage, run, step: name, refusal }: Subject): readonly Command[] {
  const id = run?.id;
  const status = run?.status;
  const over = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
  const needsRun = id === undefined ? 'choose a run first' : undefined;
  const needsLeave = needsRun ?? refusal;
  const step = run?.steps.find((step) => step.name === name);
  const stepOver = step !== undefined && step.status !== 'PENDING' && step.status !== 'RUNNING';
  const on = (act: (id: string) => Promise<unknown>) => async () => {
    if (id !== undefined) await act(id);
  };
  return [
    {
      id: 'pause',
      label: 'Pause',
      title: 'Pause the run',
      ...because(needsLeave ?? (over ? 'it has ended' : status === 'PAUSED' ? 'it is paused' : undefined)),
      run: on((id) => storage.pause(id)),
    },
    {
      id: 'resume',
      label: 'Resume',
      title: 'Resume the run',
      ...because(needsLeave ?? (status === 'PAUSED' ? undefined : 'it is not paused')),
      run: on((id) => storage.resume(id)),
    },
    {
      id: 'cancel',
      label: 'Cancel',
      title: 'Cancel the run',
      ...because(needsLeave ?? (over ? 'it has ended' : undefined)),
      run: on((id) => storage.cancel(id)),
    },
    {
      id: 'retry',
      label: 'Retry',
      title: 'Retry the run',
      ...because(needsLeave ?? (status === 'FAILED' || status === 'CANCELLED' ? undefined : 'it has not failed')),
      run: on((id) => storage.retry(id)),
    },
    {
      id: 'rerun',
      label: 'Rerun from here',
      title: 'Rerun from this step',
      ...because(
        needsLeave ?? (step === undefined ? 'choose a step first' : stepOver ? undefined : 'the step has not ended'),
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

function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
