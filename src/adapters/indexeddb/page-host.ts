import type { Host } from '../../core/host.ts';
import { webHost } from '../host.ts';

/**
 * The host of pages and workers. A page's timers are slowed down to one a second as soon as it is hidden, and to one a
 * minute a while later, under which it would look dead to the others and would not notice their deaths. Those of its
 * workers are not, so a small Worker keeps the time of a hidden page.
 */
export const pageHost: Host = { ...webHost, after: (ms, callback) => timers.after(ms, callback) };

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

class Timers {
  readonly #armed = new Map<number, Timer>();
  #last = 0;
  #clock: Clock | undefined;
  #watching = false;

  after(ms: number, callback: () => void): () => void {
    if (!isPage()) return webHost.after(ms, callback);
    this.#watchVisibility();
    const id = ++this.#last;
    const cancel = (): void => {
      this.#armed.delete(id);
      cancelOwn();
      this.#clock?.cancel(id);
    };
    const fire = (): void => {
      cancel();
      callback();
    };
    const cancelOwn = webHost.after(ms, fire);
    this.#armed.set(id, { due: performance.now() + ms, fire });
    if (document.hidden) this.#hand(id, ms);
    return cancel;
  }

  #watchVisibility(): void {
    if (this.#watching) return;
    this.#watching = true;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) return;
      const now = performance.now();
      for (const [id, { due }] of this.#armed) this.#hand(id, Math.max(0, due - now));
    });
  }

  #hand(id: number, ms: number): void {
    this.#clock ??= startClock((fired) => this.#armed.get(fired)?.fire());
    this.#clock.arm(id, ms);
  }
}

/** One for all storages of a page. */
const timers = new Timers();

/** What a page asks of the Worker that keeps its time: to be told after so long, or no more. */
export type Order = readonly [id: number, ms: number] | readonly [id: number];

interface Clock {
  arm(id: number, ms: number): void;
  cancel(id: number): void;
}

function startClock(ring: (id: number) => void): Clock {
  const armed = new Set<number>();
  const worker = startWorker();
  worker?.addEventListener('message', ({ data }: MessageEvent<number>) => {
    armed.delete(data);
    ring(data);
  });
  const order = (...sent: Order): void => worker?.postMessage(sent);
  return {
    arm(id, ms) {
      armed.add(id);
      order(id, ms);
    },
    cancel(id) {
      if (armed.delete(id)) order(id);
    },
  };
}

/** A file of its own: the policies of many sites allow no other kind. Bundlers know it by this very expression. */
function startWorker(): Worker | undefined {
  try {
    const worker = new Worker(new URL('./clock-worker.js', import.meta.url), {
      type: 'module',
      name: 'fuseline-clock',
    });
    worker.addEventListener('error', warnOfNoClock);
    return worker;
  } catch {
    warnOfNoClock();
    return undefined;
  }
}

function isPage(): boolean {
  return typeof document !== 'undefined' && typeof Worker !== 'undefined';
}

function warnOfNoClock(): void {
  console.warn(
    "Fuseline: clock-worker.js could not be started (is it served, and does the Content-Security-Policy allow worker-src 'self'?), so while this page is hidden its timers are slow and other tabs may take over its steps.",
  );
}
