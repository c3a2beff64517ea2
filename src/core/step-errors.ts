import type { ErrorCode, ErrorRecord } from './errors.ts';
import { type CompiledStep, type GraphStep, MAX_DEPTH, signalOf } from './graph.ts';
import type { RunState } from './run-state.ts';

// What a step fails of that no handler has thrown, as it is recorded.

export function timeoutError(state: RunState, step: number): ErrorRecord {
  const { name, timeoutMs } = specOf(state, step);
  return recorded('STEP_TIMEOUT', `step ${JSON.stringify(name)} did not finish within ${timeoutMs} ms`);
}

export function workerLostError(state: RunState, step: number, losses: number): ErrorRecord {
  const { name } = specOf(state, step);
  return recorded('WORKER_LOST', `step ${JSON.stringify(name)} took its worker down ${losses} times`);
}

export function noSignalError(state: RunState, step: number): ErrorRecord {
  const spec = specOf(state, step);
  const signal = JSON.stringify(signalOf(spec));
  return recorded(
    'SIGNAL_TIMEOUT',
    `step ${JSON.stringify(spec.name)} was sent no signal ${signal} within ${spec.forMs} ms`,
  );
}

export function childTimeoutError(state: RunState, step: number): ErrorRecord {
  const { name, forMs } = specOf(state, step);
  const child = state.children.get(step)?.child;
  return recorded(
    'STEP_TIMEOUT',
    `run ${child}, which step ${JSON.stringify(name)} waits for, did not end within ${forMs} ms`,
  );
}

export function depthError(state: RunState, step: number): ErrorRecord {
  const { name } = specOf(state, step);
  return recorded(
    'CHILD_DEPTH',
    `step ${JSON.stringify(name)} would have a workflow run below ${MAX_DEPTH} others; a workflow that has itself run must come to an end before`,
  );
}

export function loopError(state: RunState, step: number, rounds: number): ErrorRecord {
  const { name } = specOf(state, step);
  return recorded('LOOP_LIMIT', `step ${JSON.stringify(name)} did not have enough after ${rounds} rounds`);
}

export function itemError(state: RunState, item: number, cause: ErrorRecord): ErrorRecord {
  const { name } = specOf(state, item);
  const message = `item ${state.itemOf(item)} of step ${JSON.stringify(name)} failed: ${cause.message}`;
  return { ...recorded('ITEM_FAILED', message), cause };
}

/** A worker from afar may report what no step of this kind does. */
export function notSuchError(
  state: RunState,
  step: number,
  kind: 'sleep' | 'loop' | 'spread' | 'run a workflow',
): ErrorRecord {
  const { name } = specOf(state, step);
  return {
    name: 'TypeError',
    message: `step ${JSON.stringify(name)} was reported to ${kind}, and is no step that does`,
  };
}

function recorded(code: ErrorCode, message: string): ErrorRecord {
  return { name: 'FuselineError', code, message };
}

function specOf(state: RunState, step: number): GraphStep {
  return (state.steps[step] as CompiledStep).spec;
}
