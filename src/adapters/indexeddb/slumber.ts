/**
 * What a page must see to before it is frozen. A frozen page still hears of news (Chromium delivers broadcasts to it),
 * but gets no answer from IndexedDB any more: a transaction it has open, or opens then, stays open and keeps every other
 * tab from writing for as long as the page is frozen.
 */
export class Slumber {
  readonly #open = new Set<IDBTransaction>();
  readonly #cut = new WeakSet<IDBTransaction>();
  readonly #closing = new AbortController();
  readonly #fellAsleep: () => void;
  #woken: Promise<void> | undefined;
  #watching = false;

  /** `fellAsleep`: lets go of whatever else others may wait for. */
  constructor(fellAsleep: () => void) {
    this.#fellAsleep = fellAsleep;
  }

  get isAsleep(): boolean {
    return this.#woken !== undefined;
  }

  /** Resolves when transactions may be begun. */
  async awake(): Promise<void> {
    this.#watch();
    await this.#woken;
  }

  /** Cuts the transaction off if the page is frozen before it has ended. */
  guard(transaction: IDBTransaction): IDBTransaction {
    this.#open.add(transaction);
    const ended = (): void => void this.#open.delete(transaction);
    transaction.addEventListener('complete', ended);
    transaction.addEventListener('abort', ended);
    return transaction;
  }

  /** Whether it was cut off, and so has written nothing. */
  wasCut(transaction: IDBTransaction): boolean {
    return this.#cut.has(transaction);
  }

  close(): void {
    this.#closing.abort();
  }

  #watch(): void {
    if (this.#watching || typeof document === 'undefined') return;
    this.#watching = true;
    const { signal } = this.#closing;
    document.addEventListener('freeze', () => this.#fallAsleep(signal), { signal });
  }

  #fallAsleep(signal: AbortSignal): void {
    this.#woken = new Promise((resolve) => {
      const wake = (): void => {
        this.#woken = undefined;
        resolve();
      };
      document.addEventListener('resume', wake, { signal, once: true });
      signal.addEventListener('abort', wake, { once: true });
    });
    for (const transaction of this.#open) this.#cutOff(transaction);
    this.#fellAsleep();
  }

  #cutOff(transaction: IDBTransaction): void {
    try {
      transaction.abort();
      this.#cut.add(transaction);
    } catch {
      // It is being committed already, for which the page is not needed.
    }
  }
}
