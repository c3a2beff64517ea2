import type { Attempt } from './attempt.ts';
import type { Claim } from './claims.ts';

/** What a worker holds in one run; followed, so that it hears when a claim is taken back. */
interface Held {
  readonly claims: Set<string>;
  readonly unfollow: () => void;
}

/** The attempts a worker has under way, the room it has promised to requests, and what it may not begin twice. */
export class Holdings {
  readonly #active = new Map<string, Attempt>();
  readonly #runs = new Map<string, Held>();
  /** Runs followed in which nothing is held any more. */
  readonly #idle = new Set<string>();
  readonly #follow: (run: string) => () => void;
  /** Claims begun while requests are under way: an answer that was given before may hand one of them out again. */
  readonly #begun = new Set<string>();
  #requests = 0;
  /** Room promised to those requests. */
  #asked = 0;

  constructor(follow: (run: string) => () => void) {
    this.#follow = follow;
  }

  get size(): number {
    return this.#active.size;
  }

  /** Attempts under way, and those that may be before long. */
  get busy(): number {
    return this.#active.size + this.#asked;
  }

  /** Nothing under way, not even the record of an end. */
  get isIdle(): boolean {
    if (this.#active.size > 0 || this.#asked > 0) return false;
    for (const { claims } of this.#runs.values()) if (claims.size > 0) return false;
    return true;
  }

  /** Whether a step that must have no company is among them; it is alone then. */
  get isAlone(): boolean {
    for (const { claim } of this.#active.values()) return claim.company === 'none';
    return false;
  }

  attempts(): Iterable<Attempt> {
    return this.#active.values();
  }

  /** `claimKey`s of what is held in a run. A live set: a request that is decided on later knows of later claims. */
  in(run: string): ReadonlySet<string> {
    return this.#held(run).claims;
  }

  /** Keeps room for what a request may bring, and begins what it brought. */
  async asking<T>(room: number, ask: () => Promise<T>, take: (answer: T) => void): Promise<T> {
    this.#requests++;
    this.#asked += room;
    try {
      const answer = await ask();
      take(answer);
      return answer;
    } finally {
      this.#requests--;
      this.#asked -= room;
      this.#tidy();
    }
  }

  /** Whether a granted claim is new, and not one that is or was under way here. */
  isNew(claim: Claim): boolean {
    return !this.#begun.has(claim.id) && !this.#active.has(claim.id);
  }

  begin(attempt: Attempt): void {
    const { id, mark, run } = attempt.claim;
    this.#begun.add(id);
    this.#active.set(id, attempt);
    this.#held(run).claims.add(mark);
    this.#idle.delete(run);
  }

  /** The body is done, and its end is being recorded: it takes no room, but is held until that is known. */
  report({ claim }: Attempt): void {
    this.#active.delete(claim.id);
  }

  end({ claim }: Attempt): void {
    this.#active.delete(claim.id);
    const held = this.#runs.get(claim.run);
    held?.claims.delete(claim.mark);
    if (held?.claims.size === 0) this.#idle.add(claim.run);
    this.#tidy();
  }

  close(): void {
    for (const { unfollow } of this.#runs.values()) unfollow();
    this.#runs.clear();
  }

  #held(run: string): Held {
    const known = this.#runs.get(run);
    if (known) return known;
    this.#idle.add(run);
    const held = { claims: new Set<string>(), unfollow: this.#follow(run) };
    this.#runs.set(run, held);
    return held;
  }

  /** Once no answer is under way, none can name a claim again. */
  #tidy(): void {
    if (this.#requests > 0) return;
    this.#begun.clear();
    for (const run of this.#idle) {
      this.#runs.get(run)?.unfollow();
      this.#runs.delete(run);
    }
    this.#idle.clear();
  }
}
