export {
  DurableObjectStorage,
  type DurableObjectStorageOptions,
} from '../adapters/durable-object/durable-object-storage.ts';
export {
  DurableObjectStore,
  type DurableObjectStoreOptions,
  type DurableObjectStoreStats,
} from '../adapters/durable-object/durable-object-store.ts';
export type { AnyWorkflow } from '../http/any-workflow.ts';
export { type Auth, type BearerSecrets, bearer, type Caller, type Known, type Role } from '../http/auth.ts';
export type { LinkOptions } from '../http/links.ts';
export type {
  Command,
  HistoryPage,
  HistoryQuery,
  OnceSignal,
  Order,
  ResultError,
  RunResult,
  RunService,
} from '../http/run-service.ts';
export type { Answer } from './answer.ts';
export { durableWorkflows, type Edge, type EdgeOptions } from './durable-workflows.ts';
export type { ObjectOptions, RunsObject } from './runs-object.ts';
