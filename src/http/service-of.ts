import { checkSignal, definitionFor } from '../core/definition.ts';
import { FuselineError, RunFailedError } from '../core/errors.ts';
import type { RunState } from '../core/run-state.ts';
import type { RuntimeStorage } from '../core/storage.ts';
import type { HistoryEvent } from '../core/views.ts';
import type { AnyWorkflow } from './any-workflow.ts';
import type { Command, HistoryPage, HistoryQuery, OnceSignal, Order, RunResult } from './run-service.ts';
import type { Service } from './service.ts';
import { decoded, workersOf } from './workers-of.ts';

/** The service over a storage of this process. */
export function serviceOf(workflows: readonly AnyWorkflow[], storage: RuntimeStorage): Service {
  return {
    ...workersOf(workflows, storage),
    async dispatch({ workflow: name, version, input, ...options }: Order) {
      const workflow = workflows.find((one) => one.name === name && (version === undefined || one.version === version));
      if (!workflow) {
        const which = version === undefined ? '' : ` of version ${JSON.stringify(version)}`;
        throw new FuselineError(
          'UNKNOWN_WORKFLOW',
          `no workflow ${JSON.stringify(name)}${which} is served here; there are ${workflows.map((one) => one.name).join(', ')}`,
        );
      }
      const { id } = await workflow.dispatch(input as never, { storage, ...options });
      return { id };
    },
    get: (run) => storage.get(run),
    list: (query) => storage.list(query),
    async result(run, waitMs) {
      await waited(storage, run, waitMs, (state) => state.ended !== undefined);
      return resultOf(storage, run);
    },
    history: (run, query) => historyPage(storage, run, query),
    explain: (run, step) => storage.explain(run, step),
    export: (run) => storage.export(run),
    command: (run, command) => obey(workflows, storage, run, command),
    signalOnce: (run, signal) => signalOnce(workflows, storage, run, signal),
    remove: (run) => storage.remove(run),
    // What its secret hashes to is nobody's who only looks.
    workers: async () => (await storage.workers()).map(({ proof: _, ...worker }) => worker),
  };
}

/** Resolves when the run is as `until` says, or after `waitMs`. */
async function waited(
  storage: RuntimeStorage,
  run: string,
  waitMs: number,
  until: (state: RunState) => boolean,
): Promise<void> {
  if (waitMs === 0) return;
  const { host, lookMs } = storage;
  const end = host.monotonic() + waitMs;
  let isReached = false;
  let wake: () => void = () => undefined;
  // Listened to before it is looked at, so that nothing comes in between.
  const unlisten = storage.listen(run, (state) => {
    if (!until(state)) return;
    isReached = true;
    wake();
  });
  try {
    // And looked at now and then, because what somebody else wrote may be told to nobody.
    while ((await storage.peek(run, until)) === false && !isReached) {
      const left = end - host.monotonic();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const cancel = host.after(Math.min(left, lookMs), resolve);
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
  } finally {
    unlisten();
  }
}

async function resultOf(storage: RuntimeStorage, run: string): Promise<RunResult> {
  const status = await storage.status(run);
  if (status !== 'SUCCEEDED' && status !== 'FAILED' && status !== 'CANCELLED') return { status };
  try {
    const value = await storage.result(run);
    return { status: 'SUCCEEDED', ...(value !== undefined && { value: storage.codec.encode(value) }) };
  } catch (error) {
    if (!(error instanceof RunFailedError) || status === 'SUCCEEDED') throw error;
    const { code, message } = error;
    const failures = error.failures.map(({ step, attempt, error: { message: why } }) => ({
      step,
      attempt,
      message: why,
    }));
    return { status, error: { code, message, failures } };
  }
}

async function historyPage(
  storage: RuntimeStorage,
  run: string,
  { from, limit, waitMs }: HistoryQuery,
): Promise<HistoryPage> {
  await waited(storage, run, waitMs, (state) => state.seq >= from || state.ended !== undefined);
  // Read first: an end found here has its events among them.
  const status = await storage.status(run);
  const events: HistoryEvent[] = [];
  for await (const event of storage.history(run, { from })) {
    if (events.length >= limit && event.seq !== events.at(-1)?.seq) return { events, status, next: event.seq };
    events.push(event);
  }
  return { events, status };
}

async function obey(
  workflows: readonly AnyWorkflow[],
  storage: RuntimeStorage,
  run: string,
  command: Command,
): Promise<void> {
  const options = command.id === undefined ? {} : { id: command.id };
  switch (command.type) {
    case 'cancel':
      return storage.cancel(run, options);
    case 'pause':
      return storage.pause(run, options);
    case 'resume':
      return storage.resume(run, options);
    case 'retry':
      return storage.retry(run, options);
    case 'enqueue':
      return storage.enqueue(run, command.step, { ...options, ...(command.force && { force: command.force }) });
    case 'signal': {
      const { name, text } = command;
      const payload = text === undefined ? command.payload : decoded(storage.codec, text);
      const definition = await storage.peek(run, ({ created, graph }) => definitionFor(workflows, created, graph));
      if (definition) await checkSignal(definition, name, payload);
      return storage.signal(run, name, payload, options);
    }
  }
}

async function signalOnce(
  workflows: readonly AnyWorkflow[],
  storage: RuntimeStorage,
  run: string,
  { id, name, text }: OnceSignal,
): Promise<'sent' | 'used'> {
  const sent = () => storage.peek(run, ({ signals }) => signals.find((one) => one.id === id)?.payload);
  if ((await sent()) !== undefined) return 'used';
  await obey(workflows, storage, run, { type: 'signal', id, name, text });
  // Of two that come at the same moment one is recorded, and only its sender may be told so.
  const stored = await sent();
  const isOurs =
    stored !== undefined && (await storage.text(run, stored)) === storage.codec.encode(decoded(storage.codec, text));
  return isOurs ? 'sent' : 'used';
}
