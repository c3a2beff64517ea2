export { type Bracket, bracket, type Data, type Open } from './bracket.ts';
export {
  type CorpusCase,
  type CorpusEdge,
  type CorpusExpectation,
  type CorpusNote,
  type CorpusOutcome,
  type CorpusStep,
  type CorpusWorkflow,
  checkCorpus,
  corpusWorkflow,
  judgeCorpus,
  parseCorpus,
} from './corpus.ts';
export { type LastCommit, MortalStore } from './dead-store.ts';
export { type FaultCounts, type Faults, FaultyStore } from './faulty-store.ts';
export { type Random, seeded } from './random.ts';
export {
  SimulationFailed,
  type SimulationOptions,
  type SimulationReport,
  simulate,
} from './simulation/simulate.ts';
export { type Simulated, type SimulatedOptions, simulated } from './simulation/simulated.ts';
export { type Unfitness, WorkflowUnfit } from './simulation/unfit.ts';
export { type ContractCase, storeContract } from './store-contract.ts';
export { type ModelTestOptions, modelTest } from './store-model.ts';
export { type TestRun, type TestRunOptions, testRun } from './test-run.ts';
export type { AnyFakes, Call, Fake, FakeAttempt, FakeContext, Fakes } from './test-run-fakes.ts';
export type { JournalLine } from './test-run-journal.ts';
export { VirtualHost, type VirtualHostOptions } from './virtual-host.ts';
