import type { Definition } from '../core/definition.ts';
import type { Graph } from '../core/graph.ts';
import type { StandardSchema } from '../core/schema.ts';
import type { DispatchOptions } from '../core/workflow.ts';

/** A workflow of any input and result, as far as a service asks it for something. */
export interface AnyWorkflow extends Definition {
  readonly version: string | undefined;
  readonly input: StandardSchema;
  dispatch(input: never, options: DispatchOptions): Promise<{ readonly id: string }>;
  graph(): Graph & { readonly hash: string };
}
