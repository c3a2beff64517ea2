import type { RuntimeStorage } from 'fuseline';
import { approvals, approve, waiting, waitingCases } from './waiting.ts';

/** What a storage is tried with: one that is opened as often as it is asked for, always the same. */
export interface Ground {
  open(): RuntimeStorage;
}

export interface FeatureCase {
  readonly name: string;
  /** Throws where the storage does not keep what is promised. Whoever opens a storage closes it. */
  readonly run: (ground: Ground) => Promise<void>;
}

/** The workflows of all cases: what a service has to know that serves them. */
export const workflows = [waiting, approve, approvals];

/** What steps of other kinds promise, the same on every storage. */
export const features: readonly FeatureCase[] = [...waitingCases];
