import { claimKey } from './run-state.ts';
import type { Host } from './host.ts';
import type { RuntimeStorage } from './storage.ts';
import { BEAT_MS } from './sessions.ts';

/** How often a worker looks at what the others hold: for claims without a session, and for those that outlive their timeout. */
const ROUND_MS = 5_000;
/** The holder enforces a timeout first; others only after having watched the claim this much longer. */
const TIMEOUT_GRACE_MS = 5_000;
const ORPHANS_MS = 30_000;

export interface WatchReport {
  readonly lost: (worker: string) => void;
  /** This worker's own session is gone. */
  readonly gone: () => void;
  readonly error: (error: unknown) => void;
}

/** What one worker does for all: notices who died, who hangs, and says that it lives itself. */
export class Watchman {
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #worker: string;
  readonly #report: WatchReport;
  readonly #reaping = new Set<string>();
  readonly #seen = new Map<string, number>();
  #unseen = false;
  #roundAt = Number.NEGATIVE_INFINITY;
  #orphansAt = Number.NEGATIVE_INFINITY;
  #beatAt = 0;
  #looking: Promise<void> | undefined;

  constructor(storage: RuntimeStorage, worker: string, report: WatchReport) {
    this.#storage = storage;
    this.#host = storage.host;
    this.#worker = worker;
    this.#report = report;
    this.#beatAt = this.#host.monotonic();
  }

  /** One look at the others; `holding` is whether this worker holds claims. */
  look(holding: boolean): Promise<void> {
    this.#looking ??= this.#look(holding)
      .catch((error) => this.#report.error(error))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(holding: boolean): Promise<void> {
    const { sessions } = this.#storage;
    this.#unseen = (await sessions.watch(this.#worker, (worker) => this.#reap(worker))) === 'unseen';
    const now = this.#host.monotonic();
    if (holding && this.#unseen && now - this.#beatAt >= BEAT_MS) {
      this.#beatAt = now;
      if ((await sessions.beat(this.#worker)) === 'gone') this.#report.gone();
    } else if (holding && !(await sessions.isAlive(this.#worker))) {
      this.#report.gone();
    }
    if (now - this.#orphansAt >= ORPHANS_MS) {
      this.#orphansAt = now;
      for (const worker of await sessions.orphans()) this.#reap(worker);
    }
    if (now - this.#roundAt >= ROUND_MS) {
      this.#roundAt = now;
      await this.#round(now);
    }
  }

  #reap(worker: string): void {
    if (worker === this.#worker || this.#reaping.has(worker)) return;
    this.#reaping.add(worker);
    this.#storage
      .reap(worker)
      .then(() => this.#report.lost(worker), (error) => this.#report.error(error))
      .finally(() => this.#reaping.delete(worker));
  }

  /** Enforces the timeouts of claims whose holder does not. */
  async #round(now: number): Promise<void> {
    const present = new Set<string>();
    for (const run of await this.#storage.sessions.runsHeldByOthers(this.#worker)) {
      const claims = await this.#storage.peek(run, (state) =>
        state.running().flatMap((step) => {
          const timeout = state.graph.steps[step]?.spec.timeoutMs;
          return timeout === undefined || state.worker[step] === this.#worker ? [] : [{ claim: state.claimOf(step), timeout }];
        }),
      );
      for (const { claim, timeout } of claims ?? []) {
        const key = `${run}/${claimKey(claim)}`;
        present.add(key);
        const since = this.#seen.get(key) ?? now;
        this.#seen.set(key, since);
        if (now - since >= timeout + TIMEOUT_GRACE_MS) await this.#storage.expire(run, claim);
      }
    }
    for (const key of this.#seen.keys()) if (!present.has(key)) this.#seen.delete(key);
  }
}
