import type { Liveness } from '../../core/host.ts';
import { webHost } from '../host.ts';

/**
 * A worker holds a Web Lock for as long as it lives, and others ask for the same one: the browser grants it to them
 * within milliseconds when the tab is closed, navigates away or crashes. They ask rather than look, because a page that
 * was put aside for the back button keeps its locks until somebody asks.
 *
 * A page that is frozen or hangs keeps its lock, and so may a worker of some versions of Safari after its page is gone
 * (WebKit bug 316904). So all send heartbeats, too.
 */
export class Presence implements Liveness {
  readonly heartbeats = 'always';
  readonly #prefix: string;
  readonly #stops = new Set<() => void>();
  readonly #judging = new Set<Promise<unknown>>();
  readonly #leaving = new AbortController();
  #evidence = '';
  #holding: Promise<void> | undefined;
  #release: (() => void) | undefined;

  constructor(name: string) {
    this.#prefix = `${name}/worker/`;
  }

  /** The name of the lock; empty without one. */
  get evidence(): string {
    return this.#evidence;
  }

  /** Takes the lock, before anybody can hear of the worker: who finds it free takes the worker for dead. */
  hold(): Promise<void> {
    this.#holding ??= this.#hold();
    return this.#holding;
  }

  watch(evidence: string, gone: () => void): (() => void) | undefined {
    const locks = lockManager();
    if (!locks || !evidence.startsWith(this.#prefix)) return undefined;
    // Whoever shares this lock dies with this context.
    if (evidence === this.#evidence) return () => undefined;
    const stopping = new AbortController();
    const stop = (): void => {
      this.#stops.delete(stop);
      stopping.abort();
    };
    this.#stops.add(stop);
    const tell = (): void => {
      if (stopping.signal.aborted) return;
      this.#stops.delete(stop);
      gone();
    };
    // A shared lock, so that many who watch need not wait for each other.
    const now = locks.request(evidence, { mode: 'shared', ifAvailable: true }, (lock) => lock !== null);
    const judged = now.then(
      (free) => {
        if (free) return tell();
        if (stopping.signal.aborted) return;
        const later = locks.request(evidence, { mode: 'shared', signal: stopping.signal }, tell);
        // Refused when the watch ends, or the page does.
        later.catch(() => undefined);
      },
      () => undefined,
    );
    this.#judging.add(judged);
    void judged.finally(() => this.#judging.delete(judged));
    return stop;
  }

  async judged(): Promise<void> {
    await Promise.all(this.#judging);
  }

  /** Lets go of the lock and watches nobody any more. */
  leave(): void {
    this.#leaving.abort();
    for (const stop of this.#stops) stop();
    this.#release?.();
  }

  async #hold(): Promise<void> {
    const name = `${this.#prefix}${webHost.id()}`;
    const held = await this.#request(name);
    if (held === 'none') return warnOfNoLocks();
    this.#evidence = name;
    if (typeof document === 'undefined') return;
    // A page that is put aside for the back button would keep its lock from those who asked for it before.
    const { signal } = this.#leaving;
    addEventListener('pagehide', () => this.#release?.(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && void this.#request(name), { signal });
  }

  async #request(name: string): Promise<'held' | 'none'> {
    const locks = lockManager();
    if (!locks) return 'none';
    return new Promise((resolve) => {
      const hold = (): Promise<void> => {
        resolve('held');
        return new Promise((release) => {
          this.#release = release;
        });
      };
      locks.request(name, { signal: this.#leaving.signal }, hold).catch(() => resolve('none'));
    });
  }
}

/** Not every page has them: they want TLS, and an origin. Some test environments have the name and no locks. */
function lockManager(): LockManager | undefined {
  return typeof navigator === 'undefined' ? undefined : (navigator.locks ?? undefined);
}

let warned: 'no' | 'yes' = 'no';

function warnOfNoLocks(): void {
  if (warned === 'yes') return;
  warned = 'yes';
  console.warn(
    'Fuseline: this page has no Web Locks (they need HTTPS or localhost), so the death of a tab is noticed only after half a minute of silence.',
  );
}
