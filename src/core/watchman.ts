import type { Employer, Watch } from './employer.ts';
import { FuselineError } from './errors.ts';
import type { Host, Liveness } from './host.ts';
import { claimKey } from './run-state.ts';
import type { Worker } from './sessions.ts';
import type { RuntimeStorage } from './storage.ts';

/**
 * How often a worker that others cannot watch says that it lives, and how long they listen before they give it up: while
 * it holds claims, and while all that depends on it is whether steps are shown as stranded.
 */
const BEAT_MS = { holding: 5_000, idle: 60_000 } as const;
const SILENCE_MS = { holding: 30_000, idle: 300_000 } as const;
/** How often the claims of others are looked at for those that outlive their timeout, and for those nobody holds. */
const ROUND_MS = 5_000;
const ORPHANS_MS = 30_000;
/** The holder enforces a timeout first; others only after having watched the claim this much longer. */
const TIMEOUT_GRACE_MS = 5_000;
/** Asked for no look for so long, it looks by itself: claiming on a slow store must not keep a worker silent, nor deaf. */
const UNASKED_MS = 2_000;

/** What one worker does for all: notices who died and who hangs, and says that it lives itself. */
export class Watchman implements Watch {
  readonly #storage: RuntimeStorage;
  readonly #host: Host;
  readonly #liveness: Liveness | undefined;
  readonly #employer: Employer;
  readonly #watched = new Map<string, () => void>();
  readonly #heard = new Map<
    string,
    { version: Worker['version']; silenceMs: number; since: number; lookedAt: number }
  >();
  readonly #reaping = new Map<string, Promise<unknown>>();
  /** Since when a claim of somebody else has been seen. */
  readonly #seen = new Map<string, number>();
  #looking: Promise<void> | undefined;
  #cancelNext: (() => void) | undefined;
  #caring: Promise<void> | undefined;
  #roundAt = Number.NEGATIVE_INFINITY;
  #orphansAt = Number.NEGATIVE_INFINITY;
  /** When it last said that it lives; registering says so, too. */
  #beatAt: number | undefined;

  constructor(storage: RuntimeStorage, employer: Employer) {
    this.#storage = storage;
    this.#host = storage.host;
    this.#liveness = storage.liveness;
    this.#employer = employer;
  }

  look(): Promise<void> {
    this.#cancelNext?.();
    this.#looking ??= this.#look()
      .catch(this.#employer.error)
      .finally(() => {
        this.#looking = undefined;
        this.#cancelNext = this.#host.after(UNASKED_MS, () => void this.look());
      });
    return this.#looking;
  }

  async reaped(): Promise<boolean> {
    const reaping = [...this.#reaping.values()];
    await Promise.all(reaping);
    return reaping.length > 0;
  }

  async close(): Promise<void> {
    await this.#looking;
    this.#cancelNext?.();
    await this.#caring;
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
  }

  async #look(): Promise<void> {
    const { sessions } = this.#storage;
    const { id: self, holds } = this.#employer.self();
    const workers = await sessions.list();
    const holders = await sessions.holders();
    const unseen = this.#watch(
      workers.filter(({ id }) => id !== self),
      holders,
    );
    const now = this.#host.monotonic();
    if (self !== undefined) {
      this.#beatAt ??= now;
      const mine = workers.find(({ id }) => id === self);
      if (!mine || mine.deadWith !== undefined) this.#employer.disowned();
      else if (unseen && now - this.#beatAt >= BEAT_MS[holds ? 'holding' : 'idle']) {
        const said = await sessions.beat(self);
        if (said === 'gone') this.#employer.disowned();
        // What nobody heard is said again at the next look.
        else if (said === 'heard') this.#beatAt = now;
      }
    }
    for (const { id } of workers) holders.delete(id);
    // Beside the next looks: it waits for the runs of others, and who waits long does not hear that it was given up.
    this.#caring ??= this.#care(self, holders)
      .catch(this.#employer.error)
      .finally(() => {
        this.#caring = undefined;
      });
  }

  /** Now and then: frees what nobody holds, and what is held for too long. `orphans`: holders without a session. */
  async #care(self: string | undefined, orphans: ReadonlySet<string>): Promise<void> {
    const now = this.#host.monotonic();
    if (now - this.#orphansAt >= ORPHANS_MS) {
      this.#orphansAt = now;
      // A session that was registered since the list was read has its claims from after it.
      for (const orphan of orphans) if (!(await this.#storage.sessions.isAlive(orphan))) this.#reap(orphan);
    }
    if (now - this.#roundAt >= ROUND_MS) {
      this.#roundAt = now;
      await this.#enforceTimeouts(self, now);
    }
  }

  /** Watches the new ones, listens for those of whom watching does not tell enough. Answers whether there are such. */
  #watch(others: readonly Worker[], holders: ReadonlySet<string>): boolean {
    let unseen = false;
    for (const worker of others) {
      const { id, evidence, deadWith } = worker;
      if (deadWith !== undefined) {
        this.#reap(id);
        continue;
      }
      const watched = this.#watched.has(id);
      const stop =
        watched || evidence === undefined ? undefined : this.#liveness?.watch(evidence, () => this.#reap(id));
      if (stop) this.#watched.set(id, stop);
      if ((watched || stop) && this.#liveness?.heartbeats !== 'always') continue;
      unseen = true;
      if (this.#isSilent(worker, SILENCE_MS[holders.has(id) ? 'holding' : 'idle'])) this.#reap(id, worker.version);
    }
    const present = new Set(others.map(({ id }) => id));
    for (const [id, stop] of this.#watched) {
      if (present.has(id)) continue;
      stop();
      this.#watched.delete(id);
    }
    for (const id of this.#heard.keys()) if (!present.has(id)) this.#heard.delete(id);
    return unseen;
  }

  // By this observer's own clock, and only if it looked regularly: who slept cannot say that the other was silent.
  #isSilent({ id, version }: Worker, silenceMs: number): boolean {
    const now = this.#host.monotonic();
    const last = this.#heard.get(id);
    if (last?.version !== version || last.silenceMs !== silenceMs || now - last.lookedAt > BEAT_MS.holding * 2) {
      this.#heard.set(id, { version, silenceMs, since: now, lookedAt: now });
      return false;
    }
    last.lookedAt = now;
    return now - last.since >= silenceMs;
  }

  /** `silent`: the last that was heard of it. */
  #reap(worker: string, silent?: Worker['version']): void {
    if (this.#reaping.has(worker)) return;
    const reaping = this.#storage
      .reap(worker, silent)
      .then((found) => found === 'reaped' && this.#employer.lost(worker), this.#employer.error)
      .finally(() => {
        this.#reaping.delete(worker);
        // If it did not come to an end, the next look starts it again.
        this.#watched.delete(worker);
      });
    this.#reaping.set(worker, reaping);
  }

  async #enforceTimeouts(self: string | undefined, now: number): Promise<void> {
    const present = new Set<string>();
    for (const run of await this.#storage.sessions.runsHeldByOthers(self)) {
      const claims = await this.#storage
        .peek(run, (state, incarnation) =>
          state.running().flatMap((step) => {
            const timeout = state.steps[step]?.spec.timeoutMs;
            return timeout === undefined || state.worker[step] === self
              ? []
              : [{ claim: { ...state.claimOf(step), incarnation }, timeout }];
          }),
        )
        .catch(leftAlone);
      for (const { claim, timeout } of claims ?? []) {
        const key = `${run}/${claim.incarnation}/${claimKey(claim)}`;
        present.add(key);
        const since = this.#seen.get(key) ?? now;
        this.#seen.set(key, since);
        if (now - since >= timeout + TIMEOUT_GRACE_MS) await this.#storage.expire(run, claim).catch(leftAlone);
      }
    }
    for (const key of this.#seen.keys()) if (!present.has(key)) this.#seen.delete(key);
  }
}

/** A run that a newer version continued is not this one's to watch; one that was removed is nobody's. */
function leftAlone(error: unknown): undefined {
  if (!(error instanceof FuselineError && (error.code === 'PROTOCOL_TOO_NEW' || error.code === 'UNKNOWN_RUN')))
    throw error;
}
