import type {
  FarAnswer,
  FarGrant,
  FarNews,
  FarOrder,
  FarPage,
  FarReport,
  FarRequest,
  FarRow,
  FarWorker,
} from '../adapters/http/wire.ts';
import type { Key, Range } from '../core/store.ts';

/**
 * What workers and storages ask from far away. `proof` is what a worker's secret hashes to. Whatever is asked twice is
 * done once.
 */
export interface WorkerService {
  /** Records a run of a graph that is served, with an input its schema takes as it is. */
  create(order: FarOrder): Promise<{ readonly id: string }>;
  register(worker: FarWorker, proof: string): Promise<void>;
  /** Claims what a worker can run, of one run or of all. Waits for nothing. */
  fetch(worker: string, proof: string, request: FarRequest & { readonly run?: string }): Promise<FarGrant>;
  /** Rejects with `FORBIDDEN`, and records nothing, if a secret is not that of its claim. */
  report(worker: string, reports: readonly FarReport[]): Promise<readonly FarAnswer[]>;
  /** The worker lives. `held`: only those who keep these claims need to hear it; everybody where there are none. */
  beat(worker: string, proof: string, held: readonly string[]): Promise<void>;
  leave(worker: string, proof: string): Promise<void>;
  /** `most`: characters in the answer, 8 Mi unless told. What it has no room for is left off at the end, to be asked for again. */
  read(keys: readonly Key[], most?: number): Promise<readonly FarRow[]>;
  /** Of ranges there is no room for, the pages are empty and cut. The first row always has room. */
  scan(ranges: readonly Range[], most?: number): Promise<readonly FarPage[]>;
  /** What has changed since the cursor; waits for it, but not longer than told. Of one asker, only the last one waits. */
  news(asker: string, cursor: string | undefined, waitMs: number): Promise<FarNews>;
}
