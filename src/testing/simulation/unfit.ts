export type Unfitness = 'waits for the real world' | 'waits for a signal' | 'never succeeds';

/** Worlds cannot say anything about a workflow as it is: a body leaves virtual time, nobody sends what a step waits for, or none of its runs gets to its end. */
export class WorkflowUnfit extends Error {
  override readonly name = 'WorkflowUnfit';
  readonly reason: Unfitness;
  readonly workflow: string;
  readonly step: string | undefined;

  constructor(reason: Unfitness, workflow: string, step: string | undefined, message: string) {
    super(message);
    this.reason = reason;
    this.workflow = workflow;
    this.step = step;
  }
}
