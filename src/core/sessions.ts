import type { Host, Liveness } from './host.ts';
import { keys, lastPart, parseClaim, under } from './keys.ts';
import type { Batch, Entry, Store } from './store.ts';

/** What a worker says of itself; one row per worker that lives. */
export interface Session {
  readonly name: string;
  readonly startedAt: number;
  readonly workflows: readonly { readonly name: string; readonly version?: string; readonly graph: string }[];
  /** `undefined`: every queue. */
  readonly queues?: readonly string[];
  readonly evidence?: string;
  /** Counts up while the worker lives, where only that tells. */
  readonly beat?: number;
  /** Somebody found the worker dead; it held so many claims, which are being handed out again. */
  readonly deadWith?: number;
}

export interface Worker extends Session {
  readonly id: string;
}

/** How often a worker that others cannot watch says that it lives, and how long they listen before they give it up. */
export const BEAT_MS = 5_000;
export const SILENCE_MS = 30_000;

/**
 * The workers of a store, as one of them sees them. Death is a commit: whoever finds a worker gone marks its session
 * with the number of claims it held, takes them back run by run, then deletes the session. Every step of that can be
 * done again by anybody.
 */
export class Sessions {
  readonly #store: Store;
  readonly #host: Host;
  readonly #liveness: Liveness | undefined;
  readonly #watched = new Map<string, () => void>();
  readonly #heard = new Map<string, { version: Entry['version']; since: number; lookedAt: number }>();

  constructor(store: Store, host: Host, liveness: Liveness | undefined) {
    this.#store = store;
    this.#host = host;
    this.#liveness = liveness;
  }

  /** `put`: what the session refers to. */
  async register(worker: string, session: Omit<Session, 'startedAt' | 'evidence'>, put: NonNullable<Batch['put']> = []): Promise<void> {
    const row: Session = { ...session, startedAt: this.#host.now(), ...(this.#liveness && { evidence: this.#liveness.evidence }) };
    await this.#store.commit({ put: [...put, { key: keys.session(worker), value: JSON.stringify(row) }] });
  }

  async unregister(worker: string): Promise<void> {
    await this.#store.commit({ delete: [keys.session(worker)] });
  }

  /** Says that the worker lives. `'gone'` if others have given it up. */
  async beat(worker: string): Promise<'alive' | 'gone'> {
    const [row] = await this.#store.read([keys.session(worker)]);
    const session = row && parse(row);
    if (!row || !session || session.deadWith !== undefined) return 'gone';
    const value = JSON.stringify({ ...session, beat: (session.beat ?? 0) + 1 } satisfies Session);
    const result = await this.#store.commit({ expect: [row], put: [{ key: row.key, value }] });
    return result.status === 'committed' ? 'alive' : 'gone';
  }

  async list(): Promise<readonly Worker[]> {
    const rows = await this.#store.scan(under('session/'));
    return rows.map((row) => ({ id: lastPart(row.key), ...parse(row) }));
  }

  async isAlive(worker: string): Promise<boolean> {
    const [row] = await this.#store.read([keys.session(worker)]);
    return row !== undefined && parse(row).deadWith === undefined;
  }

  /**
   * Looks at every other worker once: watches the new ones, listens for the silent ones. `gone` is called for each that
   * is found dead, now or later. Answers whether some of them can only hear `self` by its heartbeat.
   */
  async watch(self: string, gone: (worker: string) => void): Promise<'seen' | 'unseen'> {
    const rows = await this.#store.scan(under('session/'));
    const holders = await this.#holders();
    const present = new Set<string>();
    let seen: 'seen' | 'unseen' = 'seen';
    for (const row of rows) {
      const worker = lastPart(row.key);
      const session = parse(row);
      present.add(worker);
      if (worker === self || this.#watched.has(worker)) continue;
      if (session.deadWith !== undefined) {
        gone(worker);
        continue;
      }
      const stop = session.evidence === undefined ? undefined : this.#liveness?.watch(session.evidence, () => gone(worker));
      if (stop) {
        this.#watched.set(worker, stop);
        continue;
      }
      seen = 'unseen';
      // Who holds nothing has nothing to say.
      if (holders.has(worker) && this.#isSilent(row)) gone(worker);
    }
    for (const [worker, stop] of this.#watched) {
      if (present.has(worker)) continue;
      stop();
      this.#watched.delete(worker);
    }
    for (const worker of this.#heard.keys()) if (!present.has(worker)) this.#heard.delete(worker);
    return seen;
  }

  unwatch(): void {
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
    this.#heard.clear();
  }

  /** Marks a worker dead, takes its claims back through `lose`, and deletes its session. */
  async reap(worker: string, claimsIn: (run: string) => Promise<number>, lose: (run: string, company: number) => Promise<void>): Promise<void> {
    const [row] = await this.#store.read([keys.session(worker)]);
    const runs = (await this.#store.scan(under(`claim/${worker}/`))).map(({ key }) => parseClaim(key).run);
    let company = row && parse(row).deadWith;
    if (row && company === undefined) {
      const counts = await Promise.all(runs.map(claimsIn));
      company = counts.reduce((sum, count) => sum + count, 0);
      const value = JSON.stringify({ ...parse(row), deadWith: company } satisfies Session);
      const marked = await this.#store.commit({ expect: [row], put: [{ key: row.key, value }] });
      // It has said something meanwhile, or somebody else was faster: the next look decides.
      if (marked.status === 'conflict') return;
    }
    // Claims without a session are nobody's fault that could be counted.
    await Promise.all(runs.map((run) => lose(run, company ?? Number.POSITIVE_INFINITY)));
    const left = await this.#store.scan(under(`claim/${worker}/`, { limit: 1 }));
    if (left.length === 0) await this.#store.commit({ delete: [keys.session(worker)] });
  }

  /** Everybody who holds claims but has no session. */
  async orphans(): Promise<readonly string[]> {
    const holders = await this.#holders();
    for (const row of await this.#store.scan(under('session/'))) holders.delete(lastPart(row.key));
    return [...holders];
  }

  async runsHeldByOthers(self: string): Promise<ReadonlySet<string>> {
    const claims = (await this.#store.scan(under('claim/'))).map(({ key }) => parseClaim(key));
    return new Set(claims.filter(({ worker }) => worker !== self).map(({ run }) => run));
  }

  async #holders(): Promise<Set<string>> {
    return new Set((await this.#store.scan(under('claim/'))).map(({ key }) => parseClaim(key).worker));
  }

  // By this observer's own clock, and only if it looked regularly: who slept cannot say that the other was silent.
  #isSilent(row: Entry): boolean {
    const worker = lastPart(row.key);
    const now = this.#host.monotonic();
    const last = this.#heard.get(worker);
    if (last === undefined || last.version !== row.version || now - last.lookedAt > BEAT_MS * 2) {
      this.#heard.set(worker, { version: row.version, since: now, lookedAt: now });
      return false;
    }
    last.lookedAt = now;
    return now - last.since >= SILENCE_MS;
  }
}

function parse(row: Entry): Session {
  return JSON.parse(row.value) as Session;
}
