import type { RunService } from './run-service.ts';
import type { WorkerService } from './worker-service.ts';

/** Everything that can be asked from far away. */
export interface Service extends RunService, WorkerService {}
