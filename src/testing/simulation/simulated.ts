import type { Named } from '../../core/builder.ts';
import type { Definition } from '../../core/definition.ts';
import type { Workflow } from '../../index.ts';
import { type AnyFakes, checkFakes, type Fakes } from '../test-run-fakes.ts';

/** A workflow of one's own in simulated worlds. */
export interface Simulated {
  readonly workflow: Definition;
  /** Of every run; encoded as it is, without validation. */
  readonly input?: unknown;
  /** What stands in for handlers. */
  readonly steps?: AnyFakes;
  /** What comes with the signals its steps wait for, by the signal's name; encoded as it is. */
  readonly signals?: Readonly<Record<string, unknown>>;
}

export interface SimulatedOptions<In, Steps extends Named> {
  readonly input?: In;
  /** What stands in for the handlers of steps the output depends on. Every other handler runs as it is. */
  readonly steps?: Fakes<Steps>;
  /** The same for steps whose names types do not know, because the output does not depend on them. */
  readonly also?: AnyFakes;
  /** What is sent where a step waits for a signal, by the signal's name. */
  readonly signals?: Readonly<Record<string, unknown>>;
}

/**
 * A workflow as `simulate` takes it, with fakes typed by the step. `fuseline simulate FILE` finds it among the exports
 * of the file.
 */
export function simulated<In, Out, Steps extends Named>(
  workflow: Workflow<In, Out, Steps>,
  { input, steps, also, signals = {} }: SimulatedOptions<NoInfer<In>, Steps> = {},
): Simulated {
  const fakes: AnyFakes = { ...also, ...(steps as AnyFakes | undefined) };
  checkFakes(workflow, fakes);
  return { workflow, input, steps: fakes, signals };
}
