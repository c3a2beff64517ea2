/** A worker's place among the others: its session, from when it is needed until it leaves or is given up. */
export class Membership {
  readonly #newId: () => string;
  readonly #register: (worker: string) => Promise<void>;
  /** Chosen before it is known to be written. */
  #session: string | undefined;
  #worker: string | undefined;
  #joining: Promise<string> | undefined;

  constructor(newId: () => string, register: (worker: string) => Promise<void>) {
    this.#newId = newId;
    this.#register = register;
  }

  /** The worker's id, once its session is known to be written. */
  get id(): string | undefined {
    return this.#worker;
  }

  /** Answers the id. A registration that failed is tried again by who asks next. */
  join(): Promise<string> {
    this.#joining ??= this.#join().catch((error) => {
      this.#joining = undefined;
      throw error;
    });
    return this.#joining;
  }

  /** Waits for a registration that is under way. */
  async joined(): Promise<void> {
    await this.#joining;
  }

  /** From now on it is nobody, until it joins under a new id. Answers the session there may be. */
  end(): string | undefined {
    const session = this.#session;
    this.#session = undefined;
    this.#worker = undefined;
    this.#joining = undefined;
    return session;
  }

  async #join(): Promise<string> {
    // The same again after an answer that was lost, so that there is never a second session of one worker.
    this.#session ??= this.#newId();
    const worker = this.#session;
    await this.#register(worker);
    this.#worker = worker;
    return worker;
  }
}
