import type { Host } from './host.ts';

/** How long bodies that never wait may keep everything else of their process from running. */
const MOST_MS = 50;

/**
 * Bodies that begin in one turn of the event loop share it, for so long: what they hand back would otherwise be recorded
 * only after the last of them.
 */
export class BodyTurns {
  readonly #host: Host;
  /** Since when bodies have been at it, and when everything else will have had its turn. */
  #current: { readonly since: number; readonly over: Promise<void> } | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** What a body waits for before it begins, if others have been at it for too long; to be asked again after that. */
  take(): Promise<void> | undefined {
    const now = this.#host.monotonic();
    this.#current ??= { since: now, over: this.#over() };
    return now - this.#current.since > MOST_MS ? this.#current.over : undefined;
  }

  #over(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.after(0, () => {
        this.#current = undefined;
        resolve();
      });
    });
  }
}
