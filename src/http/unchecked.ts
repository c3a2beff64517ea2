import { checksNothing } from '../core/schema.ts';
import type { AnyWorkflow } from './any-workflow.ts';

/** Says which workflows take whatever comes: over HTTP, no compiler has seen to it that it is what they expect. */
export function sayUnchecked(workflows: readonly AnyWorkflow[]): void {
  const names = workflows.filter(takesAnything).map(({ name }) => name);
  if (names.length === 0) return;
  console.warn(
    `fuseline: nothing checks the input of ${names.join(', ')}; give workflow() a schema as its input, of zod for example`,
  );
}

function takesAnything({ input, compiled }: AnyWorkflow): boolean {
  return checksNothing(input) && compiled.steps.some(({ spec }) => spec.needs?.some(({ from }) => from === 'input'));
}
