import type { RunState } from '../../core/run-state.ts';
import { demand } from './violation.ts';

type Told = Pick<RunState, 'createdAt' | 'seq'>;

/** Somebody who listens to runs: hears every entry of a journal once, in order, whatever else its process does with the run. */
export class Follower {
  readonly #last = new Map<string, Told>();

  hear(run: string, { createdAt, seq }: Told): void {
    const last = this.#last.get(run);
    this.#last.set(run, { createdAt, seq });
    // Made again after it was removed, it is another run.
    if (last?.createdAt !== createdAt) return;
    demand(
      seq === last.seq + 1,
      'an entry is told once, and in order',
      () => `entry ${seq} of ${run} is told after entry ${last.seq}`,
    );
  }

  /** Holds what was heard of a run against what there is, once it was looked at. */
  missedNothing(run: string, { createdAt, seq }: Told): void {
    const last = this.#last.get(run);
    demand(
      last?.createdAt !== createdAt || last.seq === seq,
      'an entry is told once, and in order',
      () => `${run} has come to entry ${seq}, and entry ${last?.seq} is the last that was told`,
    );
  }
}
