import { charge, childCases, forgiving, hasty, nested, ordering, pack } from './children.ts';
import type { FeatureCase } from './ground.ts';
import { failing, listCases, listing } from './lists.ts';
import { counting, loopCases } from './loops.ts';
import { progressCases, striding } from './progress.ts';
import { streamCases, talking } from './streams.ts';
import { approvals, approve, patient, waiting, waitingCases } from './waiting.ts';

/** The workflows of all cases: what a service has to know that serves them. */
export const workflows = [
  waiting,
  patient,
  approve,
  approvals,
  counting,
  talking,
  striding,
  listing,
  failing,
  charge,
  pack,
  ordering,
  forgiving,
  hasty,
  nested,
];

/** What steps of other kinds promise, the same on every storage. */
export const features: readonly FeatureCase[] = [
  ...waitingCases,
  ...loopCases,
  ...streamCases,
  ...progressCases,
  ...listCases,
  ...childCases,
];
