export {
  defineGraph,
  MemoryStorage,
  type MemoryStorageOptions,
  MemoryStore,
  openExport,
  PoolEngine,
  type PoolOptions,
  workflow,
} from './adapters/memory/index.ts';
export type {
  Any,
  Branch,
  Builder,
  Conditional,
  Defaults,
  EachOptions,
  Edge,
  ItemOutcome,
  LoopOptions,
  Named,
  Needs,
  Outcome,
  Ref,
  Retry,
  SleepOptions,
  Step,
  StepOptions,
  Trail,
  Values,
  WaitOptions,
} from './core/builder.ts';
export type { Claim, Found, Granted } from './core/claims.ts';
export { type Codec, portable } from './core/codec.ts';
export type { Context } from './core/context.ts';
export type { ClaimRequest, HeldFence, Verdict } from './core/decide.ts';
export type { Definition, Handler } from './core/definition.ts';
export type { Duration } from './core/duration.ts';
export type { Employer, Watch } from './core/employer.ts';
export type { EngineEvents } from './core/engine-events.ts';
export {
  type ErrorCode,
  type ErrorRecord,
  FuselineError,
  NonRetryableError,
  RetryAfterError,
  RunFailedError,
  type StepFailure,
} from './core/errors.ts';
export type { CancelReason, EndStatus, Event, Fence, JournalEntry, SkipReason, Stored } from './core/events.ts';
export type { Stranded } from './core/explain.ts';
export type {
  CompiledGraph,
  Edge as GraphEdge,
  Graph,
  GraphStep,
  Need,
  Requirement,
  RetryPolicy,
  Road,
  Source,
} from './core/graph.ts';
export type { RunHandle } from './core/handle.ts';
export type { AbortControllerLike, Host, Liveness, Network, Signal } from './core/host.ts';
export { workerName } from './core/ids.ts';
export type { RunQuery } from './core/listing.ts';
export { type Live, type LiveRun, type LiveRuns, liveRun, liveRuns } from './core/live.ts';
export { type EngineOptions, ProcessEngine, type WorkReport } from './core/process-engine.ts';
export type { Keep } from './core/retention.ts';
export type { RunPage, StreamPart } from './core/run-reader.ts';
export type { RunStatus } from './core/run-state.ts';
export { type StandardSchema, typed } from './core/schema.ts';
export type { Session, Worker } from './core/sessions.ts';
export { type CommandOptions, type NewRun, type NewWorker, RuntimeStorage, type StorageParts } from './core/storage.ts';
export type { Batch, CommitResult, Entry, Hint, Key, Range, Store, StoreLimits, Version } from './core/store.ts';
export type { HistoryEvent, RunExport, RunSummary, RunView, StepStatus, StepView } from './core/views.ts';
export type { DispatchOptions, GraphHandler, Workflow, WorkflowOptions } from './core/workflow.ts';
