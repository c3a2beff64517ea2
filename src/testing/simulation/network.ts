import type { Network } from '../../core/host.ts';
import type { Process } from './process.ts';

/** How long it takes to find out whether anything answers. */
const PROBE_MS = 200;

/** The network of a simulated world: one for all processes, gone for a while now and then, whether they believe it or not. */
export class WorldNetwork {
  /** Why there is none, one each. */
  readonly #outages = new Set<object>();
  readonly #watchers = new Set<() => void>();
  #believed = true;

  get isUp(): boolean {
    return this.#outages.size === 0;
  }

  /** Goes away until the answer is called. `unnoticed`: every platform believes that it is there. */
  fail(notice: 'noticed' | 'unnoticed'): () => void {
    const outage = {};
    this.#outages.add(outage);
    if (notice === 'noticed') this.#believe(false);
    return () => {
      this.#outages.delete(outage);
      if (this.isUp) this.#believe(true);
    };
  }

  heal(): void {
    this.#outages.clear();
    this.#believe(true);
  }

  /** As one process sees it. */
  of(process: Process): Network {
    const network = this;
    return {
      get isOnline() {
        return network.#believed;
      },
      watch(changed) {
        const tell = (): void => void process.after(0, changed);
        network.#watchers.add(tell);
        return () => network.#watchers.delete(tell);
      },
      probe: () =>
        new Promise((resolve) => {
          process.after(PROBE_MS, () => resolve(network.isUp));
        }),
    };
  }

  #believe(online: boolean): void {
    if (this.#believed === online) return;
    this.#believed = online;
    for (const tell of this.#watchers) tell();
  }
}
