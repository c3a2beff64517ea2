import type { Host, Liveness } from './host.ts';
import { keys, lastPart, parseClaim, under } from './keys.ts';
import type { Batch, Entry, Store } from './store.ts';

/** What a worker says of itself; one row per worker that lives. */
export interface Session {
  readonly name: string;
  readonly startedAt: number;
  readonly workflows: readonly {
    readonly name: string;
    readonly version?: string;
    readonly graph: string;
    /** Steps of that graph it has no handler for. */
    readonly without?: readonly string[];
  }[];
  /** `undefined`: every queue. */
  readonly queues?: readonly string[];
  readonly evidence?: string;
  /** It works from afar: what its secret hashes to. Only what it says tells that it lives. */
  readonly proof?: string;
  /** When it last said that it lives, by the clock of whoever wrote it down. */
  readonly heardAt?: number;
  /** Somebody found the worker dead; it held so many claims, which are being handed out again. */
  readonly deadWith?: number;
}

export interface Worker extends Session {
  readonly id: string;
  /** Another one after every heartbeat. */
  readonly version: Entry['version'];
}

/** The version of no session. */
export const NOBODY: Entry['version'] = '';

/**
 * The register of a store's workers. Death is a commit: whoever finds a worker gone marks its session
 * with the number of claims it held, takes them back run by run, then deletes the session. Every step of that can be
 * done again by anybody.
 */
export class Sessions {
  readonly #store: Store;
  readonly #host: Host;
  readonly #liveness: Liveness | undefined;

  constructor(store: Store, host: Host, liveness: Liveness | undefined) {
    this.#store = store;
    this.#host = host;
    this.#liveness = liveness;
  }

  /** `put`: what the session refers to. */
  async register(
    worker: string,
    session: Pick<Session, 'name' | 'workflows' | 'queues' | 'proof'>,
    put: NonNullable<Batch['put']> = [],
  ): Promise<void> {
    const row: Session = {
      ...session,
      startedAt: this.#host.now(),
      ...(session.proof === undefined ? this.#liveness && { evidence: this.#liveness.evidence } : this.#heard()),
    };
    await this.#store.commit({ put: [...put, { key: keys.session(worker), value: JSON.stringify(row) }] });
  }

  async unregister(worker: string): Promise<void> {
    await this.#store.commit({ delete: [keys.session(worker)] });
  }

  /** Says that the worker lives. `unheard`: somebody else wrote there meanwhile. `gone`: others have given it up. */
  async beat(worker: string): Promise<'heard' | 'unheard' | 'gone'> {
    const [row] = await this.#store.read([keys.session(worker)]);
    const session = row && parse(row);
    if (!row || !session || session.deadWith !== undefined) return 'gone';
    const value = JSON.stringify({ ...session, ...this.#heard() } satisfies Session);
    const { status } = await this.#store.commit({ expect: [row], put: [{ key: row.key, value }] });
    return status === 'committed' ? 'heard' : 'unheard';
  }

  async list(): Promise<readonly Worker[]> {
    const rows = await this.#store.scan(under('session/'));
    return rows.map(workerIn);
  }

  /** A worker nobody has given up. */
  async find(worker: string): Promise<Worker | undefined> {
    const [row] = await this.#store.read([keys.session(worker)]);
    return row && parse(row).deadWith === undefined ? workerIn(row) : undefined;
  }

  /** What claims of workers from afar are signed with: a secret of the store, made when it is first asked for. */
  async claimSecret(): Promise<string> {
    const key = keys.claimSecret;
    for (;;) {
      const [row] = await this.#store.read([key]);
      if (row) return row.value;
      const value = `${this.#host.id()}${this.#host.id()}`;
      await this.#store.commit({ expect: [{ key, version: undefined }], put: [{ key, value }] });
    }
  }

  /** Those not known to be dead. A reader looks itself: there may be no worker left that would find out. */
  async living(): Promise<readonly Worker[]> {
    const workers = await this.list();
    const dead = new Set(workers.filter(({ deadWith }) => deadWith !== undefined).map(({ id }) => id));
    const stops = workers.map(
      ({ id, evidence }) => evidence !== undefined && this.#liveness?.watch(evidence, () => dead.add(id)),
    );
    await this.#liveness?.judged?.();
    // Without it, who is dead already is told of in this tick.
    await null;
    for (const stop of stops) if (stop) stop();
    return workers.filter(({ id }) => !dead.has(id));
  }

  async isAlive(worker: string): Promise<boolean> {
    return (await this.find(worker)) !== undefined;
  }

  /**
   * Marks a worker dead, takes its claims back through `lose`, and deletes its session. `silent`: the version of its
   * session since which it was not heard; one that has said something since then is left alone, and with `NOBODY` every
   * one that was not given up before.
   */
  async reap(
    worker: string,
    claimsIn: (run: string) => Promise<number>,
    lose: (run: string, company: number) => Promise<void>,
    silent?: Entry['version'],
  ): Promise<'reaped' | 'nothing'> {
    const [row] = await this.#store.read([keys.session(worker)]);
    const runs = (await this.#store.scan(under(`claim/${worker}/`))).map(({ key }) => parseClaim(key).run);
    // It left by itself, or somebody else has seen to it.
    if (!row && runs.length === 0) return 'nothing';
    let company = row && parse(row).deadWith;
    let version = row?.version;
    if (row && company === undefined) {
      if (silent !== undefined && row.version !== silent) return 'nothing';
      const counts = await Promise.all(runs.map(claimsIn));
      company = counts.reduce((sum, count) => sum + count, 0);
      const value = JSON.stringify({ ...parse(row), deadWith: company } satisfies Session);
      const marked = await this.#store.commit({ expect: [row], put: [{ key: row.key, value }] });
      // It has said something meanwhile, or somebody else was faster: the next look decides.
      if (marked.status === 'conflict') return 'nothing';
      version = marked.version;
    }
    // Claims without a session are nobody's fault that could be counted.
    await Promise.all(runs.map((run) => lose(run, company ?? Number.POSITIVE_INFINITY)));
    const left = await this.#store.scan(under(`claim/${worker}/`, { limit: 1 }));
    // What a newer version continued is left to its workers, and the session with it.
    if (left.length > 0) return 'nothing';
    const key = keys.session(worker);
    // Not the session of one that has registered by the same id since.
    if (version !== undefined) await this.#store.commit({ expect: [{ key, version }], delete: [key] });
    return 'reaped';
  }

  /** The runs in which somebody else holds claims. */
  async runsHeldByOthers(self: string | undefined): Promise<ReadonlySet<string>> {
    const claims = (await this.#store.scan(under('claim/'))).map(({ key }) => parseClaim(key));
    return new Set(claims.filter(({ worker }) => worker !== self).map(({ run }) => run));
  }

  #heard(): Pick<Session, 'heardAt'> {
    return { heardAt: this.#host.now() };
  }

  /** Everybody who holds claims. */
  async holders(): Promise<Set<string>> {
    return new Set((await this.#store.scan(under('claim/'))).map(({ key }) => parseClaim(key).worker));
  }
}

function workerIn(row: Entry): Worker {
  return { id: lastPart(row.key), version: row.version, ...parse(row) };
}

function parse(row: Entry): Session {
  return JSON.parse(row.value) as Session;
}
