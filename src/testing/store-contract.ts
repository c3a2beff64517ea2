import type { Open } from './bracket.ts';
import { batchCases } from './contract/batches.ts';
import { handleCases } from './contract/handles.ts';
import { hintCases } from './contract/hints.ts';
import { limitCases } from './contract/limits.ts';
import { orderCases } from './contract/order.ts';
import { raceCases } from './contract/races.ts';

/** One promise of the store port. */
export interface ContractCase {
  readonly name: string;
  /** Fails by throwing. Every case wants data of its own. */
  run(open: Open): Promise<void>;
}

/**
 * What every `Store` promises, as data: run each case in a bracket, in whatever test runner and wherever the store
 * lives.
 *
 * ```ts
 * for (const { name, run } of storeContract) test(name, () => inMyBackend(run));
 * ```
 */
export const storeContract: readonly ContractCase[] = [
  ...batchCases,
  ...orderCases,
  ...limitCases,
  ...handleCases,
  ...raceCases,
  ...hintCases,
];
