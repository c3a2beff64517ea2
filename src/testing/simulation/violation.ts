/** Which promise was broken. */
export type Invariant =
  | 'one recorded result per claim'
  | 'one claim at a time'
  | 'one body per claim'
  | 'no step before its needs'
  | 'what follows is recorded at once'
  | 'a recorded result is what its body handed back'
  | 'a body receives what was recorded'
  | 'once is once'
  | 'the rows say what the journal says'
  | 'the fold of the journal equals the state'
  | 'a loss counts only alone'
  | 'no claim without a session'
  | 'nobody who works is taken for dead'
  | 'time does not run backwards'
  | 'a run ends as its steps did'
  | 'a command is recorded once'
  | 'an entry is told once, and in order'
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
