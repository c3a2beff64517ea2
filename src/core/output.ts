import { type Found, findSource, hasValue } from './claims.ts';
import { failuresOf } from './edges.ts';
import type { ErrorRecord } from './errors.ts';
import { RunFailedError, rebuildError } from './errors.ts';
import type { CompiledStep, Source } from './graph.ts';
import type { RunState } from './run-state.ts';

/** Where a run's output stands, once it has succeeded. */
export type Output =
  | { readonly kind: 'none'; readonly found: readonly [] }
  | { readonly kind: 'one'; readonly found: Found }
  | { readonly kind: 'record'; readonly found: readonly (readonly [string, Found | undefined])[] };

/** Throws the `RunFailedError` of a run that ended otherwise. */
export function readOutput(run: string, state: RunState): Output {
  if (state.ended !== 'SUCCEEDED') throw runFailed(run, state);
  const { output } = state.graph.graph;
  if (output === undefined) return { kind: 'none', found: [] };
  const find = (source: Source) => (hasValue(state, source) ? findSource(state, source) : undefined);
  if ('record' in output)
    return { kind: 'record', found: output.record.map(([key, source]) => [key, find(source)] as const) };
  const found = find(output);
  if (found) return { kind: 'one', found };
  const step = 'step' in output ? `step ${JSON.stringify(output.step)}` : 'its output';
  throw new RunFailedError(
    'NO_OUTPUT',
    run,
    `run ${run} succeeded without an output: ${step} lies on a road not taken; declare a record of outputs to get undefined instead`,
    [],
  );
}

function runFailed(run: string, state: RunState): RunFailedError {
  const failures = failuresOf(state).map((step) => ({
    step: (state.graph.steps[step] as CompiledStep).spec.name,
    attempt: state.attempt[step] as number,
    error: rebuildError(state.error[step] as ErrorRecord),
  }));
  const first = failures[0];
  if (state.ended === 'CANCELLED')
    return new RunFailedError('RUN_CANCELLED', run, `run ${run} was cancelled`, failures);
  if (state.timedOut)
    return new RunFailedError('RUN_TIMEOUT', run, `run ${run} was not done by its deadline`, failures);
  return new RunFailedError(
    'RUN_FAILED',
    run,
    first
      ? `run ${run} failed: step ${JSON.stringify(first.step)}, attempt ${first.attempt}: ${first.error.message}`
      : `run ${run} failed: steps it needs stay cancelled; retry it to take them up as well`,
    failures,
  );
}
