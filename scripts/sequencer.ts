import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that mostly wait: for a silence to be noticed, for tabs and processes that begin and end. */
const WAITING = /\/(browser\/tabs\/.*|process\/(far|exits|stopped|poison|crash\/asleep))\.test\.ts$/;

/** One file that waits to every two that compute, where those after each other would leave the processors idle. */
export class Interleaved extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waiting = sorted.filter(({ moduleId }) => WAITING.test(moduleId));
    const others = sorted.filter(({ moduleId, pool }) => !WAITING.test(moduleId) && pool !== 'browser');
    return [
      ...others.flatMap((file, i) => (i % 2 === 0 ? [file] : [file, ...waiting.splice(0, 1)])),
      ...waiting,
      // Vitest has a queue of its own for them, after this one.
      ...sorted.filter(({ pool }) => pool === 'browser'),
    ];
  }
}
