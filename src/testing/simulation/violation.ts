/** Which promise was broken. */
export type Invariant =
  // proves: result.once, result.stale, step.final
  | 'one recorded result per claim'
  // proves: claim.exclusive, pause.claims, rerun.old-body
  | 'one claim at a time'
  // proves: result.kept
  | 'one body per claim'
  // proves: ready.all, ready.dead, any.winner, rerun.any
  | 'no step before its needs'
  // proves: journal.at-once
  | 'what follows is recorded at once'
  // proves: values.recorded
  | 'a recorded result is what its body handed back'
  // proves: values.recorded
  | 'a body receives what was recorded'
  // proves: context.once
  | 'once is once'
  // proves: waiting.unheld
  | 'what waits is held by nobody'
  // proves: waiting.time
  | 'what waits ends in time'
  // proves: signal.one-step, signal.order
  | 'a signal goes to one step'
  // proves: child.once, child.result, child.cancelled
  | 'one run per call'
  | 'a loop ends in time'
  | 'every item once'
  | 'what is emitted is recorded once, and in order'
  | 'the rows say what the journal says'
  // proves: journal.alone
  | 'the fold of the journal equals the state'
  // proves: lost.company
  | 'a loss counts only alone'
  | 'no claim without a session'
  // proves: worker.alive
  | 'nobody who works is taken for dead'
  // proves: journal.time
  | 'time does not run backwards'
  // proves: end.final, end.succeeded, end.failed
  | 'a run ends as its steps did'
  // proves: command.once
  | 'a command is recorded once'
  | 'an entry is told once, and in order'
  // proves: journal.end
  | 'every run that can end does'
  | 'nothing is left behind'
  | 'a worker goes on'
  | 'the same seed is the same world';

/** Thrown where the world finds one of its promises broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export function demand(holds: boolean, invariant: Invariant, what: () => string): asserts holds {
  if (!holds) throw new Violation(invariant, what());
}
