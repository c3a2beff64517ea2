import type { Batch, CommitResult, Key } from '../../core/store.ts';
import { failed } from './failure.ts';
import type { Log } from './log.ts';

interface Pending {
  readonly batch: Batch;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/** An answer that must not leave before the log is on disk up to `needs`. */
interface Answer {
  readonly needs: number;
  readonly give: () => void;
  readonly reject: (error: unknown) => void;
}

/** How long commits may follow each other without a turn of the event loop. */
const YIELD_MS = 5;

/**
 * Group commit: what arrives in one tick, or while a sync is under way, shares the next write and the next sync. Each
 * commit keeps its own verdict, and every answer waits until the disk has what it rests on.
 */
export class Committer {
  conflicts = 0;
  readonly #log: Log;
  readonly #failed: (cause: unknown) => void;
  readonly #after: () => void;
  #pending: Pending[] = [];
  #answers: Answer[] = [];
  #busy: 'scheduled' | 'deciding' | 'syncing' | undefined;
  #idle: (() => void)[] = [];
  #yieldedAt = 0;

  /**
   * `failed` is called when a sync fails and must `abandon` this committer; `after` whenever it has looked at the log,
   * while the disk works.
   */
  constructor(log: Log, on: { readonly failed: (cause: unknown) => void; readonly after: () => void }) {
    this.#log = log;
    this.#failed = on.failed;
    this.#after = on.after;
  }

  commit(batch: Batch): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when everything read so far is on disk. */
  durable(): Promise<void> {
    return new Promise((give, reject) => {
      this.#answers.push({ needs: this.#log.position, give, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  abandon(reason: unknown): void {
    const waiting = [...this.#answers, ...this.#pending];
    this.#answers = [];
    this.#pending = [];
    for (const { reject } of waiting) reject(reason);
  }

  /**
   * For the end of the tick: by then everybody whom the last answers woke has said what he wants. A sync in place gives
   * the event loop no turn, so it gets one of its own now and then, or timers and other files would wait for the last of
   * a chain of commits.
   */
  #schedule(): void {
    if (this.#busy) return;
    this.#busy = 'scheduled';
    if (performance.now() - this.#yieldedAt < YIELD_MS) process.nextTick(() => this.#turn());
    else {
      setImmediate(() => {
        this.#yieldedAt = performance.now();
        this.#turn();
      });
    }
  }

  #turn(): void {
    this.#busy = 'deciding';
    const arrived = this.#pending;
    this.#pending = [];
    if (arrived.length > 0) this.#decide(arrived);
    this.#giveAnswers();
    if (this.#answers.length > 0) this.#sync();
    this.#after();
    // Otherwise the sync sees to that, or did so already.
    if (this.#busy === 'deciding') this.#rest();
  }

  #sync(): void {
    if (this.#busy === 'syncing') return;
    this.#busy = 'syncing';
    this.#log.sync((error) => {
      if (error) this.#failed(error);
      else this.#giveAnswers();
      this.#rest();
    });
  }

  #rest(): void {
    this.#busy = undefined;
    if (this.#pending.length > 0 || this.#answers.length > 0) return this.#schedule();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #giveAnswers(): void {
    const { durable } = this.#log.syncs;
    const answers = this.#answers;
    this.#answers = [];
    for (const answer of answers) {
      if (answer.needs <= durable) answer.give();
      else this.#answers.push(answer);
    }
  }

  /** Appends those that can succeed and do not depend on each other; the others have their turn after the sync. */
  #decide(arrived: readonly Pending[]): void {
    const log = this.#log;
    try {
      log.catchUpInCompany();
      const { able, losers } = this.#sieve(arrived);
      this.#refuse(losers, log.position);
      const { group, later } = independent(able);
      this.#pending = later;
      if (group.length > 0) this.#commit(group);
    } catch (error) {
      const failure = failed(`cannot commit to ${log.directory.path}`, error);
      this.#pending = [];
      for (const { reject } of arrived) reject(failure);
    }
  }

  #commit(group: readonly Pending[]): void {
    const log = this.#log;
    const written = log.write(group.map(({ batch }) => batch));
    // The verdict can be read while the disk works, unless this process waits for the disk itself.
    const { durable, inPlace } = log.syncs;
    if (written.failure === undefined && durable < Number.POSITIVE_INFINITY && !inPlace) this.#sync();
    const verdicts = log.judge(written);
    const losers: Pending[] = [];
    group.forEach((commit, i) => {
      const verdict = verdicts[i] ?? 'again';
      if (verdict === 'again') this.#pending.push(commit);
      else if (verdict === 'void') losers.push(commit);
      else if (typeof verdict !== 'number') commit.reject(verdict);
      else this.#answer(commit, { status: 'committed', version: verdict }, verdict + 1);
    });
    this.#refuse(losers, log.syncs.covered);
  }

  #refuse(losers: readonly Pending[], needs: number): void {
    this.conflicts += losers.length;
    for (const commit of losers) this.#answer(commit, { status: 'conflict' }, needs);
  }

  /** Sorts out whose expectations are not met, by the newest that is known. */
  #sieve(commits: readonly Pending[]): { able: readonly Pending[]; losers: Pending[] } {
    const { rows } = this.#log;
    if (commits.every(({ batch }) => rows.meetBatch(batch))) return { able: commits, losers: [] };
    this.#log.catchUp();
    const able: Pending[] = [];
    const losers: Pending[] = [];
    for (const commit of commits) (this.#log.rows.meetBatch(commit.batch) ? able : losers).push(commit);
    return { able, losers };
  }

  #answer({ resolve, reject }: Pending, result: CommitResult, needs: number): void {
    this.#answers.push({ needs, give: () => resolve(result), reject });
  }
}

/** Splits off the commits whose verdict another one's may change. */
function independent(commits: readonly Pending[]): { group: readonly Pending[]; later: Pending[] } {
  const later: Pending[] = [];
  if (commits.length < 2) return { group: commits, later };
  const touched = new Set<Key>();
  const group = commits.filter((commit) => {
    const { expect, put, delete: gone } = commit.batch;
    if (expect?.some(({ key }) => touched.has(key))) {
      later.push(commit);
      return false;
    }
    for (const { key } of put ?? []) touched.add(key);
    for (const key of gone ?? []) touched.add(key);
    return true;
  });
  return { group, later };
}
