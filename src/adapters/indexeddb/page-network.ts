import type { Network } from '../../core/host.ts';

/** Long enough for a slow line, short enough that a step does not wait for the answer. */
const PROBE_MS = 5_000;

/**
 * The network as a page or a worker sees it. `navigator.onLine` only says whether there is a line, so in doubt the
 * page's own server is asked, or `address`: with HEAD, which service workers rarely answer from a cache, and without
 * following a redirect, which is how a captive portal answers for everybody.
 */
export function pageNetwork(address?: string | URL): Network {
  return {
    get isOnline() {
      return typeof navigator === 'undefined' || navigator.onLine !== false;
    },
    watch(changed) {
      if (typeof addEventListener === 'undefined') return () => undefined;
      addEventListener('online', changed);
      addEventListener('offline', changed);
      return () => {
        removeEventListener('online', changed);
        removeEventListener('offline', changed);
      };
    },
    async probe() {
      try {
        const { type } = await fetch(address ?? ownAddress(), {
          method: 'HEAD',
          cache: 'no-store',
          // Another origin need not allow us to read its answer: that there is one is all we want to know.
          mode: address === undefined ? 'same-origin' : 'no-cors',
          redirect: address === undefined ? 'manual' : 'follow',
          signal: AbortSignal.timeout(PROBE_MS),
        });
        return type !== 'opaqueredirect' && type !== 'error';
      } catch {
        return false;
      }
    },
  };
}

function ownAddress(): string {
  return `${location.origin}/`;
}
